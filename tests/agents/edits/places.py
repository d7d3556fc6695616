"""Real edits of Omni's own texts, each known by its place: lines `start` to `end` of a text become others."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.agents.edits.corpus import FOLDER, Block, Case

SOURCES = {path.name: path.read_text("utf-8").split("\n")[:-1] for path in sorted((FOLDER / "sources").glob("*.txt"))}
PYTHON = tuple(name for name in SOURCES if name.endswith(".py.txt"))
WORDS = ("amount", "session", "cursor", "payload", "deadline", "invoice", "channel", "matrix")


@dataclass(frozen=True)
class Place:
    """A real edit: in `lines`, those from `start` to `end` become `new`. `changed`: indexes in old and new."""

    lines: tuple[str, ...]
    start: int
    end: int
    new: tuple[str, ...]
    changed: int
    """Index within the block of the first line that is not the same in both."""

    @property
    def old(self) -> tuple[str, ...]:
        return self.lines[self.start : self.end]

    @property
    def after(self) -> tuple[str, ...]:
        return (*self.lines[: self.start], *self.new, *self.lines[self.end :])


def text(lines: tuple[str, ...], end: str = "\n") -> str:
    return "".join(line + end for line in lines)


def other(rng: random.Random, line: str, taken: frozenset[str]) -> str:
    """The line with one word changed, such that no line of the text is like it."""
    for match in sorted(re.finditer(r"[A-Za-z_]{4,}", line), key=lambda _: rng.random()):
        made = f"{line[: match.start()]}{rng.choice(WORDS)}_{match[0]}{line[match.end() :]}"
        if made.strip() not in taken:
            return made
    raise ValueError(line)


def place(
    rng: random.Random, names: tuple[str, ...] = (), size: int = 0, kind: str = "change", deep: bool = False
) -> Place:
    """A block that is there once, also without regard to white space, and what becomes of it."""
    while True:
        source = SOURCES[rng.choice(names or tuple(SOURCES))]
        height = min(rng.randint(16, 24), len(source))
        top = rng.randint(0, len(source) - height)
        lines = tuple(source[top : top + height])
        count = size or rng.randint(3, 6)
        start = rng.randint(2, len(lines) - count - 2)
        old = lines[start : start + count]
        bare = [line.strip() for line in lines]
        blocks = [bare[at : at + count] for at in range(len(bare))]
        telling = [
            at for at, line in enumerate(old) if re.search(r"[A-Za-z_]{4,}", line) and len(re.findall(r"\w", line)) > 14
        ]
        indents = {len(line) - len(line.lstrip()) for line in old if line.strip()}
        if (
            not telling
            or blocks.count(bare[start : start + count]) != 1
            or not (old[0].strip() and old[-1].strip())
            or (deep and (min(indents) < 4 or len(indents) < 2 or any(each % 4 for each in indents)))
            or any(line != line.rstrip() or "\t" in line or not line.isascii() for line in lines)
        ):
            continue
        at = rng.choice(telling)
        taken = frozenset(bare)
        made = other(rng, old[at], taken)
        if bare.count(old[at].strip()) != 1:
            continue
        if kind == "insert":
            return Place(lines, start, start + count, (*old[: at + 1], made, *old[at + 1 :]), at + 1)
        if kind == "delete":
            return Place(lines, start, start + count, (*old[:at], *old[at + 1 :]), at)
        return Place(lines, start, start + count, (*old[:at], made, *old[at + 1 :]), at)


def applied(
    category: str, spot: Place, old: str, new: str, before: str | None = None, after: str | None = None
) -> Case:
    texts = (text(spot.lines) if before is None else before, text(spot.after) if after is None else after)
    return Case("", category, texts[0], (Block(old, new),), texts[1], ("applied",))


def refused(category: str, spot: Place, old: str, new: str, times: int = 1) -> Case:
    before = text(spot.lines)
    return Case("", category, before, (Block(old, new, times),), before, ("refused",))


Maker = Callable[[random.Random], Case]
