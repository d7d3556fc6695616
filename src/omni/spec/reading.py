"""Reading one phrase: which of its words are understood, by what, and what is left."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from omni.spec.asked import PartStatus
from omni.spec.draft import unique
from omni.spec.grammar import grammar
from omni.spec.text import Phrase, Token


@dataclass
class Context:
    """What the phrases before have set, so that a list can go on."""

    mode: str = ""
    """`fields`: things of `entity` are listed; `actions`: what `role` does; `features`: abilities of the app."""
    entity: str = ""
    role: str = ""
    only: bool = False
    """Nobody else may."""
    denied: bool = False
    """The role may not."""
    listing: bool = False
    """The phrase before this one is a field of a list."""
    before: str = ""
    """The phrase before this one."""
    acts: tuple[str, ...] = ()
    """The operations that were named last."""
    named: str = ""
    """The role that the phrase before this one named."""
    ahead: tuple[Phrase, ...] = ()
    """The phrases of this sentence that are still to come."""


@dataclass
class Reading:
    phrase: Phrase
    part: str
    context: Context
    claimed: set[int] = field(default_factory=set)
    refs: list[str] = field(default_factory=list)
    status: PartStatus | None = None
    note: str = ""

    def __post_init__(self) -> None:
        self.lower = self.phrase.text.lower().replace("\u2019", "'")

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.part,)

    def match(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        return re.search(pattern, self.lower)

    def claim(self, match: re.Match[str], group: int | str = 0) -> None:
        """Take the words under a match of `lower` as understood."""
        self.claim_span(match.start(group), match.end(group))

    def claim_span(self, start: int, end: int) -> None:
        start, end = start + self.phrase.start, end + self.phrase.start
        self.claimed |= {i for i, t in enumerate(self.phrase.tokens) if t.start < end and t.end > start}

    def claim_words(self, known: frozenset[str]) -> None:
        self.claimed |= {i for i, t in enumerate(self.phrase.tokens) if t.text in known}

    def refer(self, *refs: str) -> None:
        self.refs = list(unique([*self.refs, *refs]))

    def refuse(self, note: str) -> None:
        self.status, self.note = PartStatus.NOT_DELIVERED, note

    def rest(self) -> list[Token]:
        """Words that say something and are not understood yet."""
        stop = grammar().stop
        return [t for i, t in enumerate(self.phrase.tokens) if i not in self.claimed and t.text not in stop]

    def free(self, start: int, end: int) -> str:
        """The unclaimed words between two offsets of `lower`, joined."""
        start, end = start + self.phrase.start, end + self.phrase.start
        tokens = enumerate(self.phrase.tokens)
        return " ".join(t.text for i, t in tokens if t.start >= start and t.end <= end and i not in self.claimed)

    @property
    def done(self) -> bool:
        return self.status is not None or not self.rest()
