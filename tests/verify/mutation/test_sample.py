from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.mutation.mutants import mutants
from omni.verify.mutation.sample import bounds, draw, estimate

MADE = mutants("a.py", "\n".join(f"a = {number}" for number in range(100)))


def test_a_sample_is_in_order_without_doubles_and_the_seed_decides() -> None:
    drawn = draw(MADE, 30, 1)
    assert len(set(drawn)) == 30
    assert list(drawn) == sorted(drawn, key=MADE.index)
    assert draw(MADE, 30, 1) == drawn
    assert draw(MADE, 30, 2) != drawn


@pytest.mark.parametrize("size", [0, 100, 101])
def test_all_are_drawn_when_no_fewer_are_asked_for(size: int) -> None:
    assert draw(MADE, size, 1) == MADE


def test_one_less_than_all_is_a_sample() -> None:
    assert len(draw(MADE, 99, 1)) == 99


@pytest.mark.parametrize(
    ("noticed", "tried", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_bounds_are_those_of_the_literature(noticed: int, tried: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    found = bounds(noticed, tried)
    assert (round(found[0], 4), round(found[1], 4)) == (low, high)


@given(st.integers(1, 10_000), st.data())
def test_the_share_that_was_seen_lies_between_its_bounds(tried: int, data: st.DataObject) -> None:
    noticed = data.draw(st.integers(0, tried))
    low, high = bounds(noticed, tried)
    assert low - 1e-9 <= noticed / tried <= high + 1e-9
    assert -1e-9 <= low < high <= 1 + 1e-9


def test_what_is_said_of_all() -> None:
    assert estimate(120, 150, 20000) == (
        "only a sample of 150 of 20000 mutants was tried: 120 were noticed, 80.0 %; "
        "of all of them 72.9 to 85.6 %, with a confidence of 95 %"
    )
