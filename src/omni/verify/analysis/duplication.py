"""The same lines in two places: by the hashes of runs of lines, white space and comments aside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

TRIVIAL = re.compile(r"^(import |from .* import |[\])}>,;:]*$|\"\"\"|'''|#|//|/\*|\*)")


@dataclass(frozen=True)
class Copy:
    path: str
    line: int
    of_path: str
    of_line: int
    lines: int
    """That are equal, not counting trivial ones."""


def copies(texts: Mapping[str, str], least: int) -> Iterator[Copy]:
    """Runs of at least `least` equal lines; each run once, at its second place."""
    first: dict[tuple[str, ...], tuple[str, int]] = {}
    numbered = {path: list(_lines(text)) for path, text in sorted(texts.items())}
    for path, lines in numbered.items():
        at = 0
        while at + least <= len(lines):
            run = tuple(text for _, text in lines[at : at + least])
            where = first.setdefault(run, (path, at))
            if where == (path, at) or (where[0] == path and at < where[1] + least):
                at += 1
                continue
            length = _length(numbered[where[0]][where[1] :], lines[at:])
            yield Copy(path, lines[at][0], where[0], numbered[where[0]][where[1]][0], length)
            at += length


def _length(one: Iterable[tuple[int, str]], other: Iterable[tuple[int, str]]) -> int:
    count = 0
    for (_, first), (_, second) in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        folded = " ".join(line.split())
        if folded and not TRIVIAL.match(folded):
            yield number, folded
