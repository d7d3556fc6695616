"""Whether one program is slower than another by more than a given share, from measurements made in turn.

A pair is one run of each, side by side: what disturbs the machine for longer than a run disturbs both. Of each pair
only the logarithm of the ratio counts. The ratio is estimated by the estimator of Hodges and Lehmann (the median of the
means of all pairs of them) with the confidence interval that inverts Wilcoxon's signed-rank test (Hollander, Wolfe,
Chicken: Nonparametric Statistical Methods, 3.1 to 3.3): no normal distribution is assumed, and outliers have little
weight.

It is looked at after each number of pairs in `LOOKS`, and the risk of a false alarm is shared between these looks
(Bonferroni), so that looking often does not find what is not there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist, median
from typing import Literal

LOOKS = (10, 16, 24, 36, 54, 80, 120)
"""Numbers of pairs after which to decide, or to go on."""
RISK = 0.02
"""Of saying "slower" (or "not slower") of what is not, over all looks."""

Verdict = Literal["slower", "fine", "undecided"]


@dataclass(frozen=True)
class Comparison:
    verdict: Verdict
    ratio: float
    """Time now by time then: 1.06 is 6 % slower."""
    low: float
    high: float
    """The confidence interval of the ratio."""
    pairs: int
    needed: int
    """Pairs that would probably decide it; no fewer than there are."""

    def __str__(self) -> str:
        if self.low == self.high and self.pairs == 1:
            return f"{_percent(self.ratio)} (counted)"
        return f"{_percent(self.ratio)} (between {_percent(self.low)} and {_percent(self.high)}, {self.pairs} pairs)"


def compare(before: Sequence[float], after: Sequence[float], share: float = 0.05) -> Comparison:
    """`before[i]` and `after[i]` are the seconds of one pair; more than zero, and as many of each.

    Slower: the whole interval lies above 1 + `share`; fine: below. Raises ValueError for anything else.
    """
    if len(before) != len(after) or not before:
        raise ValueError("there must be as many measurements before as after, and one at least")
    if min(*before, *after) <= 0 or not all(map(math.isfinite, (*before, *after))):
        raise ValueError("seconds are more than zero")
    logs = [math.log(now / then) for then, now in zip(before, after, strict=True)]
    means = sorted((logs[i] + logs[j]) / 2 for i in range(len(logs)) for j in range(i, len(logs)))
    cut = _cut(len(logs), RISK / len(LOOKS))
    low, high = (means[cut], means[-1 - cut]) if 0 <= cut < len(means) / 2 else (-math.inf, math.inf)
    middle, limit = median(means), math.log1p(share)
    verdict: Verdict = "slower" if low > limit else "fine" if high < limit else "undecided"
    needed = _needed(len(logs), (high - low) / 2, abs(middle - limit))
    return Comparison(verdict, math.exp(middle), math.exp(low), math.exp(high), len(logs), needed)


def exact(before: float, after: float, share: float = 0.05) -> Comparison:
    """Of what has no noise, such as a number of instructions."""
    if before <= 0 or after <= 0:
        raise ValueError("counts are more than zero")
    ratio = after / before
    return Comparison("slower" if ratio > 1 + share else "fine", ratio, ratio, ratio, 1, 1)


@lru_cache(maxsize=512)
def _cut(number: int, risk: float) -> int:
    """How many of the sorted means to leave out at each end, for a one-sided `risk` at each; -1: no interval is sure.

    The largest c with P(W < c + 1) ≤ risk, where W is the signed-rank statistic of `number` differences: counted
    exactly to 60, then by its normal approximation.
    """
    if number > 60:
        spread = math.sqrt(number * (number + 1) * (2 * number + 1) / 24)
        return int(number * (number + 1) / 4 + NormalDist().inv_cdf(risk) * spread - 0.5)
    ways = [1] + [0] * (number * (number + 1) // 2)
    for rank in range(1, number + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    allowed, below, cut = risk * 2**number, 0, -1
    for total, count in enumerate(ways):
        below += count
        if below > allowed:
            break
        cut = total
    return cut


def _needed(pairs: int, half_width: float, distance: float) -> int:
    """The half width of the interval falls with the root of the number of pairs, and has to be below the distance."""
    if not math.isfinite(half_width):
        return LOOKS[0]
    if distance <= 0:
        return LOOKS[-1] * 100
    return min(max(pairs, math.ceil(pairs * (half_width / distance) ** 2)), LOOKS[-1] * 100)


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %" if math.isfinite(ratio) else "?"
