from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.analysis.junit import BadReportError, Case, Covered, read_coverage, read_junit

REPORT = b"""<testsuites><testsuite>
<testcase name="test_a" file="tests/test_a.py" line="4" time="0.5"><properties>
  <property name="criterion" value="AC1"/><property name="other" value="x"/></properties></testcase>
<testcase name="test_b" file="tests/test_a.py" line="9" time="x">
  <failure message="assert 1 == 2&#10;more">E   a</failure></testcase>
<testcase name="test_c"><skipped/></testcase><testcase name="test_d"><error>
E   ImportError: no</error></testcase></testsuite></testsuites>"""


def test_cases() -> None:
    assert read_junit(REPORT) == [
        Case("test_a", "tests/test_a.py", 5, "passed", "", 0.5, ("AC1",)),
        Case("test_b", "tests/test_a.py", 10, "failed", "assert 1 == 2", 0.0, (), broke="failure", details="E   a"),
        Case("test_c", "", None, "skipped", "", 0.0, ()),
        Case("test_d", "", None, "failed", "ImportError: no", 0.0, (), broke="error", details="\nE   ImportError: no"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<! doctype a><a/>",
        "<!DOCTYPE a><a/>".encode("utf-16"),
        b"<a>&undefined;</a>",
    ],
)
def test_refused(data: bytes) -> None:
    with pytest.raises(BadReportError):
        read_junit(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        cases = read_junit(b"<a>" + data + b"</a>")
    except BadReportError:
        cases = []
    assert all(case.outcome in {"passed", "failed", "skipped"} for case in cases)
    with pytest.raises(BadReportError):
        read_coverage(data)


def test_coverage() -> None:
    totals = {"num_statements": 4, "covered_lines": 3, "num_branches": 2, "covered_branches": 1}
    assert read_coverage(json.dumps({"totals": totals}).encode()) == Covered(75.0, 50.0)
    without = {"num_statements": 4, "covered_lines": 3}
    assert read_coverage(json.dumps({"totals": without}).encode()) == Covered(75.0, 75.0)
