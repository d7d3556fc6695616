"""What calling a function does, in terms of what it is called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from omni.verify.dataflow.project import Function
from omni.verify.dataflow.value import UNKNOWN, Step, Taint, Value


@dataclass(frozen=True, slots=True, eq=False)
class Callee:
    """A function as a value: with what it sees around it, and the object it was taken from."""

    function: Function
    bound: Value | None = None
    closure: Mapping[str, Value] | None = None

    def __eq__(self, other: object) -> bool:
        """What a function sees may hold itself: it is the same only if it is one object."""
        if not isinstance(other, Callee):
            return NotImplemented
        same = self.function is other.function and self.closure is other.closure
        return same and self.bound == other.bound

    def __hash__(self) -> int:
        return hash((id(self.function), id(self.closure), self.bound))

    def holding(self, change: Callable[[Value], Value]) -> Callee:
        """The same function, with each value that it sees changed; itself when none is."""
        bound = None if self.bound is None else change(self.bound)
        closure = None if self.closure is None else {name: change(value) for name, value in self.closure.items()}
        if closure is None or self.closure is None or all(closure[name] is self.closure[name] for name in closure):
            return self if bound is self.bound else Callee(self.function, bound, self.closure)
        return Callee(self.function, bound, closure)


@dataclass(frozen=True, slots=True)
class Hit:
    """Untrusted data in a dangerous place."""

    weakness: str
    taint: Taint
    sink: Step
    kinds: frozenset[str]
    column: int = 0


@dataclass(slots=True)
class Summary:
    result: Value = UNKNOWN
    arguments: tuple[Value, ...] = ()
    """The arguments as the function leaves them; `changed` says which of them it changed."""
    changed: frozenset[int] = frozenset()
    hits: tuple[Hit, ...] = ()
    """Of data that came in with the arguments."""
