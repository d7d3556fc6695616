"""What one routine does to what threads may share: each access with the locks held then, each call, each lock taken.

In the style of RacerD (Blackshear and others, 2018): one pass over each routine, no interleavings. A single load or
store is atomic in CPython, so what counts is what takes several: an update, a check with its act, a loop.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from omni.verify.analysis.program import Routine
from omni.verify.analysis.python import Function, dotted, last_name
from omni.verify.concurrency.names import Lock, Names, is_field, is_property
from omni.verify.deep.callee import own_nodes
from omni.verify.parsing import walk

MUTATORS = frozenset(
    {
        "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "insert", "pop", "popitem",
        "popleft", "remove", "setdefault", "update",
    }
)  # fmt: skip
VIEWS = frozenset({"items", "keys", "values"})
LEAVES = ast.Return | ast.Raise | ast.Continue | ast.Break
MISSES = frozenset({"KeyError", "AttributeError", "IndexError", "LookupError"})


@dataclass(frozen=True)
class Access:
    place: str
    """`app.Pool.size`"""
    shown: str
    """`self.size`"""
    kind: str
    """`write`; `item`, of what is in it; `update`, which reads it first; `check`, with the act that follows; `loop`."""
    routine: Routine
    line: int
    held: frozenset[Lock]
    acted: int = 0
    """Where what was checked is acted on."""
    value: ast.expr | None = None
    """What is stored."""
    awaited: int = 0
    """Where the event loop may run others between the check and the act, or within the update; 0: nowhere."""


@dataclass(frozen=True)
class Called:
    routine: Routine
    by: Routine
    line: int
    held: frozenset[Lock]
    on_self: bool
    """It is of the same object."""


@dataclass(frozen=True)
class Taken:
    lock: Lock
    routine: Routine
    line: int
    held: frozenset[Lock]
    """What was held already."""
    waits: bool = True
    """False: it goes on without the lock where it can't be had."""


@dataclass
class Seen:
    accesses: list[Access] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)


def see(names: Names, routine: Routine) -> Seen:
    reader = _Reader(names, routine)
    start = _of_decorators(routine)
    reader.block(routine.node.body, start)
    return reader.seen


def _of_decorators(routine: Routine) -> frozenset[Lock]:
    """What `@synchronized` and its like hold."""
    texts = [dotted(each) for each in routine.node.decorator_list]
    found = next((each for each in texts if "lock" in each.lower() or "synchron" in each.lower()), "")
    return frozenset({Lock(found, "unknown", f"@{found}")} if found else ())


@dataclass
class _Reader:
    names: Names
    routine: Routine
    seen: Seen = field(default_factory=Seen)

    def block(self, statements: Sequence[ast.stmt], held: frozenset[Lock]) -> None:
        for at, statement in enumerate(statements):
            if isinstance(statement, Function | ast.ClassDef):
                continue
            freed: frozenset[Lock] = frozenset()
            if self.by_hand:
                for lock, waits in self._acquired(statement):
                    self.seen.taken.append(Taken(lock, self.routine, statement.lineno, held, waits))
                    held |= {lock}
                freed = self._released(statement)
            self._statement(statement, statements[at + 1 :], held)
            held -= freed

    @cached_property
    def by_hand(self) -> bool:
        return any(isinstance(each, ast.Attribute) and each.attr == "acquire" for each in own_nodes(self.routine.node))

    def _acquired(self, statement: ast.stmt) -> Iterator[tuple[Lock, bool]]:
        """Locks that a statement takes with `acquire`, and whether it waits for them."""
        for call in (each for header in headers(statement) for each in within(header)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "acquire":
                lock = self.names.lock(self.routine, call.func.value)
                if lock is not None:
                    yield replace(lock, kind="unknown"), not call.args and not call.keywords

    def _released(self, statement: ast.stmt) -> frozenset[Lock]:
        """Locks that a statement, or what is within it, gives back."""
        calls = (
            each for each in walk(statement) if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
        )
        found = (self.names.lock(self.routine, each.func.value) for each in calls if last_name(each.func) == "release")  # type: ignore[attr-defined]
        return frozenset(replace(each, kind="unknown") for each in found if each is not None)

    def _statement(self, statement: ast.stmt, rest: Sequence[ast.stmt], held: frozenset[Lock]) -> None:
        for expression in headers(statement):
            self._expression(expression, held)
        match statement:
            case ast.With() | ast.AsyncWith():
                inside = held
                for item in statement.items:
                    lock = self.names.lock(self.routine, item.context_expr)
                    if lock is not None:
                        self.seen.taken.append(Taken(lock, self.routine, statement.lineno, inside))
                        inside |= {lock}
                self.block(statement.body, inside)
            case ast.If():
                self._check(statement, rest, held)
                self.block(statement.body, held)
                self.block(statement.orelse, held)
            case ast.For() | ast.AsyncFor():
                self._loop(statement.iter, held)
                self.block(statement.body, held)
                self.block(statement.orelse, held)
            case ast.Try() | ast.TryStar():
                self._attempt(statement, held)
                for body in (
                    statement.body,
                    *(each.body for each in statement.handlers),
                    statement.orelse,
                    statement.finalbody,
                ):
                    self.block(body, held)
            case ast.While():
                self.block(statement.body, held)
                self.block(statement.orelse, held)
            case ast.Match():
                for case in statement.cases:
                    self.block(case.body, held)
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
                self._stored(statement, held)
            case _:
                pass

    def _add(self, node: ast.AST, kind: str, held: frozenset[Lock], line: int, **more: int | ast.expr | None) -> None:
        place = self.names.place(self.routine, node)
        if place:
            access = Access(place, ast.unparse(node), kind, self.routine, line, held, **more)  # type: ignore[arg-type]
            self.seen.accesses.append(access)

    def _expression(self, expression: ast.expr, held: frozenset[Lock]) -> None:
        for node in within(expression):
            if isinstance(node, ast.Call):
                called = self.names.called(self.routine, node.func)
                if called is not None:
                    on_self = (
                        dotted(node.func).startswith(("self.", "cls.", "super.")) and dotted(node.func).count(".") == 1
                    )
                    self.seen.calls.append(Called(called, self.routine, node.lineno, held, on_self))
                if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
                    self._add(node.func.value, "item", held, node.lineno)
            elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
                self._loop(node.generators[0].iter, held)
            elif is_field(node) and isinstance(node, ast.Attribute):
                owner = self.names.owner(self.routine)
                got = self.names.method(owner, node.attr) if owner is not None else None
                if got is not None and is_property(got):
                    self.seen.calls.append(Called(got, self.routine, node.lineno, held, on_self=True))

    def _loop(self, node: ast.expr, held: frozenset[Lock]) -> None:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in VIEWS
            and not node.args
        ):
            node = node.func.value
        self._add(node, "loop", held, node.lineno)

    def _stored(
        self, statement: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete, held: frozenset[Lock]
    ) -> None:
        value = None if isinstance(statement, ast.Delete) else statement.value
        for target in targets(statement):
            base, kind = (target.value, "item") if isinstance(target, ast.Subscript) else (target, "write")
            place = self.names.place(self.routine, base)
            read = (
                any(self.names.place(self.routine, each) == place for each in within(value))
                if value and place
                else False
            )
            if isinstance(statement, ast.AugAssign) or (read and not isinstance(value, ast.BoolOp | ast.IfExp)):
                if (
                    kind == "write"
                    or isinstance(statement, ast.AugAssign)
                    or ast.unparse(target) in ast.unparse(value or target)
                ):
                    kind = "update"
            elif read:
                kind = "check"
            line = statement.lineno
            awaited = line if value is not None and any(isinstance(each, ast.Await) for each in within(value)) else 0
            self._add(
                base, kind, held, line, acted=line, value=value, awaited=awaited if kind in {"update", "check"} else 0
            )

    def _check(self, statement: ast.If, rest: Sequence[ast.stmt], held: frozenset[Lock]) -> None:
        """What the test looks at and what follows stores; where its body leaves, that is the rest of the block."""
        tested = {self.names.place(self.routine, each): each for each in _tested(statement.test)}
        after = rest if isinstance(statement.body[-1], LEAVES) and not statement.orelse else ()
        for body in (statement.body, after):
            for place, node in tested.items():
                found = self._act(place, body) if place else None
                if found is not None:
                    act, value, awaited = found
                    line = statement.lineno
                    self._add(node, "check", held, line, acted=act, value=value, awaited=awaited)

    def _attempt(self, statement: ast.Try | ast.TryStar, held: frozenset[Lock]) -> None:
        """`try: return cache[key]` and in `except KeyError` what makes it."""
        for handler in statement.handlers:
            if handler.type is None or not {last_name(each) for each in walk(handler.type)} & MISSES:
                continue
            for first in statement.body[:1]:
                for each in (node for header in headers(first) for node in within(header)):
                    node = each.value if isinstance(each, ast.Subscript) else each
                    place = (
                        self.names.place(self.routine, node)
                        if isinstance(each, ast.Subscript) or is_field(each)
                        else ""
                    )
                    found = self._act(place, handler.body) if place else None
                    if found is not None:
                        act, value, awaited = found
                        self._add(node, "check", held, first.lineno, acted=act, value=value, awaited=awaited)
                        return

    def _act(self, place: str, body: Sequence[ast.stmt]) -> tuple[int, ast.expr | None, int] | None:
        """(line, what is stored, where it awaits before) of the first store to the place that no lock guards."""
        awaited = 0
        for statement in body:
            if isinstance(statement, Function | ast.ClassDef):
                continue
            items = statement.items if isinstance(statement, ast.With | ast.AsyncWith) else ()
            if any(self.names.lock(self.routine, each.context_expr) for each in items):
                return None
            if isinstance(statement, ast.If | ast.While) and place in {
                self.names.place(self.routine, each) for each in _tested(statement.test)
            }:
                return None  # it is looked at again
            for expression in headers(statement):
                for node in within(expression):
                    awaited = awaited or (node.lineno if isinstance(node, ast.Await) else 0)
            awaited = awaited or (statement.lineno if isinstance(statement, ast.AsyncFor | ast.AsyncWith) else 0)
            if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
                value = None if isinstance(statement, ast.Delete) else statement.value
                for target in targets(statement):
                    base = target.value if isinstance(target, ast.Subscript) else target
                    if self.names.place(self.routine, base) == place:
                        return statement.lineno, value, awaited
            for inner in _bodies(statement):
                found = self._act(place, inner)
                if found is not None:
                    return found[0], found[1], awaited or found[2]
        return None


def _tested(test: ast.expr) -> Iterator[ast.AST]:
    """What a test asks for being there, empty or large enough."""
    match test:
        case ast.BoolOp():
            for each in test.values:
                yield from _tested(each)
        case ast.UnaryOp(op=ast.Not()):
            yield from _tested(test.operand)
        case ast.Compare():
            yield from (each for side in (test.left, *test.comparators) for each in _tested(side))
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            yield from _tested(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="get" | "keys")) | ast.Subscript(value=inner):
            yield from _tested(inner)
        case ast.Name() | ast.Attribute():
            yield test


def targets(statement: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete) -> list[ast.expr]:
    """Those of tuples, too."""
    found = statement.targets if isinstance(statement, ast.Assign | ast.Delete) else [statement.target]
    return [inner for each in found for inner in (each.elts if isinstance(each, ast.Tuple | ast.List) else [each])]


def headers(statement: ast.stmt) -> list[ast.expr]:
    """The expressions of a statement, without those of statements within it."""
    found: list[ast.expr] = []
    for name in statement._fields:
        value = getattr(statement, name, None)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.expr):
                found.append(each)
            elif isinstance(each, ast.withitem):
                found.append(each.context_expr)
    return found


def within(node: ast.expr) -> Iterator[ast.expr]:
    """The expression and those in it that are computed when it is; not what a lambda does later."""
    if isinstance(node, ast.Lambda):
        return
    yield node
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.expr):
            yield from within(each)
        elif isinstance(each, ast.keyword):
            yield from within(each.value)
        elif isinstance(each, ast.comprehension):
            for part in (each.iter, *each.ifs):
                yield from within(part)


def _bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(statement, name, None)
        if isinstance(inner, list):
            yield inner
    for handler in getattr(statement, "handlers", ()):
        yield handler.body
    for case in getattr(statement, "cases", ()):
        yield case.body
