"""What is known when it is one value or another, how deep it is known, and what is left of it elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from omni.verify.dataflow.project import Class, Module
from omni.verify.dataflow.value import (
    FALSE,
    MOST_STEPS,
    MOST_TAINTS,
    NONE,
    TRUE,
    UNKNOWN,
    Instance,
    Ref,
    Sequence,
    Step,
    Table,
    Taint,
    Text,
    Value,
    blurred,
    constant,
    join,
    settled,
    taints_in,
    transform,
    united,
)


def taint(number: int, kind: str = "remote") -> Taint:
    return Taint(kind, Step("a.py", number, "x"))


def nested(value: Value, depth: int) -> Value:
    for _ in range(depth):
        value = Value(Sequence((value,)))
    return value


DIRTY = Value(None, (taint(1),))
MODULE = Module("m", "m.py", ast.Module([], []))
ONE, OTHER = (Class(name, ast.ClassDef(name, [], [], [], []), MODULE) for name in ("One", "Other"))
A, B = constant("a"), constant("b")


@pytest.mark.parametrize(
    ("first", "second", "either"),
    [
        (A, A, A),
        (A, B, Value(Text(""))),
        (constant("abc"), constant("abd"), Value(Text("ab"))),
        (constant("ab"), Value(Text("abc")), Value(Text("ab"))),
        (constant(1), constant(2), UNKNOWN),
        (constant(1), TRUE, UNKNOWN),
        (TRUE, FALSE, UNKNOWN),
        (A, NONE, UNKNOWN),
        (NONE, Value(Text("a")), Value(Text("a"))),
        (NONE, Value(Ref("os")), Value(Ref("os"))),
        (NONE, Value(Sequence((A,))), Value(Sequence((A,), UNKNOWN))),
        (Value(Sequence((A,), B)), NONE, Value(Sequence((A,), B))),
        (NONE, Value(Table({"k": A})), Value(Table({"k": A}, UNKNOWN))),
        (Value(Table({"k": A}, B)), NONE, Value(Table({"k": A}, B))),
        (Value(Ref("os")), Value(Ref("os")), Value(Ref("os"))),
        (Value(Ref("os")), Value(Ref("re")), UNKNOWN),
        (Value(Sequence((A,))), Value(Sequence((DIRTY,))), Value(Sequence((DIRTY,)))),
        (Value(Sequence((A, A))), Value(Sequence((A,))), Value(Sequence((), A))),
        (Value(Sequence((A,), A)), Value(Sequence((A,))), Value(Sequence((A,), A))),
        (Value(Sequence((A,))), Value(Table({"k": DIRTY})), DIRTY),
        (Value(Table({"k": A})), Value(Table({"k": A})), Value(Table({"k": A}))),
        (Value(Table({"k": A})), Value(Table({"l": B})), Value(Table({"k": A, "l": B}, UNKNOWN))),
        (Value(Table({"k": A}, A)), Value(Table({"l": B})), Value(Table({"k": A, "l": B}, A))),
        (Value(Table({"k": A})), Value(Table({"k": DIRTY})), Value(Table({"k": DIRTY}))),
        (Value(Instance(ONE, {"x": A})), Value(Instance(ONE, {"y": B})), Value(Instance(ONE, {"x": A, "y": B}))),
        (Value(Instance(ONE, {"x": A})), Value(Instance(OTHER, {"x": A})), UNKNOWN),
        (Value(Instance(ONE, {"x": DIRTY})), Value(Instance(OTHER, {})), DIRTY),
        (nested(A, 4), nested(DIRTY, 4), nested(DIRTY, 4)),
        (nested(A, 5), nested(DIRTY, 5), nested(DIRTY, 5)),
        (nested(A, 6), nested(DIRTY, 6), nested(DIRTY, 5)),
    ],
)
def test_one_or_the_other(first: Value, second: Value, either: Value) -> None:
    assert join(first, second) == either


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (constant("a"), UNKNOWN),
        (constant(b"a"), UNKNOWN),
        (constant(1), UNKNOWN),
        (constant(1.5), UNKNOWN),
        (TRUE, TRUE),
        (NONE, NONE),
        (Value(Text("a"), (taint(1),)), DIRTY),
        (Value(Sequence((DIRTY,))), DIRTY),
        (Value(Table({"k": DIRTY})), DIRTY),
        (Value(Ref("os")), Value(Ref("os"))),
        (Value(Instance(ONE, {"x": A})), Value(Instance(ONE, {"x": A}))),
    ],
)
def test_a_less_exact_value_has_no_texts_and_numbers_and_all_its_data(value: Value, left: Value) -> None:
    assert blurred(value) == left


HOLDERS: list[Callable[[Value], Value]] = [
    lambda value: Value(Sequence((A, value))),
    lambda value: Value(Sequence((A,), value)),
    lambda value: Value(Table({"k": value, "l": A})),
    lambda value: Value(Table({"l": A}, value)),
    lambda value: Value(Instance(ONE, {"x": value, "y": A})),
]


@pytest.mark.parametrize("holding", HOLDERS)
def test_what_a_value_holds_is_changed_with_it(holding: Callable[[Value], Value]) -> None:
    assert transform(holding(DIRTY), lambda _: ()) == holding(UNKNOWN)
    assert transform(holding(DIRTY), lambda taints: (*taints, taint(2))) == holding(Value(None, (taint(1), taint(2))))
    argument = Value(None, (taint(1, "argument"), taint(2)))
    assert settled(holding(argument)) == holding(Value(None, (taint(2),)))


def test_data_too_deep_down_is_lifted() -> None:
    same = transform(nested(DIRTY, 4), lambda taints: tuple(each.without("sql") for each in taints))
    assert [each.cleared for each in taints_in(same)] == [frozenset({"sql"})]
    assert transform(nested(Value(Sequence((DIRTY,))), 4), lambda taints: taints) == nested(DIRTY, 5)
    assert transform(nested(A, 5), lambda taints: taints) == nested(UNKNOWN, 5)
    assert taints_in(nested(DIRTY, 5)) == (taint(1),)
    assert taints_in(nested(DIRTY, 6)) == ()


def test_the_way_of_the_data() -> None:
    """A step in the line that it comes from, and one further than the most, is none."""
    start = taint(1)
    assert start.at(Step("a.py", 1, "again")) is start
    assert start.at(Step("a.py", 2, "y")).steps == (Step("a.py", 2, "y"),)
    assert start.at(Step("b.py", 1, "y")).steps == (Step("b.py", 1, "y"),)
    way = start
    for number in range(2, 2 + 2 * MOST_STEPS):
        way = way.at(Step("a.py", number, "y"))
    assert [each.line for each in way.steps] == [*range(2, 2 + MOST_STEPS)]
    assert way == start
    assert start.without("sql", "xss").without("path").cleared == {"sql", "xss", "path"}


def test_each_taint_once_up_to_the_most() -> None:
    groups = [(taint(1), taint(2)), (taint(2), taint(3)), ()]
    assert united(*groups) == (taint(1), taint(2), taint(3))
    assert united() == united((), ()) == ()
    assert united((taint(0),), tuple(map(taint, range(20)))) == tuple(map(taint, range(MOST_TAINTS)))
