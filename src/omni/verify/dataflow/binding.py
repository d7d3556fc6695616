"""From arguments to parameters, and back: a function is run on symbols in the place of untrusted data."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from omni.verify.dataflow.summary import Callee, Hit
from omni.verify.dataflow.value import (
    NONE,
    UNKNOWN,
    Sequence,
    Step,
    Table,
    Taint,
    Value,
    join,
    join_all,
    transform,
    united,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame
    from omni.verify.dataflow.machine import Machine
    from omni.verify.dataflow.project import Function


@dataclass
class Arguments:
    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    rest: list[Value] = field(default_factory=list)
    """Elements of what is given by `*` or `**` and can't be told apart."""
    after: dict[int, Value] = field(default_factory=dict)
    """Parameters that the called function changed in place."""

    @property
    def all(self) -> list[Value]:
        return [*self.positional, *self.named.values(), *self.rest]


def names(function: Function) -> list[str]:
    """All parameters, in the order in which values are given to the function."""
    given = function.node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    every += [each for each in (given.vararg, given.kwarg) if each is not None]
    return [each.arg for each in every]


def bind(machine: Machine, callee: Callee, arguments: Arguments) -> list[Value]:
    """A value for each of `names`. What nothing is given for has its default, as far as it is a constant."""
    function = callee.function
    given = function.node.args
    ordinary = [each.arg for each in (*given.posonlyargs, *given.args)]
    positional = [*([callee.bound] if callee.bound is not None else []), *arguments.positional]
    values: dict[str, Value] = dict(zip(ordinary, positional, strict=False))
    named = dict(arguments.named)
    for name in (*ordinary, *(each.arg for each in given.kwonlyargs)):
        if name in named:
            values[name] = named.pop(name)
    loose = join_all(arguments.rest) if arguments.rest else None
    for name, default in defaults(function):
        if name not in values:
            value = machine.default(function, default)
            values[name] = value if loose is None else join(value, loose)
    for name in (*ordinary, *(each.arg for each in given.kwonlyargs)):
        values.setdefault(name, UNKNOWN if loose is None else loose)
    if given.vararg is not None:
        values[given.vararg.arg] = Value(Sequence(tuple(positional[len(ordinary) :]), loose))
    if given.kwarg is not None:
        values[given.kwarg.arg] = Value(Table(dict[object, Value](named.items()), loose))
    return [values[name] for name in names(function)]


def defaults(function: Function) -> list[tuple[str, ast.expr]]:
    given = function.node.args
    ordinary = [*given.posonlyargs, *given.args]
    found = [
        (each.arg, default)
        for each, default in zip(ordinary[len(ordinary) - len(given.defaults) :], given.defaults, strict=True)
    ]
    pairs = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return found + [(each.arg, default) for each, default in pairs if default is not None]


def result(frame: Frame) -> Value:
    """What the function that was run gives back."""
    if frame.yielded:
        if frame.function is not None:
            frame.function.generator = True
        return Value(Sequence((), join_all(frame.yielded)))
    return join_all(frame.returned) if frame.returned else NONE


class Symbols:
    """One symbol for each taint of the arguments, so that a summary fits whatever is given."""

    def __init__(self) -> None:
        self.by_taint: dict[Taint, Taint] = {}
        self.actual: dict[int, Taint] = {}

    def replace(self, value: Value) -> Value:
        return transform(value, lambda taints: tuple(self._symbol(taint) for taint in taints))

    def _symbol(self, taint: Taint) -> Taint:
        if taint not in self.by_taint:
            number = len(self.by_taint)
            self.by_taint[taint] = Taint("argument", Step("", number, ""))
            self.actual[number] = taint
        return self.by_taint[taint]


@dataclass(frozen=True)
class Restorer:
    """Puts the data back that the symbols stand for."""

    actual: dict[int, Taint]
    step: Step | None
    place: Step
    """Of the call: what a model of a library does, is done there."""

    def value(self, value: Value) -> Value:
        return transform(value, lambda taints: united(tuple(self._taint(taint) for taint in taints)))

    def hit(self, hit: Hit) -> Hit:
        return replace(hit, taint=self._taint(hit.taint), sink=hit.sink if hit.sink.path else self.place)

    def _taint(self, symbol: Taint) -> Taint:
        if symbol.kind != "argument":
            return symbol
        taint = self.actual.get(symbol.origin.line)
        if taint is None:  # of another run, through functions within functions
            return replace(symbol, cleared=frozenset("*"))
        if self.step is not None:
            taint = taint.at(self.step)
        for step in symbol.steps:
            if step.path:
                taint = taint.at(step)
        return replace(taint, cleared=taint.cleared | symbol.cleared) if symbol.cleared else taint
