"""What verification says: findings, coverage of analysis, a result a check, a verdict for the whole.

A check that could not run says `incomplete` or `error` with a reason. Nothing here turns "not looked at" into
"fine": `Report.verdict` is `pass` only if every check that applied passed.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Status(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCOMPLETE = "incomplete"
    """It ran, or should have, but did not see all it should see."""
    ERROR = "error"
    """The tool itself failed."""
    SKIPPED = "skipped"
    """It does not apply here (no such files), or was switched off by name."""


NO_FILES = "there are no such files"
"""Why a check is skipped that does not apply."""

NOT_INSTALLED = "its tool is not installed: "
"""How the reason starts of a check that is skipped since nobody has to have its tool."""


class Finding(Model):
    check: str
    rule: str
    severity: Severity
    path: str
    """Relative to the project, with forward slashes; empty for the project as a whole."""
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    message: str
    why: str = ""
    fix: str = ""
    """What to do, in words or as a command."""
    snippet: str = ""
    """The line, for the fingerprint; secrets are masked before they get here."""
    cwe: str = ""
    breaks: tuple[str, ...] = ()
    """Rules of the chosen profiles that it breaks: `GDPR-001`."""
    fingerprint: str = ""
    suppressed: str = ""
    """Why it does not count: a waiver, a comment with a reason, or that the base has it too. Empty: it counts."""


def fingerprint(rule: str, snippet: str, path: str, ordinal: int) -> str:
    """Stable over moves within a file: rule, white-space-folded snippet, path, and the how-manieth equal one."""
    folded = re.sub(r"\s+", " ", snippet).strip()
    return hashlib.sha256("\0".join((rule, folded, path, str(ordinal))).encode()).hexdigest()[:24]


class Coverage(Model):
    """What was analysed. `seen + skipped + failed` is all that the check's globs matched."""

    seen: int = 0
    skipped: dict[str, str] = Field(default_factory=dict)
    """path → why it was left out"""
    failed: dict[str, str] = Field(default_factory=dict)
    """path → why it could not be read or parsed"""


class CheckResult(Model):
    check: str
    title: str
    tier: Literal[1, 2, 3, 4]
    status: Status
    reason: str = ""
    """Why it is not `pass` or `fail`; empty otherwise."""
    findings: tuple[Finding, ...] = ()
    """Those that count."""
    suppressed: tuple[Finding, ...] = ()
    """Those that do not, each with why."""
    coverage: Coverage = Coverage()
    seconds: float = 0.0
    cached: bool = False
    tool: str = ""
    tool_version: str = ""
    argv: tuple[str, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)
    """Numbers that a gate or the scorecard may read: `coverage.branch`, `tests.passed`, …"""


class Report(Model):
    target: str
    tiers: tuple[int, ...]
    results: tuple[CheckResult, ...]
    seconds: float
    isolation: Literal["full", "reduced", "none"]
    """How foreign code was run: fully isolated, with less, or not at all."""
    baseline: str = ""
    """Commit whose findings were subtracted; empty when all findings count."""
    changed: str = ""
    """Revision since which files had to change to be looked at; empty when all files were."""
    policy: tuple[str, ...] = ()
    """What the project decided about its own verification: profiles that it keeps, gates that ask for less and why."""
    files: Coverage = Coverage()
    """The project's files: seen by at least one check, or not, and why not."""
    holds_until: float = Field(default=0.0, exclude=True)
    """Unix time until which another run would say the same if nothing changes; nobody else is told."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for result in self.results for finding in result.findings)

    @property
    def verdict(self) -> Literal["pass", "fail", "incomplete"]:
        statuses = {result.status for result in self.results}
        if Status.FAIL in statuses:
            return "fail"
        if statuses & {Status.INCOMPLETE, Status.ERROR} or not statuses - {Status.SKIPPED}:
            return "incomplete"
        return "pass"
