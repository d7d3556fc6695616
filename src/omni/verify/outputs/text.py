"""For a person at a terminal: findings by file with why and how to mend, what was looked at, the verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from omni.verify.outputs.summary import MARKS, VERDICTS, counts, how_it_ran, not_looked_at, number
from omni.verify.report import NO_FILES, NOT_INSTALLED, CheckResult, Finding, Report, Status

SHOWN = 20
"""Findings of one rule; the rest are counted."""

RED, GREEN, YELLOW, CYAN, DIM, BOLD = "31", "32", "33", "36", "2", "1"
COLORS = {
    "error": RED,
    "fail": RED,
    "incomplete": YELLOW,
    "note": CYAN,
    "pass": GREEN,
    "path": BOLD,
    "skipped": DIM,
    "warning": YELLOW,
}

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a hostile file name or message could steer the terminal with."""


def write(report: Report, *, color: bool = False) -> str:
    paint = painted if color else plain
    lines = [*findings(report, paint), *_checks(report, paint), *_coverage(report), *_verdict(report, paint)]
    return "\n".join(lines) + "\n"


def findings(report: Report, paint: _Paint) -> Iterator[str]:
    """A block a file, with an empty line after it."""
    ordered = sorted(report.findings, key=lambda each: (each.path, each.line or 0, each.column or 0, each.check))
    shown: Counter[str] = Counter()
    for path, group in groupby(ordered, lambda finding: finding.path):
        block = [line for finding in group for line in _finding(finding, shown, paint)]
        if block:
            yield from (paint(safe(path) or "(the project)", "path"), *block, "")
    for rule, total in sorted(Counter(f"{each.check}/{each.rule}" for each in ordered).items()):
        if total > SHOWN:
            yield f"… and {number(total - SHOWN, 'more finding')} of {safe(rule)} (--format json has all)"
            yield ""


def _finding(finding: Finding, shown: Counter[str], paint: _Paint) -> Iterator[str]:
    """Its lines; why and what to do are said once, where they are first needed."""
    rule = f"{finding.check}/{finding.rule}"
    shown[rule] += 1
    if shown[rule] > SHOWN:
        return
    where = ":".join(str(part) for part in (finding.line, finding.column) if part)
    first, *rest = safe(finding.message).splitlines() or [""]
    broken = ", ".join(name for name in finding.breaks if name != finding.rule)
    first += f" ({broken})" if broken else ""
    yield f"  {where:>7}  {paint(finding.severity, finding.severity)}  {safe(rule)}  {first}"
    yield from (f"           {line}" for line in rest)
    about = " ".join(filter(None, (finding.why, f"({finding.cwe})" if finding.cwe else "")))
    for name, text in (("why", about), ("fix", finding.fix)):
        shown[f"{name} {text}"] += 1
        if text and shown[f"{name} {text}"] == 1:
            yield f"           {name}  {safe(text)}"


def _checks(report: Report, paint: _Paint) -> Iterator[str]:
    width = max((len(result.check) for result in report.results), default=0)
    for tier, results in groupby(report.results, lambda result: result.tier):
        yield f"Tier {tier}"
        yield from (_check(result, width, paint) for result in results if not _alike(result))
    without = ", ".join(result.check for result in report.results if result.reason == NO_FILES)
    if without:
        yield f"Skipped, since {NO_FILES}: {without}"
    absent = ", ".join(result.check for result in report.results if _absent(result))
    if absent:
        yield f"Skipped, since their tools are not installed (omni tools list says how to get them): {absent}"
    yield ""


def _alike(result: CheckResult) -> bool:
    """Many have the same reason, and share one line."""
    return result.reason == NO_FILES or _absent(result)


def _absent(result: CheckResult) -> bool:
    return result.status is Status.SKIPPED and result.reason.startswith(NOT_INSTALLED)


def _check(result: CheckResult, width: int, paint: _Paint) -> str:
    about = result.reason if result.status is not Status.PASS else ""
    if result.status in {Status.PASS, Status.FAIL}:
        found = number(len(result.findings), "finding") if result.findings else ""
        when = "cached" if result.cached else f"{result.seconds:.2f} s"
        about = "; ".join(filter(None, (found, number(result.coverage.seen, "file"), when, about)))
    label = f"{MARKS[result.status]} {result.status:<10} {result.check:<{width}}"
    return f"  {paint(label, result.status)}  {safe(about)}".rstrip()


def _coverage(report: Report) -> Iterator[str]:
    if report.policy:
        yield from ("The project's own policy:", *(f"  {safe(line)}" for line in report.policy), "")
    yield f"Looked at {number(report.files.seen, 'file')}."
    missing = not_looked_at(report.files)
    if missing:
        yield "Not looked at:"
        yield from (f"  {safe(line)}" for line in missing)
    yield ""


def _verdict(report: Report, paint: _Paint) -> Iterator[str]:
    yield from (counts(report), how_it_ran(report))
    yield f"{paint(report.verdict.upper(), report.verdict)}: {VERDICTS[report.verdict]}"


def safe(text: str) -> str:
    """Without what could steer a terminal."""
    return CONTROL.sub("\ufffd", text)


class _Paint:
    """A text in the colour of a word."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, kind: str) -> str:
        return f"\x1b[{COLORS[kind]}m{text}\x1b[0m" if self.color and kind in COLORS else str(text)


plain, painted = _Paint(False), _Paint(True)
