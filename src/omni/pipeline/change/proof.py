"""What has to be true of a change, judged from what the tests said before, in between and after. Nothing runs here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from omni.pipeline.change.kinds import Kind
from omni.pipeline.change.suite import Ran, Suite
from omni.verify.analysis.places import TEST_FILE
from omni.verify.report import Finding, Report, Severity, Status

ASSERTION = re.compile(r"^(AssertionError|assert\b|Failed: )|DID NOT (RAISE|WARN)")
NOT_THERE = re.compile(r"^(ImportError|ModuleNotFoundError|NameError|SyntaxError|IndentationError|fixture )")
"""A test that says this is wrong itself, or asks for something that is not there under that name."""
NOT_SEEN = frozenset({Status.INCOMPLETE, Status.ERROR})
FRAME = re.compile(r"^(\S+\.py):(\d+): (\w+)", re.MULTILINE)
"""How pytest ends each frame of a trace: where, and in the last one which error."""


def is_test_file(path: str) -> bool:
    return bool(TEST_FILE.search(path)) or bool(re.search(r"(^|/)(tests?|testing)/", path))


def why_not_red(test: Ran, kind: Kind) -> str:
    """Why the failure of a new test shows nothing about the product; empty when it does.

    It shows a bug when what it asserts is not so, or when the product itself breaks. A feature's test may also fail
    since what it asks for is not there yet.
    """
    if test.broke == "error":
        return f"it does not run: {test.message}"
    if ASSERTION.search(test.message):
        return ""
    if kind == "feature" and re.match(r"(ImportError|ModuleNotFoundError|AttributeError|TypeError)", test.message):
        return ""
    if NOT_THERE.search(test.message):
        return f"it fails for a reason of its own: {test.message}"
    frames = FRAME.findall(test.details)
    if frames and not is_test_file(frames[-1][0]):
        return ""  # the product raised it
    return f"it fails in the test itself, not by an assertion: {test.message}"


def judge_tests_first(
    before: Suite, now: Suite, touched: Collection[str], kind: Kind
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the new tests that are red for the right reason, what is wrong with them)."""
    alone = "is not a test: the test comes alone, the change after it"
    reasons = [f"{path} {alone}" for path in touched if not is_test_file(path)]
    if now.problem:
        return (), (*reasons, now.problem)
    reasons += broken(before, now)
    new = {name: test for name, test in now.tests.items() if name not in before.tests}
    # A test that was there and is red now was made to ask for more, if it stands in a file that was touched.
    turned = {name: now.tests[name] for name in before.named("passed") & now.named("failed")}
    new |= {name: test for name, test in turned.items() if test.path in touched}
    reasons = [reason for reason in reasons if not any(reason.startswith(f"{name} ") for name in new)]
    failing = {name: test for name, test in new.items() if test.outcome == "failed"}
    wrong = {name: why for name, test in failing.items() if (why := why_not_red(test, kind))}
    reasons += [f"{name}: {why}" for name, why in sorted(wrong.items())]
    if not new:
        reasons.append("no new test was found by the test runner")
    elif not failing:
        reasons.append(f"the new tests pass on the present code, so they show nothing: {', '.join(sorted(new)[:5])}")
    return tuple(sorted(failing.keys() - wrong.keys())), tuple(reasons)


def broken(before: Suite, after: Suite) -> list[str]:
    """Tests that passed and do not any more, the vanished ones too."""
    found = []
    for name in sorted(before.named("passed")):
        test = after.tests.get(name)
        if test is None:
            found.append(f"{name} passed before and is gone")
        elif test.outcome == "failed":
            found.append(f"{name} passed before and fails now: {test.message}")
        elif test.outcome == "skipped":
            found.append(f"{name} passed before and is skipped now")
    return found


def not_green(red: Iterable[str], after: Suite) -> list[str]:
    """The new tests that the change was to make pass, and did not."""
    return [
        f"{name} still fails: {after.tests[name].message}" if name in after.tests else f"{name} did not run"
        for name in red
        if name not in after.named("passed")
    ]


def new_errors(before: Report, after: Report) -> tuple[Finding, ...]:
    """Findings at severity error that the code had not before, by fingerprint; of checks that saw all of it before."""
    known = {finding.fingerprint for finding in before.findings}
    return tuple(
        finding
        for result in after.results
        if result.check not in {each.check for each in before.results if each.status in NOT_SEEN}
        for finding in result.findings
        if finding.severity is Severity.ERROR and finding.fingerprint not in known
    )


def lost(before: Report, after: Report) -> dict[str, str]:
    """Checks that saw everything before and did not afterwards → why: of them it is not known that nothing is worse."""
    saw = {result.check for result in before.results if result.status not in NOT_SEEN}
    return {each.check: each.reason for each in after.results if each.check in saw and each.status in NOT_SEEN}


def not_compared(before: Report, after: Report) -> tuple[str, ...]:
    """Checks that could not look at everything, before or after, each with why."""
    return tuple(
        f"{result.check} {when}: {result.reason}"
        for when, report in (("before", before), ("after", after))
        for result in report.results
        if result.status in NOT_SEEN
    )
