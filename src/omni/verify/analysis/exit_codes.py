"""What a command says that runs tests and leaves no report: whether they passed, and why they did not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from omni.sandbox.job import JobResult
from omni.verify.analysis.javascript_reports import plain


def passed(result: JobResult, lacking: re.Pattern[str], failing: re.Pattern[str]) -> bool | None:
    """Whether the tests passed; None where they were not run to their end.

    `lacking` is what a command prints that lacks something that only a network could bring, and `failing` what it
    prints when a test, or the code, fails: one that ends badly without it did not get that far.
    """
    if result.exit_code == 0:
        return True
    said = f"{result.stdout}\n{result.stderr}"
    if result.exit_code is None or lacking.search(said) or not failing.search(said):
        return None
    return False


def telling(result: JobResult, marks: Iterable[re.Pattern[str]]) -> str:
    """The line that says what went wrong, or else the last ones. `marks` are found in such lines, the surest first."""
    lines = [line.strip() for line in plain(f"{result.stdout}\n{result.stderr}").splitlines() if line.strip()]
    wrong = next((line for mark in marks for line in lines if mark.search(line)), "")
    return (wrong or " / ".join(lines[-3:]) or "it said nothing")[:300]
