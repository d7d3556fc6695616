"""Findings that do not count: someone said why, at the place or in the project's configuration.

At the place: a comment on the finding's line, or on a line of its own above it, `omni: allow RULE because REASON`.
RULE is a check, a rule, or `check/rule`. In `omni.toml`: a waiver with who, because and until. Without a reason, or
after the day, nothing is suppressed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from omni.verify.config import Waiver
from omni.verify.files import matches
from omni.verify.report import Finding

MARK = b"omni: allow "
"""What a file with such a comment contains."""

COMMENT = re.compile(
    r"(?P<before>.*?)(?:#|//|--|/\*|<!--|;|%)\s*omni: allow (?P<rule>[\w.@/-]+)(?:\s+because\s+(?P<reason>\S.*?))?"
    r"\s*(?:\*/|-->)?\s*$"
)


@dataclass(frozen=True)
class Allowance:
    line: int
    """The line that it speaks of, not the one that it stands on."""
    stands_on: int
    rule: str
    reason: str
    """Empty: it allows nothing."""


def allowances(text: str) -> Iterator[Allowance]:
    """Every comment of that kind."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := COMMENT.match(line):
            alone = not found["before"].strip()
            yield Allowance(number + alone, number, found["rule"], (found["reason"] or "").strip())


def why_suppressed(finding: Finding, allowed: Sequence[Allowance], waivers: Iterable[Waiver], today: date) -> str:
    """Why the finding does not count; empty when it does. A waiver that is over can't be waived."""
    if finding.check == "waivers":
        return ""
    for allowance in allowed:
        if (
            allowance.reason
            and finding.line in {allowance.line, allowance.stands_on}
            and _names(allowance.rule, finding)
        ):
            return f"allowed in place: {allowance.reason}"
    for waiver in waivers:
        if today <= waiver.until and _names(waiver.rule, finding) and matches(finding.path, (waiver.path,)):
            return f"waived by {waiver.who} until {waiver.until}: {waiver.because}"
    return ""


def _names(rule: str, finding: Finding) -> bool:
    return rule in {finding.check, finding.rule, f"{finding.check}/{finding.rule}"}
