"""What a Python file uses of modules that are not its project's own: names, and calls with what they are given.

Only what is certain: a name that the file binds to anything else than one import, wherever, is left alone; so is what
stands under a condition about versions, platforms or the presence of the thing itself.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from omni.verify.analysis.python import Function, last_name
from omni.verify.parsing import children, walk

Kind: TypeAlias = Literal["import", "name", "call"]


@dataclass(frozen=True)
class Use:
    kind: Kind
    question: str
    """`module:path`, as `introspect.py` reads it."""
    written: str
    """As it stands in the source."""
    line: int
    positional: int = 0
    """Arguments by position; -1 when their number is not known."""
    keywords: tuple[str, ...] = ()

    @property
    def top(self) -> str:
        return self.question.partition(":")[0].partition(".")[0]


CONDITION = re.compile(
    r"version|VERSION|sys\.platform|os\.name|platform\.|hasattr|TYPE_CHECKING|PY_?[23]|HAVE|HAS_|AVAILABLE|INSTALLED"
    r"|getattr|find_spec|sys\.modules|\bwin|WIN|cygwin|implementation"
)
"""A test that may ask whether what it guards is there."""
ABSENCE = frozenset({"AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "TypeError"})
"""What a program catches that expects something to be missing."""
IGNORED = re.compile(r"#\s*(type:\s*ignore|pyright:\s*ignore|pylint:\s*disable=.*(no-member|no-name))")
"""The author says that the type checker is wrong here."""


def uses(tree: ast.Module, text: str) -> Iterator[Use]:
    """Each use, in no particular order."""
    nodes = list(walk(tree))
    bound = Counter(_bound(nodes))
    by_name: dict[str, list[str]] = defaultdict(list)
    for names in _imports(nodes):
        for name, target in names.items():
            by_name[name].append(target)
    imported = {
        name: targets[0] for name, targets in by_name.items() if len(set(targets)) == 1 and bound[name] == len(targets)
    }
    visitor = _Visitor(imported, text.splitlines(), _stored(nodes))
    visitor.scope(tree, {})
    yield from visitor.found


def _imports(nodes: Iterable[ast.AST]) -> Iterator[dict[str, str]]:
    """What each import binds: local name → question."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                module = each.name if each.asname else each.name.partition(".")[0]
                yield {each.asname or module: f"{module}:"}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield {each.asname or each.name: f"{node.module}:{each.name}" for each in node.names if each.name != "*"}


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every name that is bound anywhere, as often as it is; parameters, loops and imports too."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, Function | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name.partition(".")[0] for each in node.names)


def _stored(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Attributes that the file sets on anything: they are there because it sets them."""
    return frozenset(
        node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    )


class _Visitor:
    """Walks once; `known` maps names of a scope to questions."""

    def __init__(self, imported: Mapping[str, str], lines: list[str], stored: frozenset[str]) -> None:
        self.imported = imported
        self.lines = lines
        self.stored = stored
        self.found: list[Use] = []

    def scope(self, node: ast.Module | Function | ast.Lambda, outer: Mapping[str, str]) -> None:
        """A module or function: what its variables are bound to, once and by a call, is known in all of it."""
        found = [(name, self.question(call.func, outer), suffix) for name, call, suffix in _variables(node)]
        given = {name: f"{question}.(){suffix}" for name, question, suffix in found if question}
        if given or outer:
            bound = Counter(_bound(walk(node)))
            known = {name: question for name, question in outer.items() if name not in bound}
            known |= {name: question for name, question in given.items() if bound[name] == 1}
        else:
            known = {}
        for child in _body(node):
            self.visit(child, known, guarded=False)

    def visit(self, node: ast.AST, known: Mapping[str, str], *, guarded: bool) -> None:
        if isinstance(node, Function | ast.Lambda):
            if not guarded:
                self.scope(node, known)
            for child in children(node):  # decorators, annotations and defaults are the outer scope's
                if child not in _body(node):
                    self.visit(child, known, guarded=guarded)
            return
        if isinstance(node, ast.Import | ast.ImportFrom) and not guarded:
            self.take_import(node)
        elif isinstance(node, ast.Call) and not guarded:
            self.take_call(node, known)
        elif isinstance(node, ast.Attribute) and not guarded and self.take_name(node, known):
            return
        if isinstance(node, ast.Call):
            inner = (
                node.func.value
                if isinstance(node.func, ast.Attribute) and self.question(node.func, known)
                else node.func
            )
            for child in (inner, *node.args, *node.keywords):
                self.visit(child, known, guarded=guarded)
            return
        asks = isinstance(node, ast.If | ast.IfExp | ast.While) and bool(self.imported.keys() & _tested(node.test))
        for child, is_guarded in _children(node):
            self.visit(child, known, guarded=guarded or asks or is_guarded)

    def question(self, node: ast.AST, known: Mapping[str, str]) -> str:
        """What the expression is of a foreign module; empty when it is not, or not for certain."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id) or known.get(node.id, "")
        if isinstance(node, ast.Attribute):
            if node.attr in self.stored or node.attr.startswith("__"):
                return ""
            base = self.question(node.value, known)
            return _joined(base, node.attr) if base else ""
        if isinstance(node, ast.Call):
            base = self.question(node.func, known)
            return f"{base}.()" if base and not base.endswith(":") else ""
        return ""

    def ignored(self, node: ast.expr | ast.stmt) -> bool:
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        return any(IGNORED.search(line) for line in (*lines[:1], *lines[-1:]))

    def take_import(self, node: ast.Import | ast.ImportFrom) -> None:
        if self.ignored(node):
            return
        if isinstance(node, ast.Import):
            for each in node.names:
                self.found.append(Use("import", f"{each.name}:", each.name, node.lineno))
        elif not node.level and node.module:
            for each in node.names:
                name = "" if each.name == "*" else each.name
                self.found.append(Use("import", f"{node.module}:{name}", f"{node.module}.{name}", node.lineno))

    def take_name(self, node: ast.Attribute, known: Mapping[str, str]) -> bool:
        question = self.question(node, known)
        if question and isinstance(node.ctx, ast.Load) and not self.ignored(node):
            self.found.append(Use("name", question, ast.unparse(node), node.end_lineno or node.lineno))
        return bool(question) and not any(isinstance(each, ast.Call) for each in walk(node))

    def take_call(self, node: ast.Call, known: Mapping[str, str]) -> None:
        question = self.question(node.func, known)
        if not question or question.endswith((":", ".()", ".enter()")) or self.ignored(node):
            return
        spread = any(isinstance(each, ast.Starred) for each in node.args)
        keywords = tuple(each.arg for each in node.keywords if each.arg)
        line = node.func.end_lineno or node.lineno
        count = -1 if spread else len(node.args)
        self.found.append(Use("call", f"{question}!", ast.unparse(node.func), line, count, keywords))


def _body(node: ast.Module | Function | ast.Lambda) -> list[ast.AST]:
    return [node.body] if isinstance(node, ast.Lambda) else list(node.body)


def _joined(question: str, attribute: str) -> str:
    return f"{question}{attribute}" if question.endswith(":") else f"{question}.{attribute}"


def _variables(scope: ast.AST) -> Iterator[tuple[str, ast.Call, str]]:
    """`x = f()` and `with f() as x`, without those of inner functions: name, call, how it was bound."""
    todo = list(children(scope))
    while todo:
        node = todo.pop()
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            if isinstance(node.value, ast.Call):
                yield node.targets[0].id, node.value, ""
        elif isinstance(node, ast.With):
            for item in node.items:
                if isinstance(item.optional_vars, ast.Name) and isinstance(item.context_expr, ast.Call):
                    yield item.optional_vars.id, item.context_expr, ".enter()"
        todo += children(node)


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Each child, and whether it stands where the thing may be missing on purpose."""
    if isinstance(node, ast.Try):
        expects = any(_expects_absence(handler.type) for handler in node.handlers)
        for child in children(node):
            yield child, expects
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        asks = bool(CONDITION.search(ast.unparse(node.test)))
        for child in children(node):
            yield child, asks
    elif isinstance(node, ast.BoolOp):
        asks = bool(CONDITION.search(ast.unparse(node.values[0])))
        for child in node.values:
            yield child, asks
    elif isinstance(node, ast.With):
        expects = any(_expected(item.context_expr) for item in node.items)
        for child in children(node):
            yield child, expects
    else:
        for child in children(node):
            yield child, False


def _tested(test: ast.expr) -> set[str]:
    """Names that are asked for nothing but being there: `if yaml`, `yaml is not None and …`."""
    if isinstance(test, ast.Name):
        return {test.id}
    if isinstance(test, ast.UnaryOp):
        return _tested(test.operand)
    if isinstance(test, ast.BoolOp):
        return set().union(*map(_tested, test.values))
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.IsNot):
        return _tested(test.left)
    return set()


def _expects_absence(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    return any(last_name(each) in ABSENCE for each in (caught.elts if isinstance(caught, ast.Tuple) else [caught]))


def _expected(manager: ast.expr) -> bool:
    """`pytest.raises(AttributeError)`, `suppress(ImportError)`"""
    return isinstance(manager, ast.Call) and last_name(manager.func) in {
        "raises", "suppress", "assertRaises", "assertRaisesRegex", "warns", "deprecated_call", "assertWarns",
    }  # fmt: skip
