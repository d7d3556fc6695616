"""Branches of a program are run from the same state, and what they leave is laid side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omni.verify.dataflow.value import Step, Taint
from omni.verify.dataflow_javascript.journal import Journal, Notes
from omni.verify.dataflow_javascript.value import UNKNOWN, Entries, Value, number, string, taints_in

TAINTED = Value(None, (Taint("remote", Step("a.js", 1, "req.query")),))
VALUES = st.sampled_from([UNKNOWN, TAINTED, string("a"), string("b"), number(1.0)])
WRITES = st.lists(st.tuples(st.integers(0, 2), st.sampled_from("xyz"), VALUES), max_size=12)
Writes = list[tuple[int, str, Value]]


def written(journal: Journal, places: list[Entries], writes: Writes) -> None:
    for place, key, value in writes:
        journal.write(places[place], key, value)


def contents(places: list[Entries]) -> list[dict[str, Value]]:
    return [dict(place) for place in places]


@given(WRITES, WRITES)
def test_what_is_taken_back_was_never_there_and_can_be_done_again(first: Writes, second: Writes) -> None:
    journal, places = Journal(), [Entries(), Entries(), Entries()]
    written(journal, places, first)
    before = contents(places)
    mark = journal.mark()
    written(journal, places, second)
    after = contents(places)
    change = journal.undo(mark)
    assert contents(places) == before
    journal.merge(change)
    assert contents(places) == after
    journal.undo(0)
    assert contents(places) == [{}, {}, {}]


@given(WRITES, WRITES, WRITES)
def test_of_two_ways_each_leaves_its_data(before: Writes, one: Writes, other: Writes) -> None:
    journal, places = Journal(), [Entries(), Entries(), Entries()]
    written(journal, places, before)
    ways, expected = [], set[tuple[int, str]]()
    for writes in (one, other):
        mark = journal.mark()
        written(journal, places, writes)
        expected |= {(at, key) for at, place in enumerate(places) for key in place if taints_in(place[key])}
        ways.append(journal.undo(mark))
    journal.merge(*ways)
    found = {(at, key) for at, place in enumerate(places) for key in place if taints_in(place[key])}
    assert found == expected


def test_a_note_holds_only_if_every_way_has_it() -> None:
    journal, notes = Journal(), Notes()
    mark = journal.mark()
    journal.write(notes, "Request.query.a", frozenset({"sql", "path"}))
    journal.write(notes, "Request.query.b", frozenset({"sql"}))
    one = journal.undo(mark)
    journal.write(notes, "Request.query.a", frozenset({"path", "xss"}))
    other = journal.undo(mark)
    journal.merge(one, other)
    assert notes == {"Request.query.a": frozenset({"path"})}
