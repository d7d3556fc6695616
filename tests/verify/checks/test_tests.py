from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

CONFTEST = (
    "import pytest\n\ndef pytest_configure(config):\n"
    "    config.addinivalue_line('markers', 'criterion(id): evidence')\n\n"
    "@pytest.fixture(autouse=True)\ndef _criterion(request, record_property):\n"
    "    for mark in request.node.iter_markers('criterion'):\n        record_property('criterion', mark.args[0])\n"
)
CODE = {"src/app/__init__.py": "", "src/app/a.py": "def f(a):\n    if a:\n        return 1\n    return 2\n"}
ENVIRONMENT = Path(sys.prefix)
"""The one that runs these tests: it has pytest and pytest-cov."""


def case(body: str, *criteria: str, name: str = "test_a") -> str:
    marks = "".join(f"@pytest.mark.criterion('{each}')\n" for each in criteria)
    return f"\n{marks}def {name}():\n    {body}\n"


HEAD = "import pytest\nfrom app.a import f\n"


@pytest.mark.host
def test_passed(look: Look) -> None:
    tests = HEAD + case("assert f(1) == 1", "AC1", "AC2") + case("assert f(0) == 2", "AC2", name="test_b")
    result = look("tests", {**CODE, "tests/conftest.py": CONFTEST, "tests/test_a.py": tests}, environment=ENVIRONMENT)
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
    assert result.metrics == {
        "tests.passed": 2,
        "tests.failed": 0,
        "tests.skipped": 0,
        "criterion.AC1": 1,
        "criterion.AC2": 1,
        "coverage.line": 100,
        "coverage.branch": 100,
    }


@pytest.mark.host
def test_failed(look: Look) -> None:
    tests = HEAD + case("assert f(1) == 3", "AC1") + case("assert f(1) == 1", "AC1", "AC2", name="test_b")
    result = look("tests", {**CODE, "tests/conftest.py": CONFTEST, "tests/test_a.py": tests}, environment=ENVIRONMENT)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.message) == ("failed", "tests/test_a.py", "`test_a`: assert 1 == 3")
    assert {name: value for name, value in result.metrics.items() if name.startswith("criterion")} == {
        "criterion.AC1": 0,
        "criterion.AC2": 1,
    }
    assert result.metrics["coverage.branch"] == 50


@pytest.mark.host
@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("import os\n\ndef test_a():\n    os._exit(0)\n", "left no report"),
        ("import nothing_of_that_name\n\ndef test_a():\n    assert f() == 1\n", "fail"),
        ("def check():\n    assert 1\n", "not-collected"),
        ("import pytest\n\n@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n", "every test was skipped"),
    ],
)
def test_a_run_that_proves_nothing(look: Look, tests: str, said: str) -> None:
    result = look("tests", {**CODE, "tests/test_a.py": tests}, environment=ENVIRONMENT)
    assert result.status is not Status.PASS
    assert said in " ".join([result.reason, result.status, *(each.rule for each in result.findings)])


def test_no_environment(look: Look) -> None:
    result = look("tests", {**CODE, "tests/test_a.py": HEAD + case("assert f(1) == 1")})
    assert result.status is Status.INCOMPLETE
    assert "Type: python3 -m venv .venv" in result.reason


def test_no_tests(look: Look) -> None:
    result = look("tests", CODE)
    (finding,) = result.findings
    assert result.metrics == {"coverage.branch": 0}
    assert (finding.rule, finding.path, finding.severity) == ("missing-tests", "src/app/a.py", "error")


def test_nothing_to_test(look: Look) -> None:
    assert look("tests", {"a.py": "X = 1\n"}).status is Status.SKIPPED
    assert look("tests", {"a.md": "text\n"}).status is Status.SKIPPED


@pytest.mark.host
def test_a_project_does_not_choose_what_is_measured(look: Look) -> None:
    """Its wish ends no run where warnings are errors, and half of the code stays half."""
    files = {
        **CODE,
        "src/app/unseen.py": "def g(a):\n    if a:\n        return 1\n    return 2\n",
        ".coveragerc": "[run]\ninclude = */a.py\n",
        "pytest.ini": "[pytest]\nfilterwarnings =\n    error\n",
        "tests/test_a.py": HEAD + case("assert f(1) == 1 and f(0) == 2"),
    }
    result = look("tests", files, environment=ENVIRONMENT)
    assert (result.status, result.reason, result.metrics["coverage.branch"]) == (Status.PASS, "", 50)


@pytest.mark.host
def test_coverage_is_measured_so_that_tests_are_told_apart(look: Look) -> None:
    """`sys.monitoring`, which is no tracer, would tell of each line for the first test alone."""
    told = "from coverage import Coverage\n" + case(
        "assert 'CTracer' in repr(Coverage.current()._core) and f(1)", name="test_core"
    )
    files = {**CODE, ".coveragerc": "[run]\ncore = pytrace\n", "tests/test_a.py": HEAD + told}
    result = look("tests", files, environment=ENVIRONMENT)
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
