"""A part of the mutants, where all of them take too long; and what it says of all."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from omni.verify.mutation.mutants import Mutant


def draw(made: Sequence[Mutant], size: int, seed: int) -> Sequence[Mutant]:
    """Each with the same chance, in the order in which they were; size 0: all."""
    if not 0 < size < len(made):
        return made
    return [made[place] for place in sorted(random.Random(seed).sample(range(len(made)), size))]  # noqa: S311 - no secret


def estimate(noticed: int, tried: int, of: int) -> str:
    """What the sample says, for people."""
    low, high = bounds(noticed, tried)
    return (
        f"only a sample of {tried} of {of} mutants was tried: {noticed} were noticed, {100 * noticed / tried:.1f} %; "
        f"of all of them {100 * low:.1f} to {100 * high:.1f} %, with a confidence of 95 %"
    )


def bounds(noticed: int, tried: int) -> tuple[float, float]:
    """Between which the share of all lies, with a confidence of 95 % (Wilson 1927, doi:10.2307/2276774)."""
    z = 1.959964
    share, scale = noticed / tried, 1 + z * z / tried
    middle = (share + z * z / (2 * tried)) / scale
    half = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried)) / scale
    return middle - half, middle + half
