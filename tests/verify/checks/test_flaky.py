"""Tests that sometimes fail, and tests that a change can't affect."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from omni.kernel.clock import now
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

ENVIRONMENT = Path(sys.prefix)
TODAY = now().date()
CODE = {
    "src/app/__init__.py": "",
    "src/app/a.py": "def f():\n    return 1\n",
    "src/app/b.py": "def g():\n    return 2\n",
}
EVERY_OTHER = """
from pathlib import Path

def test_sometimes():
    counter = Path("/tmp/counter")
    count = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(count + 1))
    assert count % 2 == 1

def test_always():
    assert 1 + 1 == 2
"""
NAME = "tests/test_a.py::test_sometimes"


def quarantine(days: int) -> dict[str, str]:
    entry = f'[[test]]\ntest = "{NAME}"\nrate = 0.5\nsince = 2020-01-01\nuntil = {TODAY + timedelta(days=days)}\n'
    return {".omni/quarantine.toml": entry}


@pytest.mark.host
@pytest.mark.slow
def test_a_test_that_fails_now_and_then_is_told_and_does_not_block(look: Look) -> None:
    result = look("tests", {**CODE, "tests/test_a.py": EVERY_OTHER}, environment=ENVIRONMENT, fix=True)
    (finding,) = result.findings
    assert result.status is Status.PASS
    assert (finding.rule, finding.severity, finding.path, finding.line) == ("flaky", "warning", "tests/test_a.py", 4)
    assert "failed 4 of 6 times" in finding.message
    assert result.metrics[f"tests.flaky.{NAME}"] == 0.67


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "status", "said"), [(5, "pass", "in quarantine until"), (-1, "fail", "quarantine ended")]
)
def test_quarantine_has_an_end(look: Look, days: int, status: str, said: str) -> None:
    files = {**CODE, **quarantine(days), "tests/test_a.py": EVERY_OTHER}
    result = look("tests", files, environment=ENVIRONMENT)
    (finding,) = result.findings
    assert (result.status, said in finding.message) == (status, True)


@pytest.mark.host
@pytest.mark.slow
def test_who_is_stable_again_is_told(look: Look) -> None:
    tests = "def test_sometimes():\n    assert 1 + 1 == 2\n"
    result = look("tests", {**CODE, **quarantine(5), "tests/test_a.py": tests}, environment=ENVIRONMENT)
    (finding,) = result.findings
    assert (result.status, finding.rule, finding.severity) == (Status.PASS, "stable-again", "note")


@pytest.mark.host
@pytest.mark.slow
def test_a_test_that_always_fails_is_not_flaky(look: Look) -> None:
    tests = "class TestIt:\n    def test_sometimes(self):\n        assert 1 + 1 == 3\n"
    result = look("tests", {**CODE, "tests/test_a.py": tests}, environment=ENVIRONMENT)
    assert [(each.rule, each.severity) for each in result.findings] == [("failed", "error")]


@pytest.mark.host
@pytest.mark.slow
def test_after_a_change_only_the_tests_run_that_it_can_affect(look: Look, root: Path) -> None:
    tests = {
        "tests/test_a.py": "from app.a import f\n\ndef test_a():\n    assert f() == 1\n",
        "tests/test_b.py": "from app.b import g\n\ndef test_b():\n    assert g() == 2\n",
    }
    look("tests", CODE | tests, environment=ENVIRONMENT)
    for argv in (("init", "-q"), ("add", "-A"), ("-c", "user.name=T", "-c", "user.email=t@x", "commit", "-qm", "one")):
        subprocess.run(["git", *argv], cwd=root, check=True)
    changed = {"src/app/b.py": "def g():\n    return 3\n"}
    result = look("tests", changed, environment=ENVIRONMENT, changed=True)
    assert [(each.rule, each.path) for each in result.findings] == [("failed", "tests/test_b.py")]
    (why,) = result.coverage.skipped.values()
    assert re.fullmatch(r"nothing that ran in its 1 test has changed since all tests ran \(\S+ \S+ UTC\)", why)
    assert list(result.coverage.skipped) == ["tests/test_a.py"]
    assert result.metrics == {"tests.passed": 0, "tests.failed": 1, "tests.skipped": 0, "tests.left_out": 1}


@pytest.mark.host
@pytest.mark.slow
def test_after_a_change_of_a_function_only_the_tests_run_in_which_it_ran(look: Look, root: Path) -> None:
    code = {"src/app/a.py": "def f():\n    return 1\n", "src/app/b.py": "def g():\n    return 2\n"}
    tests = {
        "tests/conftest.py": "import pytest\nfrom app import b\n\n"
        "@pytest.fixture(scope='session')\ndef two():\n    return b.g()\n",
        "tests/test_a.py": "from app import a\n\ndef test_a():\n    assert a.f() == 1\n",
        "tests/test_b.py": "from app import a\n\ndef test_b(two):\n    assert a.f and two == 2\n",
    }
    look("tests", {"src/app/__init__.py": ""} | code | tests, environment=ENVIRONMENT)
    for argv in (("init", "-q"), ("add", "-A"), ("-c", "user.name=T", "-c", "user.email=t@x", "commit", "-qm", "one")):
        subprocess.run(["git", *argv], cwd=root, check=True)
    broken = {"src/app/a.py": "def f():\n    return 3\n"}
    said = look("tests", broken, environment=ENVIRONMENT, changed=True)
    assert [(each.rule, each.path) for each in said.findings] == [("failed", "tests/test_a.py")]
    assert list(said.coverage.skipped) == ["tests/test_b.py"]
    shared = {**code, "src/app/b.py": "def g():\n    return 3\n"}  # it ran in what test_b uses, for the whole session
    said = look("tests", shared, environment=ENVIRONMENT, changed=True)
    assert [(each.rule, each.path) for each in said.findings] == [("failed", "tests/test_b.py")]
    assert list(said.coverage.skipped) == ["tests/test_a.py"]
    unused = {**code, "src/app/b.py": "def g():\n    return 2  # words\n"}
    said = look("tests", unused, environment=ENVIRONMENT, changed=True)
    assert said.status is Status.SKIPPED
    assert said.reason.startswith("nothing that ran in any of 2 tests has changed since all tests ran (")
    more = {**unused, "tests/test_c.py": "def test_c():\n    assert not 1\n"}
    said = look("tests", more, environment=ENVIRONMENT, changed=True)
    assert [(each.rule, each.path) for each in said.findings] == [("failed", "tests/test_c.py")]
    assert list(said.coverage.skipped) == ["tests/test_a.py", "tests/test_b.py"]
