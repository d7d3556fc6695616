from __future__ import annotations

import re

import pytest

from omni.sandbox.job import JobResult
from omni.verify.analysis.exit_codes import passed, telling

LACKING, FAILING = re.compile("ENOTFOUND"), re.compile("FAIL")


def ended(exit_code: int | None, stdout: str = "", stderr: str = "") -> JobResult:
    how = "timeout" if exit_code is None else "exited"
    return JobResult(exit_code, how, stdout, stderr, truncated=False, seconds=0.0, isolation="full")


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (ended(0, "FAIL is a word"), True),
        (ended(1, "FAIL a"), False),
        (ended(1, stderr="FAIL a"), False),
        (ended(1, "FAIL a", "ENOTFOUND"), None),
        (ended(127, "no such program"), None),
        (ended(None, "FAIL a"), None),
    ],
)
def test_whether_tests_passed(result: JobResult, expected: bool | None) -> None:
    assert passed(result, LACKING, FAILING) is expected


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (ended(1, "1 error\n\x1b[31mFAIL a\x1b[0m\n", "at b"), "FAIL a"),
        (ended(1, "a\n 1 error\nb"), "1 error"),
        (ended(1, "a\nb\n\n", "c\nd"), "b / c / d"),
        (ended(1), "it said nothing"),
        (ended(1, "FAIL" * 100), ("FAIL" * 100)[:300]),
    ],
)
def test_the_line_that_says_what_went_wrong(result: JobResult, line: str) -> None:
    assert telling(result, (FAILING, re.compile("error"))) == line
