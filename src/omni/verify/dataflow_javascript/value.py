"""What is known of a value without running the program: how it is made up, and what untrusted data is in it.

Values do not change, but objects do: they are shared, as in the program. Each change goes through the journal, so that
it can be taken back when the other branch is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from omni.verify.dataflow.value import Taint, united

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.program import Code, Kind, Scope
    from omni.verify.dataflow_javascript.tree import Node

Constant: TypeAlias = "str | float | bool | None"

MOST_ITEMS = 64
"""Longer arrays are known by what is in them, not where."""
GAP = "\0"
DEEPEST = 4
"""Objects within objects."""
LONGEST_NAME = 160
REST = "*"
"""The entry of an object for keys that are not known."""


class Entries(dict[str, "Value"]):
    """Names and values that change; `version` counts how often."""

    __slots__ = ("version",)

    def __init__(self, *given: Iterable[tuple[str, Value]]) -> None:
        super().__init__(*given)
        self.version = 0


@dataclass(frozen=True, slots=True)
class Const:
    value: Constant
    type: str
    """As `typeof` says, `null`, or `regex`: its value is its pattern, then."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string of which only the beginning is known, up to the first untrusted part. `GAP` in it is not known."""

    prefix: str


@dataclass(eq=False, slots=True)
class Obj:
    """An object, an array (its items are entries "0", "1", …), a map, or an instance of a class of the program."""

    entries: Entries
    kind: str = "object"
    """`object`, `array`, `map`, `bare` (without prototype) or `instance`."""
    type: Kind | None = None

    def items(self) -> list[Value]:
        """Of an array: in order, without those of which the place is not known."""
        found: list[Value] = []
        while (value := self.entries.get(str(len(found)))) is not None:
            found.append(value)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Func:
    """A function as a value: with what it sees around it."""

    code: Code
    scope: Scope
    this: Value | None = None
    """Of an arrow, a bound function or a method that was taken from its object."""
    home: Kind | None = None
    """The class that it is a method of."""
    given: tuple[Value, ...] = ()
    """Arguments that it was bound to."""


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """A function that the engine knows how to run: `resolve` of a promise."""

    run: Callable[[list[Value]], Value]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """True or false, by the answer of this condition."""

    node: Node


@dataclass(frozen=True, slots=True)
class KindRef:
    """A class of the program."""

    type: Kind


@dataclass(frozen=True, slots=True)
class Ref:
    """Something of a library by its name; `pg.Client().query` is an attribute of what a call gave."""

    name: str


Shape: TypeAlias = "Const | Text | Obj | Func | Native | KindRef | Ref | Question"


@dataclass(frozen=True, slots=True)
class Value:
    shape: Shape | None = None
    """None: nothing is known."""
    taints: tuple[Taint, ...] = ()

    @property
    def text(self) -> str | None:
        """A string that is known in full."""
        shape = self.shape
        return (
            shape.value
            if isinstance(shape, Const) and shape.type == "string" and isinstance(shape.value, str)
            else None
        )


UNKNOWN = Value()
UNDEFINED = Value(Const(None, "undefined"))
NULL = Value(Const(None, "null"))
TRUE = Value(Const(True, "boolean"))
FALSE = Value(Const(False, "boolean"))


def string(text: str) -> Value:
    return Value(Const(text, "string"))


def number(value: float) -> Value:
    return Value(Const(value, "number"))


def tainted(taints: tuple[Taint, ...]) -> Value:
    return Value(None, taints) if taints else UNKNOWN


def ref(name: str, taints: tuple[Taint, ...] = ()) -> Value:
    return Value(Ref(name) if len(name) <= LONGEST_NAME else None, taints)


def made(entries: Iterable[tuple[str, Value]] = (), kind: str = "object", type: Kind | None = None) -> Value:  # noqa: A002
    return Value(Obj(Entries(entries), kind, type))


def array(items: Iterable[Value] = (), rest: Value | None = None) -> Value:
    items = list(items)
    if len(items) > MOST_ITEMS:
        rest, items = join_all([*items, *([rest] if rest else [])]), []
    entries = [(str(index), item) for index, item in enumerate(items)]
    return made(entries + ([(REST, rest)] if rest is not None else []), "array")


def taints_in(value: Value, depth: int = DEEPEST) -> tuple[Taint, ...]:
    """Of the value and all that it holds."""
    shape = value.shape
    if depth == 0 or not isinstance(shape, Obj):
        return value.taints
    held = [value.taints]
    for part in shape.entries.values():
        found = taints_in(part, depth - 1) if isinstance(part.shape, Obj) else part.taints
        if found:
            held.append(found)
    return united(*held) if len(held) > 1 else value.taints


def transform(value: Value, change: Callable[[tuple[Taint, ...]], tuple[Taint, ...]], depth: int = DEEPEST) -> Value:
    """The same with other taints. An object that holds some becomes another one."""
    shape = value.shape
    if isinstance(shape, Obj) and taints_in(Value(shape), depth):
        if depth == 0:
            return tainted(change(taints_in(value)))
        entries = ((key, transform(each, change, depth - 1)) for key, each in shape.entries.items())
        return Value(Obj(Entries(entries), shape.kind, shape.type), change(value.taints))
    return Value(shape, change(value.taints)) if value.taints else value


def cleared(value: Value, weaknesses: frozenset[str]) -> Value:
    """The same data, which can't cause these any more."""
    return (
        transform(value, lambda taints: tuple(taint.without(*weaknesses) for taint in taints)) if weaknesses else value
    )


def is_nothing(value: Value) -> bool:
    return isinstance(value.shape, Const) and value.shape.value is None


def join(first: Value, second: Value, depth: int = DEEPEST) -> Value:
    """What is known when it is one or the other."""
    if first is second:
        return first
    one, other = first.shape, second.shape
    taints = united(first.taints, second.taints)
    if one is other or one == other:
        return Value(one, taints)
    if is_nothing(first) or is_nothing(second):
        kept = other if is_nothing(first) else one
        return Value(None if isinstance(kept, Const) else kept, taints)
    if isinstance(one, Obj) and isinstance(other, Obj) and depth:
        return Value(_join_objects(one, other, depth), taints)
    if (before := prefix(one)) is not None and (after := prefix(other)) is not None:
        return Value(Text(_common(before, after)), taints)
    if isinstance(one, Func) and isinstance(other, Func):
        return Value(one, taints)  # of two functions the first is followed
    for kept, lost in ((one, second), (other, first)):
        if isinstance(kept, Func | KindRef | Obj) and lost.shape is None:
            return Value(kept, taints)  # what may be unknown may be this
    return tainted(united(taints_in(first), taints_in(second)))


def _join_objects(one: Obj, other: Obj, depth: int) -> Obj:
    entries = Entries(one.entries.items())
    for key, value in other.entries.items():
        entries[key] = join(entries[key], value, depth - 1) if key in entries else value
    kind = one.kind if one.kind == other.kind else "object"
    return Obj(entries, kind, one.type if one.type is other.type else None)


def join_all(values: Iterable[Value]) -> Value:
    result: Value | None = None
    for value in values:
        result = value if result is None else join(result, value)
    return UNKNOWN if result is None else result


def prefix(shape: Shape | None) -> str | None:
    if isinstance(shape, Text):
        return shape.prefix
    return shape.value if isinstance(shape, Const) and shape.type == "string" and isinstance(shape.value, str) else None


def _common(one: str, other: str) -> str:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return one[:length]


def elements(value: Value) -> Value:
    """What a loop over it finds, one after the other."""
    shape = value.shape
    if isinstance(shape, Obj):
        held = join_all(shape.entries.values()) if shape.entries else UNKNOWN
        return Value(
            None if isinstance(held.shape, Const) and len(shape.entries) > 1 else held.shape,
            united(held.taints, value.taints),
        )
    if isinstance(shape, Ref):
        return ref(f"{shape.name}[]", value.taints)
    return tainted(value.taints)


def keys(value: Value) -> Value:
    """A name of one of its entries."""
    return tainted(value.taints)
