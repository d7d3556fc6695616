from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.analysis.javascript_reports import Measured, read_jest, read_lcov, read_mocha, read_node
from omni.verify.analysis.junit import BadReportError, Case

STACK = "\n    at Object.toBe (/work/src/a.test.ts:8:23)\n    at run (/work/node_modules/jest/run.js:3:1)"
JEST = {
    "testResults": [
        {"name": "/work/src/broken.test.ts", "status": "failed", "message": "no ./b", "assertionResults": []},
        {
            "name": "/work/src/a.test.ts",
            "status": "failed",
            "assertionResults": [
                {"fullName": "sum adds", "status": "passed", "failureMessages": [], "location": {"line": 4}},
                {
                    "fullName": "sum fails",
                    "status": "failed",
                    "failureMessages": ["Error: \u001b[31mexpected\u001b[39m\n\nExpected: 4" + STACK],
                    "location": {"line": 7, "column": 3},
                },
                {"fullName": "later", "status": "pending", "failureMessages": None, "location": None},
            ],
        },
    ]
}
MOCHA = {
    "tests": [
        {"fullTitle": "a adds", "file": "/work/test/a.js", "err": {}},
        {
            "fullTitle": "a fails",
            "file": "/work/test/a.js",
            "err": {"message": "1 == 2", "stack": "Error: 1 == 2\n    at Context.<anonymous> (test/a.js:9:1)"},
        },
        {"fullTitle": "a later", "file": None},
    ],
    "failures": [{"fullTitle": "a fails"}],
    "pending": [{"fullTitle": "a later"}],
}
NODE = b"""<testsuites><testcase name="adds" classname="test"/>
<testcase name="/work/b.test.js" classname="test"/><testcase name="fails" classname="test">
<failure type="testCodeFailure" message="3 !== 4">Error [ERR_TEST_FAILURE]: 3 !== 4
    at async Promise.all (index 0)
      at TestContext.&lt;anonymous> (file:///work/test/a.test.js:10:12)
      at Test.run (node:internal/test_runner/test:796:25)</failure></testcase></testsuites>"""


def shape(cases: list[Case]) -> list[tuple[str, str, int | None, str, str]]:
    return [(case.name, case.path, case.line, case.outcome, case.message) for case in cases]


def test_jest_and_vitest() -> None:
    assert shape(read_jest(json.dumps(JEST).encode())) == [
        ("the file", "src/broken.test.ts", 1, "failed", "no ./b"),
        ("sum adds", "src/a.test.ts", 4, "passed", ""),
        ("sum fails", "src/a.test.ts", 8, "failed", "Error: expected Expected: 4"),
        ("later", "src/a.test.ts", None, "skipped", ""),
    ]


def test_mocha() -> None:
    assert shape(read_mocha(json.dumps(MOCHA).encode())) == [
        ("a adds", "test/a.js", None, "passed", ""),
        ("a fails", "test/a.js", 9, "failed", "Error: 1 == 2"),
        ("a later", "", None, "skipped", ""),
    ]


def test_node() -> None:
    assert shape(read_node(NODE)) == [
        ("adds", "", None, "passed", ""),
        ("fails", "test/a.test.js", 10, "failed", "3 !== 4"),
    ]


def test_what_breaks_in_a_package_stands_in_the_test() -> None:
    report = json.loads(json.dumps(JEST).replace("/work/src/a.test.ts:8", "/work/src/sum.ts:2"))
    assert [(case.path, case.line) for case in read_jest(json.dumps(report).encode()) if case.name == "sum fails"] == [
        ("src/a.test.ts", 7)
    ]


@pytest.mark.parametrize("read", [read_jest, read_mocha, read_node])
@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"testResults": [1]}', b"\xff", b"[" * 100_000, b"<!DOCTYPE a>"])
def test_what_is_no_report_is_refused(read: object, data: bytes) -> None:
    with pytest.raises(BadReportError):
        read(data)  # type: ignore[operator]


def test_lcov() -> None:
    text = "TN:\nSF:src/a.ts\nDA:1,2\nDA:2,0\nDA:1,1\nBRDA:1,0,0,1\nBRDA:1,0,1,-\nend_of_record\nSF:b.ts\nDA:3,1,sum\n"
    again = "SF:src/a.ts\nBRDA:1,0,1,4\nend_of_record\n"
    assert read_lcov(text + again) == {
        "src/a.ts": Measured({1: 3, 2: 0}, {"1,0,0": 1, "1,0,1": 4}),
        "b.ts": Measured({3: 1}),
    }


@given(st.text(alphabet="SFDABR:,0123-\n"))
def test_any_text_is_lcov_or_refused(text: str) -> None:
    with contextlib.suppress(BadReportError):
        assert read_lcov(text) == read_lcov(f"{text}\n")
