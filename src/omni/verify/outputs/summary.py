"""What the text and the page both say: counts, and what was not looked at, in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from omni.verify.report import Coverage, Report, Severity, Status

MARKS: Mapping[Status, str] = {
    Status.PASS: "✓",
    Status.FAIL: "✗",
    Status.INCOMPLETE: "?",
    Status.ERROR: "!",
    Status.SKIPPED: "-",
}

VERDICTS: Mapping[str, str] = {
    "pass": "Every check that applies passed.",
    "fail": "There are errors to mend.",
    "incomplete": "Not everything could be looked at, so this is no pass.",
}


def number(count: int, noun: str) -> str:
    """`1 file`, `2 files`"""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def counts(report: Report) -> str:
    """`3 errors, 1 warning; 12 checks passed, 1 failed, 4 skipped`"""
    by_severity = Counter(finding.severity for finding in report.findings)
    by_status = Counter(result.status for result in report.results)
    found = [number(by_severity[severity], severity.value) for severity in Severity if by_severity[severity]]
    words = {Status.PASS: "passed", Status.FAIL: "failed", Status.ERROR: "broke"}
    ran = [f"{by_status[status]} {words.get(status, status.value)}" for status in Status if by_status[status]]
    suppressed = sum(len(result.suppressed) for result in report.results)
    if suppressed:
        found.append(f"{suppressed} suppressed")
    return f"{', '.join(found) or 'no findings'}; checks: {', '.join(ran) or 'none'}"


def not_looked_at(coverage: Coverage) -> list[str]:
    """One line a reason, the most important first: `failed: can't be read (a.py, b.py and 3 more)`."""
    return [*_grouped(coverage.failed, "could not be analysed: "), *_grouped(coverage.skipped, "")]


def _grouped(files: Mapping[str, str], label: str) -> list[str]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for path, why in files.items():
        by_reason[why].append(path)
    ordered = sorted(by_reason.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [f"{number(len(paths), 'path')} {label}{why} ({_some(sorted(paths))})" for why, paths in ordered]


def _some(paths: list[str]) -> str:
    shown = ", ".join(paths[:3])
    return f"{shown} and {len(paths) - 3:,} more" if len(paths) > 3 else shown


def how_it_ran(report: Report) -> str:
    """`tiers 1 and 2 in 4.2 s; code of the project ran in full isolation; only findings new since 1a2b3c4`"""
    tiers = " and ".join(map(str, report.tiers))
    ran = {
        "none": "no code of the project was run",
        "full": "code of the project ran in full isolation",
        "reduced": "code of the project ran in REDUCED isolation",
    }[report.isolation]
    parts = [f"tier{'s' if len(report.tiers) > 1 else ''} {tiers} in {report.seconds:.1f} s", ran]
    if report.changed:
        parts.append(f"only what changed since {report.changed}")
    measured = {name: count for result in report.results for name, count in result.metrics.items()}
    if left_out := int(measured.get("tests.left_out", 0)):
        count = sum(int(measured.get(f"tests.{outcome}", 0)) for outcome in ("passed", "failed", "skipped"))
        parts.append(
            f"{count:,} of {number(count + left_out, 'test')}, since nothing that changed had run in the others"
        )
    if report.baseline:
        parts.append(f"only findings new since {report.baseline[:12]}")
    return "; ".join(parts)
