"""A comment on a pull request, in Markdown: the verdict, the findings that count, and how to see the same at home.

What a repository says (paths, messages) stands in code spans alone: there it can be no link, no mention, no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.outputs.summary import VERDICTS, counts, number
from omni.verify.report import CheckResult, Finding, Report, Severity, Status

SHOWN = 10
"""Findings that are named; a comment is read, a list of hundreds is not."""
LONGEST = 200
"""Signs of one text."""
ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
MARK = "<!-- omni verify -->"
"""By which a later run finds the comment that it replaces."""


def write(report: Report) -> str:
    lines = [MARK, f"### Omni: {report.verdict}. {VERDICTS[report.verdict]}", "", counts(report), ""]
    lines += [*_findings(report), *_unanswered(report.results), *_how(report)]
    return "\n".join(lines).rstrip() + "\n"


def _findings(report: Report) -> Iterator[str]:
    """Those that count (with a baseline, the new ones), the grave ones first; then how many were known."""
    found = sorted(report.findings, key=lambda each: (ORDER.index(each.severity), each.path, each.line or 0, each.rule))
    if found:
        yield f"**{'New' if report.baseline else 'Found'}**"
        yield ""
    for finding in found[:SHOWN]:
        yield from _finding(finding)
    if len(found) > SHOWN:
        yield f"- … and {number(len(found) - SHOWN, 'more finding')}"
    if found:
        yield ""
    known = sum(each.suppressed.startswith("already in ") for result in report.results for each in result.suppressed)
    if known:
        yield f"{number(known, 'finding')} of the base stayed."
        yield ""


def _finding(finding: Finding) -> Iterator[str]:
    where = ":".join(str(part) for part in (finding.path or "the project", finding.line) if part)
    rule = _code(f"{finding.check}/{finding.rule}")
    yield f"- **{finding.severity}** {_code(where)} {_code(finding.message)} ({rule})"
    if finding.fix:
        yield f"  - mend: {_code(finding.fix)}"


def _unanswered(results: tuple[CheckResult, ...]) -> Iterator[str]:
    open_ones = [each for each in results if each.status in {Status.INCOMPLETE, Status.ERROR}]
    if open_ones:
        yield "**Not answered**"
        yield ""
        yield from (f"- {_code(each.check)}: {_code(each.reason)}" for each in open_ones[:SHOWN])
        yield ""


def _how(report: Report) -> Iterator[str]:
    options = f" --tier {max(report.tiers)}" if report.tiers else ""
    base = f" --new --base {report.baseline[:12]}" if report.baseline else ""
    yield f"See the same: `omni verify .{options}{base}`"


def _code(text: str) -> str:
    """One line in a code span whose fence is longer than any run of backticks in it."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line else "` `"
