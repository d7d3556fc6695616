"""What is known of a value without running the program: how it is made up, and what untrusted data is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from omni.verify.dataflow.project import Class, Module
    from omni.verify.dataflow.summary import Callee

Constant: TypeAlias = "str | bytes | int | float | complex | bool | None"

MOST_TAINTS = 8
MOST_STEPS = 12
MOST_ITEMS = 64
"""Longer containers are known by what is in them, not where."""
DEEPEST = 5
"""Containers within containers."""


@dataclass(frozen=True, slots=True)
class Step:
    """A place that the data went through."""

    path: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Taint:
    """Data of one origin. The way it took does not make it another."""

    kind: str
    """`remote`, `local`, `random`; within a summary `argument`."""
    origin: Step
    cleared: frozenset[str] = frozenset()
    """Weaknesses that it can no longer cause."""
    steps: tuple[Step, ...] = field(default=(), compare=False)

    def at(self, step: Step) -> Taint:
        last = self.steps[-1] if self.steps else self.origin
        if len(self.steps) >= MOST_STEPS or (last.path, last.line) == (step.path, step.line):
            return self
        return replace(self, steps=(*self.steps, step))

    def without(self, *weaknesses: str) -> Taint:
        """The same data, which can't cause these any more."""
        return replace(self, cleared=self.cleared.union(weaknesses))


@dataclass(frozen=True, slots=True)
class Const:
    value: Constant
    type: type
    """True == 1 == 1.0, but they are not the same."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string of which only the beginning is known."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, tuple or set: the items in order, and (`rest`) what else may be in it, wherever."""

    items: tuple[Value, ...] = ()
    rest: Value | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary: the values of known keys, and (`rest`) of keys that are not."""

    entries: Mapping[object, Value]
    rest: Value | None = None

    def __hash__(self) -> int:
        return hash((frozenset(self.entries.items()), self.rest))


@dataclass(frozen=True, slots=True)
class Instance:
    """Of a class of the project, or of a model."""

    type: Class
    attributes: Mapping[str, Value]

    def __hash__(self) -> int:
        return hash((id(self.type), frozenset(self.attributes.items())))


@dataclass(frozen=True, slots=True)
class Ref:
    """Something of a library by its name; `sqlite3.connect().cursor` is an attribute of what a call gave."""

    name: str


@dataclass(frozen=True, slots=True)
class ModuleRef:
    module: Module


@dataclass(frozen=True, slots=True)
class ClassRef:
    type: Class


Shape: TypeAlias = "Const | Text | Sequence | Table | Instance | Ref | ModuleRef | ClassRef | Callee"


@dataclass(frozen=True, slots=True)
class Value:
    shape: Shape | None = None
    """None: nothing is known."""
    taints: tuple[Taint, ...] = ()

    @property
    def text(self) -> str | None:
        """A string that is known in full."""
        return self.shape.value if isinstance(self.shape, Const) and isinstance(self.shape.value, str) else None


UNKNOWN = Value()
NONE = Value(Const(None, type(None)))
TRUE = Value(Const(True, bool))
FALSE = Value(Const(False, bool))


def constant(value: Constant) -> Value:
    return Value(Const(value, type(value)))


def tainted(taints: tuple[Taint, ...]) -> Value:
    return Value(None, taints) if taints else UNKNOWN


def united(*groups: tuple[Taint, ...]) -> tuple[Taint, ...]:
    """Each taint once, in order of appearance."""
    filled = [group for group in groups if group]
    if len(filled) < 2:
        return filled[0] if filled else ()
    found: dict[Taint, Taint] = {}
    for group in filled:
        for taint in group:
            found.setdefault(taint, taint)
    return tuple(found.values())[:MOST_TAINTS]


def parts(shape: Shape | None) -> Iterator[Value]:
    """The values that one holds."""
    if isinstance(shape, Sequence):
        yield from shape.items
        if shape.rest is not None:
            yield shape.rest
    elif isinstance(shape, Table):
        yield from shape.entries.values()
        if shape.rest is not None:
            yield shape.rest
    elif isinstance(shape, Instance):
        yield from shape.attributes.values()


def taints_in(value: Value, depth: int = DEEPEST) -> tuple[Taint, ...]:
    """Of the value and all that it holds."""
    if value.shape is None or depth == 0 or not isinstance(value.shape, Sequence | Table | Instance):
        return value.taints
    return united(value.taints, *(taints_in(part, depth - 1) for part in parts(value.shape)))


def transform(value: Value, change: Callable[[tuple[Taint, ...]], tuple[Taint, ...]], depth: int = DEEPEST) -> Value:
    """The same value with other taints, also in what it holds; too deep down they are lifted to its surface.

    It is the same object when nothing in it changes.
    """
    shape: Shape | None = value.shape
    if depth == 0:
        return Value(None, change(taints_in(value)))

    def inner(part: Value) -> Value:
        return transform(part, change, depth - 1)

    if isinstance(shape, Sequence):
        items, rest = tuple(inner(item) for item in shape.items), None if shape.rest is None else inner(shape.rest)
        if rest is not shape.rest or any(new is not old for new, old in zip(items, shape.items, strict=True)):
            shape = Sequence(items, rest)
    elif isinstance(shape, Table):
        entries = {key: inner(item) for key, item in shape.entries.items()}
        rest = None if shape.rest is None else inner(shape.rest)
        if rest is not shape.rest or any(entries[key] is not old for key, old in shape.entries.items()):
            shape = Table(entries, rest)
    elif isinstance(shape, Instance):
        held = {name: inner(item) for name, item in shape.attributes.items()}
        if any(held[name] is not old for name, old in shape.attributes.items()):
            shape = Instance(shape.type, held)
    elif shape is not None and not isinstance(shape, Const | Text | Ref | ModuleRef | ClassRef):
        shape = shape.holding(lambda part: transform(part, change, min(depth - 1, 2)) if depth > 1 else part)
    taints = change(value.taints) if value.taints else ()
    same = len(taints) == len(value.taints) and all(new is old for new, old in zip(taints, value.taints, strict=True))
    return value if shape is value.shape and same else Value(shape, taints)


def settled(value: Value) -> Value:
    """The value for a place that outlives the run of a function: what its arguments brought is left behind."""
    return transform(value, lambda taints: tuple(taint for taint in taints if taint.kind != "argument"))


def blurred(value: Value) -> Value:
    """The same without texts and numbers that are written out."""
    if isinstance(value.shape, Text) or (
        isinstance(value.shape, Const) and not isinstance(value.shape.value, bool | None)
    ):
        return tainted(value.taints)
    if isinstance(value.shape, Sequence | Table):
        return tainted(taints_in(value))
    return value


def join(first: Value, second: Value, depth: int = DEEPEST) -> Value:
    """What is known when it is one or the other."""
    if first is second:
        return first
    taints = united(first.taints, second.taints)
    one, other = first.shape, second.shape
    if one is other or (depth == 0 and one is None):
        return Value(one, taints)
    if depth == 0:
        return Value(None, united(taints_in(first), taints_in(second)))
    if _is_none(one) or _is_none(other):
        return Value(_maybe(other if _is_none(one) else one), taints)
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return Value(_join_sequences(one, other, depth), taints)
    if isinstance(one, Table) and isinstance(other, Table):
        return Value(_join_tables(one, other, depth), taints)
    if isinstance(one, Instance) and isinstance(other, Instance) and one.type is other.type:
        return Value(Instance(one.type, _join_maps(one.attributes, other.attributes, depth)), taints)
    if (one_text := _prefix(one)) is not None and (other_text := _prefix(other)) is not None and one != other:
        return Value(Text(_common(one_text, other_text)), taints)
    if one == other:
        return Value(one, taints)
    return Value(None, united(taints_in(first), taints_in(second)))


def join_all(values: Iterable[Value]) -> Value:
    result: Value | None = None
    for value in values:
        result = value if result is None else join(result, value)
    return UNKNOWN if result is None else result


def join_names(one: Mapping[str, Value], other: Mapping[str, Value]) -> dict[str, Value]:
    """Of two states; a name that only one of them has keeps what it has there."""
    return _join_maps(one, other, DEEPEST)


def _join_maps(one: Mapping[str, Value], other: Mapping[str, Value], depth: int) -> dict[str, Value]:
    joined = dict(one)
    for name, value in other.items():
        before = joined.get(name)
        if before is not value:
            joined[name] = value if before is None else join(before, value, depth - 1)
    return joined


def _is_none(shape: Shape | None) -> bool:
    return isinstance(shape, Const) and shape.value is None


def _maybe(shape: Shape | None) -> Shape | None:
    """What may be None as well: no longer certain to be true, false or of some length."""
    if isinstance(shape, Sequence) and shape.rest is None:
        return Sequence(shape.items, UNKNOWN)
    if isinstance(shape, Table) and shape.rest is None:
        return Table(shape.entries, UNKNOWN)
    return None if isinstance(shape, Const) else shape


def _join_sequences(one: Sequence, other: Sequence, depth: int) -> Sequence:
    rests = [rest for rest in (one.rest, other.rest) if rest is not None]
    if len(one.items) == len(other.items):
        items = tuple(join(a, b, depth - 1) for a, b in zip(one.items, other.items, strict=True))
        return Sequence(items, join_all(rests) if rests else None)
    return Sequence((), join_all([*one.items, *other.items, *rests]))


def _join_tables(one: Table, other: Table, depth: int) -> Table:
    entries = dict(one.entries)
    for key, value in other.entries.items():
        entries[key] = join(entries[key], value, depth - 1) if key in entries else value
    rests = [rest for rest in (one.rest, other.rest) if rest is not None]
    if not rests and one.entries.keys() != other.entries.keys():
        rests = [UNKNOWN]
    return Table(entries, join_all(rests) if rests else None)


def _prefix(shape: Shape | None) -> str | None:
    if isinstance(shape, Text):
        return shape.prefix
    return shape.value if isinstance(shape, Const) and isinstance(shape.value, str) else None


def _common(one: str, other: str) -> str:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return one[:length]


def beginning(value: Value) -> str:
    """How the text surely begins."""
    return _prefix(value.shape) or ""
