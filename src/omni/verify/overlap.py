"""One fault is one finding: where two checks speak of the same weakness in the same line, one of them counts.

The graver finding stays; of two that are as grave, the one that shows the way the data takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from omni.verify.examine import judge
from omni.verify.report import CheckResult, Finding, Severity, Status

FIRST = frozenset({"dataflow", "dataflow-javascript"})
"""The checks that say most about a weakness."""
SAME = (
    ("CWE-77", "CWE-78", "CWE-88"),
    ("CWE-94", "CWE-95"),
    ("CWE-326", "CWE-327", "CWE-328"),
    ("CWE-330", "CWE-338"),
    ("CWE-91", "CWE-643"),
    ("CWE-94", "CWE-1336"),
    ("CWE-614", "CWE-1004"),
)
"""Numbers that checks give for the same weakness."""
GRAVITY = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.NOTE: 0}


def said_once(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The results, with what another check says better among the suppressed."""
    results = tuple(results)
    places: dict[tuple[str, int | None], list[Finding]] = defaultdict(list)
    for finding in (finding for result in results for finding in result.findings if finding.cwe):
        places[finding.path, finding.line].append(finding)
    by_place = {place: said for place, said in places.items() if any(each.check in FIRST for each in said)}
    return tuple(_without(result, by_place) for result in results) if by_place else results


def _without(result: CheckResult, by_place: dict[tuple[str, int | None], list[Finding]]) -> CheckResult:
    counting: list[Finding] = []
    repeated: list[Finding] = []
    for finding in result.findings:
        better = next((each for each in by_place.get((finding.path, finding.line), ()) if _better(each, finding)), None)
        if better is None:
            counting.append(finding)
        else:
            why = f"{better.check}/{better.rule} says so of the same line"
            repeated.append(finding.model_copy(update={"suppressed": why}))
    if not repeated:
        return result
    status, reason = result.status, result.reason
    if status is Status.FAIL:
        status, reason = judge(counting, (), result.coverage)
    update = {
        "findings": tuple(counting),
        "suppressed": (*result.suppressed, *repeated),
        "status": status,
        "reason": reason,
    }
    return result.model_copy(update=update)


def _better(one: Finding, other: Finding) -> bool:
    """Whether the first says what the second says, and should say it."""
    if one.check == other.check or not FIRST & {one.check, other.check} or not _same(one.cwe, other.cwe):
        return False
    if GRAVITY[one.severity] != GRAVITY[other.severity]:
        return GRAVITY[one.severity] > GRAVITY[other.severity]
    return one.check in FIRST


def _same(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in SAME)
