"""The mutants of a Python module: one small change each, made in its text, found in its syntax tree.

Left out is what no test could notice or should: annotations, docstrings, logging, `if TYPE_CHECKING`, overloads,
protocols, messages of exceptions, the options of dataclasses, and lines marked `# pragma: no mutate` or `no cover`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from omni.verify.analysis.python import last_name
from omni.verify.mutation.operators import (
    COMPARED,
    DOES_WITHOUT_LAST,
    LOGGING,
    UNTOUCHED_CALLS,
    WORDS,
    changed_constant,
    operator_of,
)
from omni.verify.parsing import parse_python, walk

PRAGMA = re.compile(r"#\s*pragma:\s*no\s*(mutate|cover)")


@dataclass(frozen=True)
class Mutant:
    path: str
    operator: str
    """What was done: `comparison`, `arithmetic`, …"""
    start: int
    """Byte offsets of what is replaced, in the text as UTF-8."""
    end: int
    replacement: str
    line: int
    """Where it shows."""
    statement: int
    """First line of its statement; a test that ran a line between it and `line` covers the mutant."""
    function: str = ""
    """Qualified name of the outermost function in whose body it lies; empty: it takes effect on import."""
    scope: tuple[int, int] = (0, 0)
    """First and last line of that function; of the whole module on import."""


@dataclass
class _Here:
    """Where the walk stands."""

    statement: ast.stmt | None = None
    function: str = ""
    scope: tuple[int, int] = (0, 0)
    names: tuple[str, ...] = ()


def mutants(path: str, text: str) -> tuple[Mutant, ...]:
    """All mutants of a module, in the order of the text. Raises SyntaxError or ValueError when it is no Python."""
    walk = _Walk(path, text.encode(), text.splitlines())
    tree = parse_python(text)
    walk.block(tree.body, _Here(scope=(1, len(walk.lines))))
    marked = {number for number, line in enumerate(walk.lines, 1) if PRAGMA.search(line)}
    kept = (each for each in walk.found if not marked & {each.line, each.statement})
    return tuple(sorted(kept, key=lambda each: (each.start, each.end, each.replacement)))


def apply(text: str, mutant: Mutant) -> str:
    """The module's text with the change; every line keeps its number."""
    data = text.encode()
    return (data[: mutant.start] + mutant.replacement.encode() + data[mutant.end :]).decode()


@dataclass
class _Walk:
    path: str
    data: bytes
    lines: list[str]
    found: list[Mutant] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.starts = [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", self.data))]

    def block(self, body: Iterable[ast.stmt], here: _Here) -> None:
        for statement in body:
            self.statement(statement, _Here(statement, here.function, here.scope, here.names))

    def statement(self, node: ast.stmt, here: _Here) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, here)
            case ast.ClassDef():
                if not {"Protocol", "TypedDict", "NamedTuple"} & {last_name(base) for base in node.bases}:
                    self._decorators(node.decorator_list, here)
                    self.block(node.body, _Here(node, here.function, here.scope, (*here.names, node.name)))
            case ast.If() if _is_about_types(node.test):
                self.block(node.orelse, here)
            case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal() | ast.Assert():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call() as call) if _is_logging(call):
                pass
            case ast.Raise(exc=ast.Name(id="NotImplementedError")):
                pass
            case _:
                self._deletion(node, here)
                self._others(node, here)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, here: _Here) -> None:
        names = {last_name(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list}
        if names & {"overload", "abstractmethod"}:
            return
        self._decorators(node.decorator_list, here)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.expression(default, here)
        inner = (*here.names, node.name)
        if here.function:
            self.block(node.body, _Here(node, here.function, here.scope, inner))
        else:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            scope = (first, node.end_lineno or node.lineno)
            self.block(node.body, _Here(node, ".".join(inner), scope, inner))

    def _decorators(self, decorators: Iterable[ast.expr], here: _Here) -> None:
        for each in decorators:
            if not (isinstance(each, ast.Call) and last_name(each.func) in UNTOUCHED_CALLS):
                self.expression(each, here)

    def _deletion(self, node: ast.stmt, here: _Here) -> None:
        """Statements that can be left out, or done otherwise, as a whole."""
        match node:
            case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield()) | ast.Raise() | ast.Delete() | ast.AugAssign():
                self._replace("statement deleted", node, "pass", here)
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                self._replace("statement deleted", node, "pass", here)
            case ast.Return(value=value) if value is not None and not _is_empty(value):
                self._replace("returned value", node, "return None", here)
            case ast.Break():
                self._replace("loop control", node, "continue", here)
            case ast.Continue():
                self._replace("loop control", node, "break", here)
            case _:
                pass

    def _others(self, node: ast.stmt, here: _Here) -> None:
        match node:
            case ast.AnnAssign(value=value):
                if value is not None:
                    self.expression(value, here)
                return
            case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__" | "__match_args__")]):
                return
            case ast.Raise(exc=ast.Call(args=args, keywords=keywords)):
                for each in (*args, *(keyword.value for keyword in keywords)):
                    if not isinstance(each, ast.Constant):  # a message is for people
                        self.expression(each, here)
                return
            case ast.If() | ast.While():
                self._condition(node.test, here)
            case ast.AugAssign():
                self._operator(node.op, node.target, node.value, here)
            case ast.Try():
                for handler in node.handlers:
                    self._handler(handler, here)
            case _:
                pass
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.stmt():
                    self.statement(child, _Here(child, here.function, here.scope, here.names))
                case ast.ExceptHandler():
                    self.block(child.body, here)
                case ast.match_case():
                    if child.guard is not None:
                        self._condition(child.guard, here)
                        self.expression(child.guard, here)
                    self.block(child.body, here)
                case ast.withitem():
                    self.expression(child.context_expr, here)
                case ast.expr():
                    self.expression(child, here)
                case _:
                    pass

    def _handler(self, node: ast.ExceptHandler, here: _Here) -> None:
        """What is caught is let go."""
        if not isinstance(node.body[-1], ast.Raise):
            place = _Here(node.body[0], here.function, here.scope)
            self._span("exception let go", self._start(node.body[0]), self._end(node.body[-1]), "raise", place)

    def expression(self, node: ast.expr, here: _Here) -> None:
        """What can be done to it, and to all in it."""
        if isinstance(node, ast.JoinedStr):
            return  # before Python 3.12 the parts of an f-string don't know where they stand
        if isinstance(node, ast.Call) and last_name(node.func) in UNTOUCHED_CALLS:
            return
        self._operators(node, here)
        self._parts(node, here)
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.expr():
                    self.expression(child, here)
                case ast.keyword(arg=name, value=value) if name not in WORDS:
                    self.expression(value, here)
                case ast.comprehension():
                    self.expression(child.iter, here)
                    for each in child.ifs:
                        self._condition(each, here)
                        self.expression(each, here)
                case _:
                    pass

    def _operators(self, node: ast.expr, here: _Here) -> None:
        match node:
            case ast.Compare():
                operands = [node.left, *node.comparators]
                for operator, left, right in zip(node.ops, operands, node.comparators, strict=False):
                    self._operator(operator, left, right, here)
                for each in operands:
                    self._words(each, here)
            case ast.BoolOp():
                for left, right in zip(node.values, node.values[1:], strict=False):
                    self._operator(node.op, left, right, here)
            case ast.BinOp():
                if not _is_text(node.left) and not _is_text(node.right):
                    self._operator(node.op, node.left, node.right, here)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._between("negation", self._start(node), self._start(operand), "not", "", here)
            case _:
                pass

    def _parts(self, node: ast.expr, here: _Here) -> None:
        match node:
            case ast.Constant():
                self._constant(node, here)
            case ast.IfExp():
                self._condition(node.test, here)
            case ast.Call():
                self._arguments(node, here)
            case ast.Subscript():
                self._words(node.slice, here)
            case ast.Dict():
                for key in node.keys:
                    if key is not None:
                        self._words(key, here)
            case _:
                pass

    def _operator(
        self, node: ast.cmpop | ast.operator | ast.boolop, left: ast.expr, right: ast.expr, here: _Here
    ) -> None:
        known = operator_of(node)
        if known is not None:
            kind, old, new = known
            self._between(kind, self._end(left), self._start(right), old, new, here)

    def _condition(self, test: ast.expr, here: _Here) -> None:
        """A condition without an operator of its own is turned round."""
        if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.NamedExpr | ast.Await):
            start, end = self._start(test), self._end(test)
            self._span("condition", start, end, f"not ({self.data[start:end].decode()})", here)

    def _constant(self, node: ast.Constant, here: _Here) -> None:
        replacement = changed_constant(node.value)
        if replacement:
            self._span("constant", self._start(node), self._end(node), replacement, here)

    def _words(self, node: ast.expr, here: _Here) -> None:
        """Text that the program compares or looks up, and not one that people read."""
        for each in node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else (node,):
            if isinstance(each, ast.Constant) and isinstance(each.value, str | bytes):
                self._span("text", self._start(each), self._end(each), COMPARED[type(each.value)], here)

    def _arguments(self, node: ast.Call, here: _Here) -> None:
        """Keywords are left out, and the last positional argument where the function can do without."""
        last = node.args[-1] if len(node.args) > 1 and last_name(node.func) in DOES_WITHOUT_LAST else None
        if last is not None and not isinstance(last, ast.Starred):
            self._left_out(self._start(last), self._end(last), here)
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in WORDS:
                self._left_out(self._start(keyword), self._end(keyword), here)

    def _left_out(self, start: int, end: int, here: _Here) -> None:
        comma = re.match(rb"\s*,", self.data[end:])
        follows = self.data[end:].lstrip()[:1]
        before = self.data[:start].rstrip()[-1:]
        if before in {b"(", b","} and follows in {b",", b")"}:
            self._span("argument left out", start, end + (comma.end() if comma else 0), "", here)

    def _replace(self, kind: str, node: ast.stmt, replacement: str, here: _Here) -> None:
        self._span(kind, self._start(node), self._end(node), replacement, here)

    def _between(self, kind: str, start: int, end: int, old: str, new: str, here: _Here) -> None:
        """The operator between two operands, without what stands around it."""
        found = re.search(rb"\s+".join(re.escape(word.encode()) for word in old.split()), self.data[start:end])
        if found and b"#" not in self.data[start:end]:
            self._span(kind, start + found.start(), start + found.end(), new, here)

    def _span(self, kind: str, start: int, end: int, replacement: str, here: _Here) -> None:
        """Line feeds that are replaced are added again, so that all later lines keep their numbers."""
        replacement += "\n" * (self.data[start:end].count(b"\n") - replacement.count("\n"))
        line = self.data.count(b"\n", 0, start) + 1
        statement = here.statement.lineno if here.statement else line
        self.found.append(
            Mutant(self.path, kind, start, end, replacement, line, min(statement, line), here.function, here.scope)
        )

    def _start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self.starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


def _is_about_types(test: ast.expr) -> bool:
    """`if TYPE_CHECKING:` and `if __name__ == "__main__":`."""
    names = {each.id for each in walk(test) if isinstance(each, ast.Name)}
    return last_name(test) == "TYPE_CHECKING" or "__name__" in names


def _is_logging(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and bool(LOGGING.fullmatch(ast.unparse(call.func)))


def _is_empty(node: ast.expr) -> bool:
    """Who asks only whether it is true can't tell it from None."""
    return isinstance(node, ast.Constant) and not node.value


def _is_text(node: ast.expr) -> bool:
    """An operator on it would fail always: no test is needed to notice."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
