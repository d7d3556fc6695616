"""Values that are None on some way through a function, used by its callers as if they never were.

A caller is blamed only for a use that nothing stands before: in the same straight line of statements, with no look at
the value in between. What a type annotation says otherwise is left to the type checker.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from omni.verify.analysis.program import Program, Routine
from omni.verify.analysis.python import Function, body_without_docstring, last_name
from omni.verify.deep.callee import callee, is_plain, own_nodes, parameter_of
from omni.verify.parsing import walk

ENDS = frozenset({"exit", "_exit", "abort", "fail", "skip", "NoReturn", "Never", "error", "die", "fatal"})
"""Calls after which nothing follows, by their last name, and annotations that say so."""


@dataclass(frozen=True)
class Use:
    """A value that may be None, used as if it were not."""

    path: str
    line: int
    caller: str
    name: str
    """What was called."""
    source: Routine
    source_line: int
    """Where it gives None."""
    through: str = ""
    """The function that it is handed to and that uses it; empty where the caller itself does."""


@dataclass
class Optionals:
    program: Program

    @cached_property
    def sources(self) -> dict[str, tuple[Routine, int]]:
        """Function → (the function and line that the None comes from), through calls that pass it on."""
        found: dict[str, tuple[Routine, int]] = {}
        typed = set(self._overloaded())  # what they give depends on what they are given, and the type checker knows how
        every = (each for each in self.program.routines.values() if f"{each.path} {each.node.name}" not in typed)
        plain = [each for each in every if is_plain(each) and not _is_stub(each.node)]
        for routine in plain:
            line = _gives_none(routine.node)
            if line:
                found[routine.name] = (routine, line)
        changed = True
        while changed:
            changed = False
            for routine in plain:
                source = (
                    None
                    if routine.name in found or not _may_say_none(routine.node)
                    else self._passed_on(routine, found)
                )
                if source is not None:
                    found[routine.name], changed = source, True
        return found

    def _overloaded(self) -> Iterator[str]:
        """A name in a module that stands there more than once."""
        for module in self.program.modules.values():
            for node in walk(module.tree):
                if isinstance(node, Function) and any(last_name(each) == "overload" for each in node.decorator_list):
                    yield f"{module.path} {node.name}"

    def _passed_on(self, routine: Routine, found: dict[str, tuple[Routine, int]]) -> tuple[Routine, int] | None:
        for node in own_nodes(routine.node):
            if isinstance(node, ast.Return) and node.value is not None:
                called = callee(self.program, routine, node.value)
                if called is not None and called.name in found:
                    return found[called.name]
        return None

    @cached_property
    def used_parameters(self) -> dict[str, frozenset[str]]:
        """Function → parameters that it uses at once, with no look at them before."""
        found = {}
        for routine in self.program.routines.values():
            if is_plain(routine):
                names = {each.arg for each in (*routine.node.args.posonlyargs, *routine.node.args.args)}
                used = {name for name in names if _first_use(routine.node.body, name) is not None}
                found[routine.name] = frozenset(used - {"self", "cls"})
        return found

    def uses(self) -> Iterator[Use]:
        for routine in self.program.routines.values():
            for block in _blocks(routine.node.body):
                for number, statement in enumerate(block):
                    yield from self._direct(routine, statement)
                    yield from self._of_variable(routine, statement, block[number + 1 :])

    def _direct(self, routine: Routine, statement: ast.stmt) -> Iterator[Use]:
        """`find(x).name`, `find(x)[0]`, and `use(find(x))`."""
        for node in _expressions(statement):
            if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load):
                yield from self._use(routine, node.value, node.lineno)
            if isinstance(node, ast.Call):
                yield from self._handed_on(routine, node)

    def _handed_on(self, routine: Routine, call: ast.Call) -> Iterator[Use]:
        called = callee(self.program, routine, call)
        if called is None:
            return
        for given in (*call.args, *(each.value for each in call.keywords)):
            if parameter_of(call, called, given) in self.used_parameters.get(called.name, ()):
                yield from self._use(routine, given, call.lineno, called.node.name)

    def _of_variable(self, routine: Routine, statement: ast.stmt, rest: Sequence[ast.stmt]) -> Iterator[Use]:
        """`x = find(y)`, and further on `x.name`."""
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Name) and self._source(routine, value) and (line := _first_use(rest, target.id)):
            yield from self._use(routine, value, line)

    def _source(self, routine: Routine, value: ast.expr) -> tuple[Routine, int] | None:
        called = callee(self.program, routine, value)
        return self.sources.get(called.name) if called is not None else None

    def _use(self, routine: Routine, value: ast.expr, line: int, through: str = "") -> Iterator[Use]:
        source = self._source(routine, value)
        if source is not None and isinstance(value, ast.Call) and ast.dump(value) not in _asked(routine.node):
            yield Use(routine.path, line, routine.node.name, last_name(value.func), *source, through)


@lru_cache(maxsize=4096)
def _asked(function: Function) -> frozenset[str]:
    """Calls whose result the function looks at somewhere: `if find(x): … find(x).name`."""
    tests = [node.test for node in own_nodes(function) if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert)]
    return frozenset(ast.dump(node) for test in tests for node in walk(test) if isinstance(node, ast.Call))


def _may_say_none(function: Function) -> bool:
    """Its annotation does not promise a value; one that does is the type checker's to hold against the body."""
    annotation = function.returns
    if annotation is None:
        return True
    text = ast.unparse(annotation)
    return "None" in text or "Optional" in text


def _gives_none(function: Function) -> int:
    """The line on which it gives None although it gives a value elsewhere; 0 when it does not."""
    if not _may_say_none(function):
        return 0
    returns = [node for node in own_nodes(function) if isinstance(node, ast.Return)]
    empty = [node.lineno for node in returns if node.value is None or _is_none(node.value)]
    if len(empty) == len(returns):
        return 0  # it gives nothing at all; to use that is the type checker's and the first run's to find
    if empty:
        return empty[0]
    return function.body[-1].lineno if _goes_on(function.body) else 0


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_stub(function: Function) -> bool:
    body = body_without_docstring(function)
    return not body or all(isinstance(node, ast.Pass | ast.Raise) or _is_ellipsis(node) for node in body)


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _goes_on(body: Sequence[ast.stmt]) -> bool:
    """Its end can be reached. Where that is hard to say, it can't."""
    last = body[-1]
    if isinstance(last, ast.If):
        return not last.orelse or _goes_on(last.body) or _goes_on(last.orelse)
    if isinstance(last, ast.For):
        return not last.orelse or _goes_on(last.orelse)
    return False


def _blocks(body: Sequence[ast.stmt]) -> Iterator[Sequence[ast.stmt]]:
    """The body and every block in it, without those of functions in it."""
    yield body
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        guarded = isinstance(statement, ast.Try) and any(_catches(each) for each in statement.handlers)
        for field in ("body", "orelse", "finalbody")[guarded:]:
            inner = getattr(statement, field, None)
            if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
                yield from _blocks(inner)
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _blocks(part.body)


def _catches(handler: ast.ExceptHandler) -> bool:
    """It is there for what a None would lead to."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or last_name(each) in {"AttributeError", "TypeError", "Exception"} for each in caught)


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """What a statement evaluates itself, whatever happens; nothing of a `try` that may be there for this."""
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.Return):
        waiting: list[ast.AST] = [statement]
    elif isinstance(statement, ast.For | ast.AsyncFor):
        waiting = [statement.iter]
    else:
        return
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.IfExp | ast.BoolOp | ast.Lambda | ast.comprehension | ast.NamedExpr):
            waiting.extend(ast.iter_child_nodes(node))


def _first_use(statements: Sequence[ast.stmt], name: str) -> int | None:
    """The line on which the variable is used as an object, when that is the first thing that happens to it."""
    for statement in statements:
        mentions = [node for node in walk(statement) if isinstance(node, ast.Name) and node.id == name]
        if not mentions:
            if isinstance(statement, ast.Return | ast.Raise) or _ends(statement):
                return None
            continue
        used = [
            node
            for node in _expressions(statement)
            if isinstance(node, ast.Attribute | ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == name
        ]
        if used and len(used) == len(mentions):
            return used[0].lineno
        return None
    return None


def _ends(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and last_name(call.func) in ENDS
