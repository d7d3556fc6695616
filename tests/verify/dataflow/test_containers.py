"""What is known of containers, against what Python does with the same ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.dataflow import containers
from omni.verify.dataflow.folding import literal
from omni.verify.dataflow.value import MOST_ITEMS, NONE, UNKNOWN, Sequence, Step, Table, Taint, Value, join_all

DIRTY = Taint("remote", Step("a.py", 1, "request"))
ITEMS = st.lists(st.integers(0, 3) | st.sampled_from(["a", "b"]), max_size=5)


def listed(items: list[object]) -> Value:
    return Value(Sequence(tuple(map(literal, items))))


def table(entries: Mapping[object, object], rest: Value | None = None) -> Value:
    return Value(Table({key: literal(value) for key, value in entries.items()}, rest))


@given(ITEMS, st.sampled_from(["append", "appendleft", "extend", "reverse", "clear", "copy"]), ITEMS)
def test_methods_of_a_list_that_is_known(items: list[object], name: str, more: list[object]) -> None:
    real: deque[object] = deque(items)
    given_ = [more] if name == "extend" else [9] if name.startswith("append") else []
    getattr(real, name)(*given_)
    arguments = [listed(more)] if name == "extend" else [literal(each) for each in given_]
    outcome = containers.call_list(listed(items), name, arguments)
    assert outcome is not None
    assert outcome[1] == listed(list(real))
    assert outcome[0] == (listed(items) if name == "copy" else NONE)


@given(ITEMS, st.integers(-7, 7))
def test_places_of_a_list_that_is_known(items: list[object], place: int) -> None:
    outcome = containers.call_list(listed(items), "insert", [literal(place), literal(9)])
    real = list(items)
    real.insert(place, 9)
    assert outcome == (NONE, listed(real))
    if -len(items) <= place < len(items):
        left = list(items)
        taken = literal(left.pop(place))
        assert containers.call_list(listed(items), "pop", [literal(place)]) == (taken, listed(left))
        assert containers.item(listed(items), literal(place)) == taken
        assert containers.without(listed(items), literal(place)) == listed(left)
        changed = list(items)
        changed[place] = 9
        assert containers.with_item(listed(items), literal(place), literal(9)) == listed(changed)
    else:
        assert containers.item(listed(items), literal(place)) == join_all(map(literal, items))


@given(ITEMS, st.none() | st.integers(-7, 7), st.none() | st.integers(-7, 7))
def test_slices_of_lists_and_texts_that_are_known(items: list[object], low: int | None, high: int | None) -> None:
    ends = [None if each is None else literal(each) for each in (low, high)]
    assert containers.slice_of(listed(items), *ends) == listed(items[low:high])
    assert containers.slice_of(literal("abcd"), *ends) == literal("abcd"[low:high])


@given(ITEMS, st.integers(0, 3) | st.sampled_from(["a", "b"]))
def test_what_is_removed_is_the_first_of_its_kind(items: list[object], wanted: object) -> None:
    outcome = containers.call_list(listed(items), "remove", [literal(wanted)])
    assert outcome is not None
    real = list(items)
    if wanted in real:
        real.remove(wanted)
        assert outcome[1] == listed(real)
    else:
        assert outcome[1] == Value(Sequence((), join_all(map(literal, items)) if items else None))


@pytest.mark.parametrize(
    ("items", "name", "given_", "expected"),
    [
        ([1, 2], "pop", [], (2, [1])),
        ([1, 2], "popleft", [], (1, [2])),
        ([1], "index", [1], (None, [1])),
        ([1], "count", [1], (None, [1])),
    ],
)
def test_further_methods(
    items: list[object], name: str, given_: list[object], expected: tuple[object, list[object]]
) -> None:
    outcome = containers.call_list(listed(items), name, [literal(each) for each in given_])
    result = UNKNOWN if expected[0] is None else literal(expected[0])
    assert outcome == (result, listed(expected[1]))


@pytest.mark.parametrize("name", ["sort", "discard"])
def test_an_order_that_is_not_known_leaves_what_is_in_it(name: str) -> None:
    assert containers.call_list(listed([2, 1]), name, [literal(1)]) == (
        NONE,
        Value(Sequence((), join_all([literal(2), literal(1)]))),
    )


def test_what_is_no_method_or_no_list_is_not_known() -> None:
    assert containers.call_list(listed([]), "unknown", []) is None
    assert containers.call_list(table({}), "append", [NONE]) is None
    assert containers.call_table(listed([]), "get", [NONE], {}) is None
    assert containers.call_table(table({}), "unknown", [], {}) is None


ENTRIES = {"a": 1, "b": 2, 3: "c"}


@pytest.mark.parametrize(
    ("name", "given_", "result", "after"),
    [
        ("get", ["a"], 1, ENTRIES),
        ("get", ["a", 9], 1, ENTRIES),
        ("pop", ["b"], 2, {"a": 1, 3: "c"}),
        ("setdefault", ["a", 9], 1, ENTRIES),
        ("clear", [], None, {}),
        ("update", [], None, ENTRIES),
    ],
)
def test_methods_of_a_dictionary_that_is_known(
    name: str, given_: list[object], result: object, after: Mapping[object, object]
) -> None:
    outcome = containers.call_table(table(ENTRIES), name, [literal(each) for each in given_], {})
    assert outcome == (literal(result), table(after))


def test_views_of_a_dictionary_in_order() -> None:
    asked = {name: containers.call_table(table(ENTRIES), name, [], {}) for name in ("keys", "values", "items", "copy")}
    assert asked == {
        "keys": (listed(["a", "b", 3]), table(ENTRIES)),
        "values": (listed([1, 2, "c"]), table(ENTRIES)),
        "items": (Value(Sequence(tuple(listed([key, each]) for key, each in ENTRIES.items()))), table(ENTRIES)),
        "copy": (table(ENTRIES), table(ENTRIES)),
    }


def test_a_key_that_is_not_known_may_be_any() -> None:
    every = join_all(map(literal, ENTRIES.values()))
    assert containers.item(table(ENTRIES), UNKNOWN) == every
    assert containers.item(table(ENTRIES), literal("z")) == UNKNOWN
    assert containers.item(table({"a": 1}, literal(7)), literal("z")) == literal(7)
    assert containers.with_item(table({"a": 1}), UNKNOWN, literal(1)) == Value(Table({"a": literal(1)}, literal(1)))
    assert containers.with_item(table({"a": 1}), literal("b"), literal(2)) == table({"a": 1, "b": 2})
    assert containers.without(table(ENTRIES), UNKNOWN) == table(ENTRIES)
    assert containers.without(table(ENTRIES), literal("a")) == table({"b": 2, 3: "c"})


def test_a_list_of_which_only_the_beginning_is_known() -> None:
    half = Value(Sequence((literal(1), literal(2)), literal(3)))
    assert containers.item(half, literal(0)) == literal(1)
    assert containers.item(half, literal(-1)) == join_all(map(literal, (1, 2, 3)))
    assert containers.with_item(half, literal(0), literal(9)) == Value(Sequence((literal(9), literal(2)), literal(3)))
    loosened = Value(Sequence((), join_all(map(literal, (1, 2, 3, 9)))))
    assert containers.with_item(half, literal(-1), literal(9)) == loosened
    assert containers.with_item(half, literal(2), literal(9)) == loosened


def test_what_is_taken_out_of_the_untrusted_is_untrusted() -> None:
    dirty = Value(listed([1, 2]).shape, (DIRTY,))
    assert containers.item(dirty, literal(0)) == Value(literal(1).shape, (DIRTY,))
    assert containers.element(dirty).taints == (DIRTY,)
    assert containers.slice_of(dirty, literal(1), None) == Value(listed([2]).shape, (DIRTY,))
    outcome = containers.call_list(dirty, "pop", [])
    assert outcome is not None
    assert [each.taints for each in outcome] == [(DIRTY,), (DIRTY,)]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (literal("a"), "a"),
        (listed([1, "b"]), (1, "b")),
        (listed([]), ...),
        (Value(Sequence((literal(1),), UNKNOWN)), ...),
        (Value(Sequence((literal(1), UNKNOWN))), ...),
        (UNKNOWN, ...),
    ],
)
def test_a_key_is_what_is_written_out(value: Value, key: object) -> None:
    assert containers.key_of(value) == key


def test_a_container_is_known_item_by_item_up_to_the_most() -> None:
    full = listed([1] * MOST_ITEMS)
    shape = full.shape
    assert isinstance(shape, Sequence)
    one, loose = literal(1), Value(Sequence((), join_all([literal(1), literal(2)])))
    assert containers.call_list(listed([1] * (MOST_ITEMS - 1)), "append", [one]) == (NONE, full)
    assert containers.call_list(full, "append", [literal(2)]) == (NONE, Value(Sequence(shape.items, literal(2))))
    assert containers.call_list(full, "insert", [literal(0), literal(2)]) == (NONE, loose)
    assert containers.added(listed([1] * (MOST_ITEMS - 1)), listed([1])) == full
    assert containers.added(full, listed([2])) == Value(Sequence(shape.items, literal(2)))
    entries: dict[object, object] = dict.fromkeys(range(MOST_ITEMS), 1)
    assert containers.with_item(table(entries), literal(0), literal(2)) == table(entries | {0: 2})
    assert containers.with_item(table(entries), literal("new"), one) == table(entries, one)


HALF = Value(Sequence((literal("a"),), literal("b")))
EITHER = join_all(map(literal, "ab"))


@pytest.mark.parametrize(
    ("name", "given_", "result", "after"),
    [
        ("append", ["b"], None, HALF),
        ("append", ["c"], None, Value(Sequence((literal("a"),), join_all(map(literal, "bc"))))),
        ("appendleft", ["b"], None, Value(Sequence((), EITHER))),
        ("extend", [["b"]], None, HALF),
        ("pop", [], EITHER, Value(Sequence((), EITHER))),
        ("popleft", [], EITHER, Value(Sequence((), EITHER))),
        ("remove", ["a"], None, Value(Sequence((), EITHER))),
        ("reverse", [], None, Value(Sequence((), EITHER))),
        ("copy", [], HALF, HALF),
    ],
)
def test_methods_of_a_list_of_which_the_beginning_is_known(
    name: str, given_: list[object], result: Value | None, after: Value
) -> None:
    assert containers.call_list(HALF, name, list(map(literal, given_))) == (result or NONE, after)


REST = table({"a": 1}, literal(2))


@pytest.mark.parametrize(
    ("container", "name", "given_", "outcome"),
    [
        (table({"a": 1}), "get", [literal("z")], (NONE, table({"a": 1}))),
        (table({"a": 1}), "get", [literal("z"), literal(2)], (literal(2), table({"a": 1}))),
        (table({"a": 1}), "get", [UNKNOWN, literal(1)], (literal(1), table({"a": 1}))),
        (table({"a": 1}), "pop", [literal("z"), literal(2)], (literal(2), table({"a": 1}))),
        (table({"a": 1}), "setdefault", [literal("z"), literal(2)], (literal(2), table({"a": 1, "z": 2}))),
        (REST, "get", [literal("z"), literal(2)], (literal(2), REST)),
        (REST, "get", [literal("a")], (literal(1), REST)),
        (REST, "values", [], (Value(Sequence((literal(1),), literal(2))), REST)),
        (REST, "keys", [], (Value(Sequence((literal("a"),), UNKNOWN)), REST)),
        (REST, "items", [], (Value(Sequence((listed(["a", 1]),), Value(Sequence((UNKNOWN, literal(2)))))), REST)),
        (REST, "copy", [], (REST, REST)),
        (REST, "update", [table({"a": 3})], (NONE, table({"a": 3}, literal(2)))),
        (table({"a": 1}), "update", [REST], (NONE, REST)),
        (REST, "update", [REST], (NONE, REST)),
        (REST, "update", [listed([["b", 2]])], (NONE, REST)),
        (table({"a": 1}), "update", [listed([["b", 2]])], (NONE, REST)),
        (table({"a": 1}), "update", [UNKNOWN], (NONE, table({"a": 1}, UNKNOWN))),
    ],
)
def test_methods_of_a_dictionary(
    container: Value, name: str, given_: list[Value], outcome: tuple[Value, Value]
) -> None:
    assert containers.call_table(container, name, given_, {}) == outcome


def test_what_nothing_is_known_of_takes_up_the_data() -> None:
    dirty = Value(None, (DIRTY,))
    assert containers.merged(UNKNOWN, [dirty], {}) == dirty
    assert containers.merged(UNKNOWN, [], {"a": dirty}) == dirty
    assert containers.added(UNKNOWN, dirty) == dirty
    assert containers.with_item(UNKNOWN, literal(0), dirty) == dirty
    assert containers.without(dirty, literal(0)) == dirty
    assert containers.slice_of(dirty, None, None) == dirty
    assert containers.item(literal("abc"), literal(9)) == UNKNOWN
    assert containers.element(literal("a")) == literal("a")
    assert containers.element(literal("ab")) == UNKNOWN
    assert containers.element(table({"a": dirty}, dirty)) == dirty
