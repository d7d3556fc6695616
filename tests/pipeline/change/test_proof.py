"""What is accepted as a proof, and what is not."""

from __future__ import annotations

import pytest

from omni.pipeline.change.kinds import Kind
from omni.pipeline.change.proof import broken, judge_tests_first, lost, new_errors, not_compared, not_green, why_not_red
from omni.pipeline.change.suite import Ran, Suite
from omni.verify.report import CheckResult, Finding, Report, Severity, Status

GREEN, SKIPPED = Ran(outcome="passed"), Ran(outcome="skipped")
OLD = Suite(tests={"tests/test_a.py::test_old": GREEN, "tests/test_a.py::test_red": Ran(outcome="failed")})


ITSELF, OWN = "it fails in the test itself, not by an assertion", "it fails for a reason of its own"


def red(message: str, details: str = "", **more: str) -> Ran:
    return Ran.model_validate({"outcome": "failed", "broke": "failure", "message": message, "details": details} | more)


@pytest.mark.parametrize(
    ("test", "kind", "why"),
    [
        (red("AssertionError: assert 1 == 2"), "bugfix", ""),
        (red("assert False"), "bugfix", ""),
        (red("Failed: DID NOT RAISE <class 'ValueError'>"), "bugfix", ""),
        (red("KeyError: 'x'", "src/shop/login.py:7: KeyError"), "bugfix", ""),
        (red("KeyError: 'x'", "tests/test_a.py:3: \nsrc/shop/login.py:7: KeyError"), "bugfix", ""),
        (red("KeyError: 'x'", "tests/test_a.py:3: KeyError"), "bugfix", f"{ITSELF}: KeyError: 'x'"),
        (red("ImportError: no", "src/shop/a.py:1: ImportError"), "bugfix", f"{OWN}: ImportError: no"),
        (red("ImportError: no", "tests/test_a.py:1: ImportError"), "feature", ""),
        (red("NameError: name 'x'"), "feature", f"{OWN}: NameError: name 'x'"),
        (red("collection failure", broke="error"), "feature", "it does not run: collection failure"),
        (red("fixture 'client' not found", broke="error"), "bugfix", "it does not run: fixture 'client' not found"),
    ],
)  # fmt: skip
def test_a_red_test_is_red_for_the_right_reason(test: Ran, kind: Kind, why: str) -> None:
    assert why_not_red(test, kind) == why


def judged(
    now: dict[str, Ran], touched: tuple[str, ...] = ("tests/test_a.py",)
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return judge_tests_first(OLD, Suite(tests=OLD.tests | now), touched, "bugfix")


def test_a_new_red_test_is_taken() -> None:
    new = "tests/test_a.py::test_new"
    assert judged({new: red("assert 1 == 2")}) == ((new,), ())


def test_an_old_test_that_asks_for_more_counts_as_new() -> None:
    name = "tests/test_a.py::test_old"
    assert judged({name: red("assert 1 == 2", path="tests/test_a.py")}) == ((name,), ())


def test_an_old_test_of_a_file_that_nobody_touched_proves_nothing() -> None:
    """It may be flaky, or broken by what was written beside it."""
    name = "tests/test_a.py::test_old"
    assert judged({name: red("assert 1 == 2", path="tests/test_a.py")}, ("tests/test_b.py",)) == (
        (),
        (f"{name} passed before and fails now: assert 1 == 2", "no new test was found by the test runner"),
    )


def test_what_shows_nothing_is_sent_back() -> None:
    assert judged({}) == ((), ("no new test was found by the test runner",))
    assert judged({"tests/test_a.py::test_new": GREEN})[1] == (
        "the new tests pass on the present code, so they show nothing: tests/test_a.py::test_new",
    )
    assert judge_tests_first(OLD, Suite(problem="the tests left no report"), (), "bugfix")[1] == (
        "the tests left no report",
    )


def test_the_test_comes_alone() -> None:
    found = judged({"tests/test_a.py::test_new": red("assert 0")}, ("tests/test_a.py", "src/shop/login.py"))
    assert found[1] == ("src/shop/login.py is not a test: the test comes alone, the change after it",)


def test_a_new_test_takes_no_other_away() -> None:
    now = Suite(tests={"tests/test_a.py::test_new": red("assert 0")})
    assert judge_tests_first(OLD, now, ("tests/test_a.py",), "bugfix")[1] == (
        "tests/test_a.py::test_old passed before and is gone",
    )


def test_nothing_that_passed_may_fail_vanish_or_be_skipped() -> None:
    before = Suite(tests=dict.fromkeys(("a", "b", "c", "d"), GREEN) | {"e": red("assert 0")})
    after = Suite(tests={"a": GREEN, "b": red("assert 1 == 2"), "c": SKIPPED})
    assert broken(before, after) == [
        "b passed before and fails now: assert 1 == 2",
        "c passed before and is skipped now",
        "d passed before and is gone",
    ]
    assert not_green(("a", "b", "x"), after) == ["b still fails: assert 1 == 2", "x did not run"]


def test_only_new_findings_at_error_count() -> None:
    def report(*findings: tuple[str, Severity]) -> Report:
        made = tuple(
            Finding(check="c", rule="r", severity=severity, path="a.py", message="m", fingerprint=mark)
            for mark, severity in findings
        )
        result = CheckResult(check="c", title="C", tier=1, status=Status.FAIL, findings=made)
        return Report(target=".", tiers=(1,), results=(result,), seconds=0, isolation="none")

    before = report(("old", Severity.ERROR))
    after = report(("old", Severity.ERROR), ("new", Severity.ERROR), ("hint", Severity.WARNING))
    assert [each.fingerprint for each in new_errors(before, after)] == ["new"]


def test_a_check_that_did_not_see_all_of_it_before_blames_nobody_and_is_named() -> None:
    finding = Finding(check="c", rule="r", severity=Severity.ERROR, path="a.py", message="m", fingerprint="new")
    cut = CheckResult(check="c", title="C", tier=1, status=Status.INCOMPLETE, reason="out of time")
    full = CheckResult(check="c", title="C", tier=1, status=Status.FAIL, findings=(finding,))
    before, after = (
        Report(target=".", tiers=(1,), results=(result,), seconds=0, isolation="none") for result in (cut, full)
    )
    assert new_errors(before, after) == ()
    assert not_compared(before, after) == ("c before: out of time",)


def test_a_check_that_saw_all_of_it_before_and_not_after_leaves_it_open() -> None:
    cut = CheckResult(check="c", title="C", tier=1, status=Status.INCOMPLETE, reason="out of time")
    full = CheckResult(check="c", title="C", tier=1, status=Status.PASS)
    before, after = (
        Report(target=".", tiers=(1,), results=(result,), seconds=0, isolation="none") for result in (full, cut)
    )
    assert lost(before, after) == {"c": "out of time"}
    assert lost(after, before) == lost(after, after) == {}
