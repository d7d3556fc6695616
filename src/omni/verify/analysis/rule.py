"""One rule of a check: what it is called, how grave it is, why it matters, how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from omni.verify.report import Finding, Severity


@dataclass(frozen=True)
class Rule:
    check: str
    name: str
    severity: Severity
    why: str
    fix: str
    cwe: str = ""

    def at(
        self, path: str, line: int | None, message: str, *, snippet: str = "", fix: str = "", column: int | None = None
    ) -> Finding:
        """A finding of this rule. `fix` says more than the rule can in general."""
        return Finding(
            check=self.check,
            rule=self.name,
            severity=self.severity,
            path=path,
            line=line,
            column=column,
            message=message,
            why=self.why,
            fix=fix or self.fix,
            snippet=snippet.strip()[:200],
            cwe=self.cwe,
        )


LONGEST = 2000
"""Signs. A longer line was made by a program: minified, or data. Without them, expressions stay fast."""


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, from 1; the very long ones are left out."""
    return ((number, line) for number, line in enumerate(text.splitlines(), 1) if len(line) <= LONGEST)


def line_of(text: str, number: int | None) -> str:
    """Line `number` (from 1) of a text; empty when there is none."""
    lines = _lines(text)
    return lines[number - 1].strip() if number is not None and 0 < number <= len(lines) else ""


@lru_cache(maxsize=64)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())


def line_with(text: str, part: str) -> int:
    """The first line that holds `part`, from 1; 1 when none does."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if part in line), 1)
