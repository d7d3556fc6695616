"""What javac and checkstyle print is understood, in each case that their recorded outputs don't hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.verify.played import said

from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

FILES = {"a/A.java": "class A {\n}\n"}
SYNTAX = (
    "';' expected",
    "illegal start of type",
    "class, interface, enum, or record expected",
    "reached end of file while parsing",
    "unclosed string literal",
    "not a statement",
)
ABSENT = (
    "package org.missing does not exist",
    "cannot access Thing",
    "module not found: a.b",
    "too many module declarations found",
)


@pytest.mark.parametrize("stream", [1, 2])
def test_errors_and_warnings(replay: Replay, stream: int) -> None:
    told = (
        "a/A.java:1: warning: [serial] no version\n    class A {\n    ^\n"
        "a/A.java:2: error: cannot find symbol\nNote: some input files\nwarning: nowhere\n2 errors\n"
    )
    result = replay("javac", FILES, told, 1, stream)
    assert said(result) == [
        "warning serial a/A.java:1 no version",
        "error compile a/A.java:2 cannot find symbol",
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")


@pytest.mark.parametrize("absent", ABSENT)
def test_after_a_missing_package_only_syntax_counts(replay: Replay, absent: str) -> None:
    errors = (absent, "cannot find symbol", *SYNTAX)
    told = "".join(f"a/A.java:2: error: {each}\n" for each in errors) + "a/A.java:1: warning: [cast] odd\n"
    result = replay("javac", FILES, told, 1)
    assert said(result) == [
        "warning cast a/A.java:1 odd",
        *(f"error syntax a/A.java:2 {each}" for each in sorted(SYNTAX)),
    ]
    assert result.reason == f"its packages are not here, so their use was not checked: {absent}"


def test_one_missing_package_is_named(replay: Replay) -> None:
    told = "a/A.java:1: error: package b does not exist\na/A.java:2: error: package a does not exist\n"
    assert replay("javac", FILES, told, 1).reason.endswith("checked: package a does not exist")


@pytest.mark.parametrize("stream", [1, 2])
def test_checkstyle(replay: Replay, stream: int) -> None:
    """It is run where the project configures it, and without a report it has failed."""
    result = replay("checkstyle", FILES, "{}")
    assert (result.status, result.reason) == (Status.SKIPPED, "the project has no checkstyle.xml")
    files = {**FILES, "checkstyle.xml": "<module/>\n"}
    result = replay("checkstyle", files, "no\n such module", 254, stream)
    assert (result.status, result.reason) == (Status.ERROR, "checkstyle failed: no such module")
    thrown = "CheckstyleException: Exception was thrown while processing /work/a/A.java\n at com.puppycrawl\n"
    result = replay("checkstyle", files, thrown, 254, 2)
    assert (result.status, result.reason) == (Status.INCOMPLETE, "checkstyle stops at a/A.java, which it can't parse")


def test_what_checkstyle_says(replay: Replay) -> None:
    """Words may stand around the report; an error without a line is about the file."""
    errors = (
        '<error line="2" column="3" severity="info" message="m &lt;" source="a.b.FinalClassCheck"/>'
        '<error line="0" severity="ignore" message="n" source="Other"/>'
    )
    report = (
        f'Starting\n<?xml version="1.0"?><checkstyle><file name="/work/a/A.java">{errors}</file></checkstyle>\nDone\n'
    )
    result = replay("checkstyle", {**FILES, "checkstyle.xml": "<module/>\n"}, report)
    assert said(result) == ["note Other a/A.java:None n", "note FinalClass a/A.java:2 m <"]
    assert [each.column for each in result.findings] == [None, 3]
