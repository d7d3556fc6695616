from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from omni.kernel.settings import Settings
from omni.verify import engine
from omni.verify.overlap import said_once
from omni.verify.plan import Options
from omni.verify.report import CheckResult, Finding, Severity, Status

Write = Callable[[Mapping[str, str | bytes]], Path]


def result(check: str, *findings: Finding) -> CheckResult:
    failed = any(each.severity is Severity.ERROR for each in findings)
    status = Status.FAIL if failed else Status.PASS
    return CheckResult(check=check, title="T", tier=2, status=status, findings=findings, coverage={"seen": 1})  # type: ignore[arg-type]


def finding(check: str, cwe: str = "CWE-89", line: int = 3, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(check=check, rule="r", severity=severity, path="a.py", line=line, message="m", cwe=cwe)


def said(*findings: Finding) -> dict[str, tuple[str, ...]]:
    """Check → messages why its finding does not count; `counts` when it does."""
    results = said_once([result(each.check, each) for each in findings])
    return {
        each.check: tuple(f.suppressed for f in each.suppressed) or ("counts",) * len(each.findings) for each in results
    }


def test_the_one_that_shows_the_way_stays() -> None:
    given = [result("sql-injection", finding("sql-injection")), result("dataflow", finding("dataflow"))]
    other, way = said_once(given)
    assert (other.status, other.findings) == (Status.PASS, ())
    assert [each.suppressed for each in other.suppressed] == ["dataflow/r says so of the same line"]
    assert way == given[1]


def test_the_graver_one_stays() -> None:
    note = finding("dataflow", severity=Severity.NOTE)
    assert said(note, finding("sql-injection")) == {
        "dataflow": ("sql-injection/r says so of the same line",),
        "sql-injection": ("counts",),
    }


def test_numbers_of_one_weakness_are_the_same() -> None:
    assert said(finding("dataflow", "CWE-94"), finding("security-python", "CWE-95"))["security-python"] != ("counts",)


def test_another_line_weakness_or_check_is_another_fault() -> None:
    both = ("counts",)
    assert said(finding("dataflow"), finding("other", line=4)) == {"dataflow": both, "other": both}
    assert said(finding("dataflow"), finding("other", "CWE-78")) == {"dataflow": both, "other": both}
    assert said(finding("one"), finding("other")) == {"one": both, "other": both}


def test_checks_together_name_a_fault_once(write: Write, settings: Settings) -> None:
    code = (
        "import sqlite3\n\nfrom flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
        "@app.route('/')\ndef find():\n"
        "    db = sqlite3.connect('a.db')\n"
        "    db.execute(\"SELECT * FROM t WHERE a = '\" + request.args['a'] + \"'\")\n    return {}\n"
    )
    report = engine.verify(write({"app.py": code}), Options(only=("dataflow", "sql-injection")), settings)
    assert [f"{each.check}/{each.rule} {each.path}:{each.line}" for each in report.findings] == [
        "dataflow/sql app.py:11"
    ]
