"""One error type, one catalogue. An error says what happened, where, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line, and the meaning of an error to a caller."""

    PASS = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    NOT_ALLOWED = 4


@dataclass(frozen=True)
class ErrorKind:
    code: str
    title: str
    exit: Exit
    fix: str
    """What to do in general; an error may bring its own."""


CATALOGUE: dict[str, ErrorKind] = {}


def declare(code: str, title: str, exit: Exit, fix: str) -> ErrorKind:  # noqa: A002 - the word of the field
    """Add a kind to the catalogue. Each room declares its own, once, at import."""
    if code in CATALOGUE:
        raise ValueError(f"error code {code} is declared twice")
    kind = CATALOGUE[code] = ErrorKind(code, title, exit, fix)
    return kind


class OmniError(Exception):
    """Anything a person has to know of. Not for bugs: those stay what they are."""

    def __init__(self, kind: ErrorKind, why: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(f"{kind.title}: {why}")
        self.kind = kind
        self.why = why
        self.where = where
        self.fix = fix or kind.fix
