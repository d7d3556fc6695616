"""Names that are close enough to a popular package's to be taken for it.

Measured by the optimal string alignment distance (Damerau 1964, in Boytsov's restricted form: insertions, deletions,
substitutions and swaps of neighbours), and by what a reader does not see: separators, digits that look like letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from omni.verify.analysis.packages import popular

WATCHED = 3000
"""The most popular names, which are worth imitating."""
SHORTEST = 5
"""Shorter names are all close to one another: `pytz` and `pyt`."""

HOMOGLYPHS = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "3": "e"})


def resembles(name: str, registry: str) -> str:
    """The popular package that `name` could be mistaken for; empty when there is none, or when it is popular itself."""
    known = popular(registry)
    if name in known or len(name) < SHORTEST or _is_family(name, known):
        return ""
    folded = _fold(name)
    close = [
        (distance, rank, other)
        for other, rank in known.items()
        if rank <= WATCHED and len(other) >= SHORTEST and (distance := _distance(name, folded, other)) is not None
    ]
    return min(close)[2] if close else ""


def _fold(name: str) -> str:
    return re.sub(r"[-_.]", "", name).translate(HOMOGLYPHS).replace("rn", "m").replace("vv", "w")


def _distance(name: str, folded: str, other: str) -> int | None:
    """0 when they look the same, else the number of slips, if few enough for the length; None when not close."""
    if folded == _fold(other):
        return 0
    allowed = 1 if len(other) < 9 else 2
    if abs(len(name) - len(other)) > allowed or len(set(name) ^ set(other)) > 2 * allowed:
        return None
    slips = alignment(name, other, allowed)
    if slips > allowed or (slips == 2 and name[0] != other[0]):
        return None
    return None if _numbered(name, other) else slips


def _numbered(name: str, other: str) -> bool:
    """`boto` and `boto3`, `pyqt5` and `pyqt6`: versions, not slips."""
    return re.sub(r"\d+", "", name) == re.sub(r"\d+", "", other)


def _is_family(name: str, known: Mapping[str, int]) -> bool:
    """`@scope/x` beside `@scope/y`: who owns the scope owns both. `types-x` beside `x`."""
    scope = name.partition("/")[0]
    return (name.startswith("@") and any(each.startswith(f"{scope}/") for each in known)) or name.startswith("types-")


def alignment(left: str, right: str, most: int) -> int:
    """The optimal string alignment distance; `most + 1` as soon as it is larger than `most`."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            best = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            current.append(best)
        if min(current) > most:
            return most + 1
        before, row = row, current
    return min(row[-1], most + 1)
