from __future__ import annotations

from omni.review.scorecard import Evidence, score
from omni.verify.report import CheckResult, Coverage, Finding, Report, Severity, Status


def test_a_project_without_tests_is_not_testable() -> None:
    missing = Finding(
        check="tests", rule="missing-tests", severity=Severity.ERROR, path="app.py", line=1, message="there is no test"
    )
    results = (
        CheckResult(
            check="tests", title="The tests pass", tier=2, status=Status.FAIL, findings=(missing,),
            coverage=Coverage(seen=1), metrics={"coverage.branch": 0},
        ),
        CheckResult(check="assertions", title="Every test asserts something", tier=1, status=Status.SKIPPED),
        CheckResult(
            check="imports", title="Imports are declared", tier=1, status=Status.PASS, coverage=Coverage(seen=2)
        ),
    )  # fmt: skip
    card = score((Report(target=".", tiers=(1, 2), results=results, seconds=0, isolation="none"),), {})
    assert {each.dimension: each.score for each in card.scores if each.score is not None} == {
        "correctness": 7.0,
        "testability": 0.0,
    }
    assert card.scores[0].evidence == (
        Evidence(
            source="tests",
            says="“The tests pass”: 1 finding speaks against it, in 1 file",
            findings=("app.py:1 missing-tests",),
        ),
        Evidence(source="imports", says="“Imports are declared”: nothing speaks against it, in 2 files"),
    )
