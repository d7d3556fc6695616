"""What a base commit had already does not count; what it could not say is said."""

from __future__ import annotations

import pytest

from omni.verify.baseline import _against
from omni.verify.report import CheckResult, Coverage, Finding, Severity, Status

COMMIT = "0123456789abcdef"


def finding(mark: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(check="own", rule="r", severity=severity, path="", message=mark, fingerprint=mark)


def result(status: Status, *findings: Finding, reason: str = "") -> CheckResult:
    return CheckResult(
        check="own", title="own", tier=1, status=status, reason=reason, findings=findings, coverage=Coverage()
    )


OLD, NEW, HINT = finding("old"), finding("new"), finding("hint", Severity.WARNING)


@pytest.mark.parametrize(
    ("now", "before", "status", "reason", "left"),
    [
        (result(Status.FAIL, OLD, NEW), result(Status.FAIL, OLD), Status.FAIL, "", ["new"]),
        (result(Status.FAIL, OLD), result(Status.FAIL, OLD), Status.PASS, "", []),
        (result(Status.FAIL, OLD, HINT), result(Status.FAIL, OLD), Status.PASS, "", ["hint"]),
        (result(Status.FAIL, OLD, reason="half"), result(Status.FAIL, OLD), Status.INCOMPLETE, "half", []),
        (result(Status.INCOMPLETE, HINT, reason="half"), result(Status.PASS), Status.INCOMPLETE, "half", ["hint"]),
        (
            result(Status.FAIL, NEW, reason="half"),
            result(Status.ERROR, reason="it crashed"),
            Status.FAIL,
            "half; the base could not be compared in full: it crashed",
            ["new"],
        ),
        (
            result(Status.FAIL, NEW),
            result(Status.INCOMPLETE, reason="no tool"),
            Status.FAIL,
            "the base could not be compared in full: no tool",
            ["new"],
        ),
        (result(Status.FAIL, OLD), result(Status.INCOMPLETE, OLD, reason="no tool"), Status.PASS, "", []),
    ],
)
def test_only_what_is_new_counts(
    now: CheckResult, before: CheckResult, status: Status, reason: str, left: list[str]
) -> None:
    judged = _against(now, before, COMMIT)
    assert (judged.status, judged.reason, [each.message for each in judged.findings]) == (status, reason, left)
    gone = [each.message for each in now.findings if each.message not in left]
    assert [(each.message, each.suppressed) for each in judged.suppressed] == [
        (each, "already in 0123456789ab") for each in gone
    ]


def test_a_check_that_did_not_look_at_the_base_counts_whole() -> None:
    now = result(Status.FAIL, OLD)
    assert _against(now, None, COMMIT) is now
