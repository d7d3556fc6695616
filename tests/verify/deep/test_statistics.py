"""What is said of synthetic measurements whose truth is known. All of it is seeded: the same every time."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.deep.statistics import LOOKS, RISK, Comparison, _cut, compare, exact

Noise = Callable[[random.Random], float]


def adaptive(truth: float, noise: Noise, seed: int) -> Comparison:
    """As the check does it: look after 10, 16, … pairs until it is decided. Each pair shares a disturbance, too."""
    source = random.Random(seed)
    before: list[float] = []
    after: list[float] = []
    for pairs in LOOKS:
        while len(before) < pairs:
            machine = math.exp(source.gauss(0, 0.2))  # a neighbour that is busy for a while slows both
            before.append(machine * math.exp(noise(source)))
            after.append(machine * truth * math.exp(noise(source)))
        outcome = compare(before, after)
        if outcome.verdict != "undecided":
            break
    return outcome


def usual(source: random.Random) -> float:
    """1 % of spread, and one run in twenty is disturbed."""
    return source.gauss(0, 0.01) + (source.expovariate(5) if source.random() < 0.05 else 0)


def heavy(source: random.Random) -> float:
    """10 % of spread, and one run in five takes up to several times as long."""
    return source.gauss(0, 0.1) + (source.expovariate(1) if source.random() < 0.2 else 0)


def share(verdict: str, truth: float, noise: Noise, trials: int = 150) -> float:
    return sum(adaptive(truth, noise, seed).verdict == verdict for seed in range(trials)) / trials


def test_heavy_noise_alone_does_not_block() -> None:
    assert share("slower", 1.0, heavy) <= RISK


def test_six_percent_is_found_and_four_percent_passes() -> None:
    assert share("slower", 1.06, usual) >= 0.95
    assert share("fine", 1.04, usual) >= 0.95


def test_no_difference_is_soon_fine() -> None:
    found = [adaptive(1.0, usual, seed) for seed in range(50)]
    assert {each.verdict for each in found} == {"fine"}
    assert median(each.pairs for each in found) <= 16


def test_undecided_says_how_many_pairs_it_takes() -> None:
    outcome = adaptive(1.055, heavy, 1)
    assert outcome.verdict == "undecided"
    assert outcome.needed > outcome.pairs == LOOKS[-1]


@pytest.mark.parametrize("number", range(1, 13))
def test_cut_is_exact(number: int) -> None:
    """Against all 2**n signs, counted one by one."""
    risk = 0.05
    sums = sorted(
        sum(rank for rank, sign in enumerate(signs, 1) if sign) for signs in itertools.product((0, 1), repeat=number)
    )
    expected = max((c for c in range(-1, len(sums)) if sum(w <= c for w in sums) <= risk * len(sums)), default=-1)
    assert _cut(number, risk) == expected


def test_the_approximation_joins_the_exact_one() -> None:
    assert _cut(61, 0.01) == pytest.approx(_cut(60, 0.01), rel=0.06)


SECONDS = st.floats(1e-6, 1e3)


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=30), st.floats(1e-3, 1e3))
def test_units_do_not_matter_and_exchange_mirrors(pairs: list[tuple[float, float]], unit: float) -> None:
    before, after = [each[0] for each in pairs], [each[1] for each in pairs]
    outcome, mirrored = compare(before, after), compare(after, before)
    assert outcome.low <= outcome.ratio <= outcome.high
    assert mirrored.ratio == pytest.approx(1 / outcome.ratio)
    assert mirrored.low == pytest.approx(1 / outcome.high if math.isfinite(outcome.high) else 0)
    scaled = compare([each * unit for each in before], [each * unit for each in after])
    assert scaled.ratio == pytest.approx(outcome.ratio)


def test_exact() -> None:
    assert exact(1000, 1051).verdict == "slower"
    assert exact(1000, 1049).verdict == "fine"


@pytest.mark.parametrize(("before", "after"), [([], []), ([1.0], []), ([0.0], [1.0]), ([1.0], [math.inf])])
def test_what_is_no_measurement(before: list[float], after: list[float]) -> None:
    with pytest.raises(ValueError, match=r"must be as many|more than zero"):
        compare(before, after)


def test_words() -> None:
    assert str(compare([1.0] * 12, [1.06] * 12)) == "+6.0 % (between +6.0 % and +6.0 %, 12 pairs)"
    assert str(compare([1.0], [1.06])) == "+6.0 % (between -100.0 % and ?, 1 pairs)"


def _largest(number: int, risk: float) -> int:
    """The cut by the whole distribution of the signed-rank statistic, rank by rank."""
    ways = {0: 1}
    for rank in range(1, number + 1):
        more: dict[int, int] = {}
        for total, count in ways.items():
            for reached in (total, total + rank):
                more[reached] = more.get(reached, 0) + count
        ways = more
    below, cut = 0, -1
    for total in sorted(ways):
        below += ways[total]
        if below > risk * 2**number:
            break
        cut = total
    return cut


@pytest.mark.parametrize(
    ("number", "cut", "exact"), [(60, 545, 545), (61, 562, 566), (80, 1046, 1051), (120, 2580, 2586)]
)
def test_the_cut_is_that_of_the_distribution_or_a_little_more_careful(number: int, cut: int, exact: int) -> None:
    assert (_cut(number, 0.003), _largest(number, 0.003)) == (cut, exact)


def test_few_pairs_bound_nothing_and_say_how_many_would() -> None:
    few = compare([1.0] * 3, [2.0] * 3)
    assert few == Comparison("undecided", 2.0, 0.0, math.inf, 3, LOOKS[0])


def test_what_lies_within_is_decided_and_the_limit_itself_is_not() -> None:
    assert compare([1.0] * 10, [1.06] * 10).verdict == "slower"
    assert compare([1.0] * 10, [1.04] * 10).verdict == "fine"
    assert compare([1.0] * 10, [1.5] * 10, share=0.5).verdict == "undecided"
    assert compare([1.0] * 10, [1.5] * 10, share=0.5).needed == LOOKS[-1] * 100
    assert compare([1.0] * 10, [1.6] * 10).needed == 10


def test_counts_are_compared_as_they_are() -> None:
    assert exact(1000, 1050) == Comparison("fine", 1.05, 1.05, 1.05, 1, 1)
    assert exact(1000, 1200, share=0.2).verdict == "fine"
    assert exact(1000, 1201, share=0.2) == Comparison("slower", 1.201, 1.201, 1.201, 1, 1)
    assert str(exact(1000, 940)) == "-6.0 % (counted)"


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_what_is_no_count(before: float, after: float) -> None:
    with pytest.raises(ValueError, match="counts are more than zero"):
        exact(before, after)
