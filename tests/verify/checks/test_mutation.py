from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.verify.analysis.changed_lines import lines_not_in
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]
Git = Callable[..., str]

ENVIRONMENT = Path(sys.prefix)
"""The one that runs these tests: it has pytest and coverage."""

CODE = """LIMIT = 100


def discount(total, member):
    if total > LIMIT and member:
        return total - 10
    return total


class Cart:
    def __init__(self):
        self.items = []

    @property
    def count(self):
        return len(self.items) + 1


def count_down(n):
    while n > 0:
        n -= 1
    return n


def nobody():
    return 4
"""
WEAK = """from app.shop import Cart, count_down, discount


def test_discount():
    assert discount(200, True) == 190
    assert discount(50, True) == 50


def test_cart():
    assert Cart().count == 1


def test_count_down():
    assert count_down(3) == 0
"""
STRONG = (
    WEAK
    + """

def test_edges():
    from app.shop import nobody
    assert discount(100, True) == 100
    assert discount(101, True) == 91
    assert discount(200, False) == 200
    assert nobody() == 4
"""
)
CONDITION = "if total > LIMIT and member:"
FILES = {"src/app/__init__.py": "", "src/app/shop.py": CODE}


def shapes(result: CheckResult) -> list[str]:
    return [
        f"{each.severity} {each.rule} {each.line}: {each.message.partition(' these tests')[0]}"
        for each in result.findings
    ]


@pytest.mark.host
@pytest.mark.slow
def test_weak_tests_score_low_and_survivors_are_named(look: Look) -> None:
    result = look("mutation", FILES | {"tests/test_shop.py": WEAK}, environment=ENVIRONMENT)
    assert shapes(result) == [
        "error score 1: the tests notice 78.95 % of 19 changes, and not 80 %; 4 missed here",
        "warning survived 1: constant: with `LIMIT = 101` in place of `LIMIT = 100`",
        f"warning survived 5: comparison: with `{CONDITION.replace('>', '>=')}` in place of `{CONDITION}`",
        "warning uncovered 26: no test runs these lines of `nobody`: 2 mutants were not tried",
    ]
    assert result.status is Status.FAIL
    assert "tests/test_shop.py::test_discount" in result.findings[2].message


@pytest.mark.host
@pytest.mark.slow
def test_strong_tests_score_high_and_what_is_known_is_not_tried_again(look: Look, settings: Settings) -> None:
    files = FILES | {"tests/test_shop.py": STRONG}
    result = look("mutation", files, environment=ENVIRONMENT)
    assert (result.status, result.metrics["mutation.score"], shapes(result)) == (Status.PASS, 100, [])
    kept = settings.home / "cache" / "checks" / "mutation" / "outcomes.sqlite"
    with sqlite3.connect(kept) as database:
        database.execute("UPDATE outcomes SET outcome = 'survived'")
    changed = look(
        "mutation",
        files | {"src/app/shop.py": CODE.replace("len(self.items) + 1", "1 + len(self.items)")},
        environment=ENVIRONMENT,
    )
    again = {each.line for each in changed.findings if each.rule == "survived"}
    assert 5 in again
    assert 15 not in again


@pytest.mark.host
@pytest.mark.slow
def test_only_changed_lines(look: Look, git: Git, root: Path) -> None:
    files = FILES | {"tests/test_shop.py": WEAK}
    look("mutation", files)
    git("add", ".")
    git("commit", "-q", "-m", "a")
    changed = files | {
        "src/app/shop.py": CODE.replace("total - 10", "total - 11"),
        "tests/test_shop.py": WEAK.replace("190", "189"),
    }
    result = look("mutation", changed, environment=ENVIRONMENT, changed=True)
    assert result.metrics["mutation.noticed"] == 3


@pytest.mark.host
@pytest.mark.slow
def test_a_mutant_that_deletes_the_project_harms_only_itself(look: Look) -> None:
    code = (
        "import shutil\n\ndef clean(folder, keep):\n    if not keep:\n        shutil.rmtree(folder)\n\n"
        "def after(a):\n    return a\n"
    )
    tests = (
        "from app.shop import after, clean\n\ndef test_clean():\n    assert clean('/work/src', True) is None\n\n"
        "def test_after():\n    from app import other\n    assert after(3) == 3\n"
    )
    files = {"src/app/__init__.py": "", "src/app/other.py": "", "src/app/shop.py": code, "tests/test_shop.py": tests}
    result = look("mutation", files, environment=ENVIRONMENT)
    assert (result.metrics["mutation.untried"], result.reason) == (0, "")


@pytest.mark.host
def test_tests_that_fail_already_are_left_out_and_said(look: Look) -> None:
    tests = WEAK + "\n\ndef test_broken():\n    assert discount(1, True) == 2\n"
    result = look("mutation", FILES | {"tests/test_shop.py": tests}, environment=ENVIRONMENT)
    assert (
        "1 tests fail before anything is changed, so they were left out: tests/test_shop.py::test_broken"
        in result.reason
    )


def test_no_tests(look: Look) -> None:
    assert look("mutation", FILES, environment=ENVIRONMENT).status is Status.SKIPPED


def test_no_environment(look: Look) -> None:
    result = look("mutation", FILES | {"tests/test_shop.py": WEAK})
    assert (result.status, "no virtual environment" in result.reason) == (Status.INCOMPLETE, True)


def test_changed_lines() -> None:
    assert lines_not_in("a\nb\nc\n", "a\nx\nc\nd\n") == {2, 4}
    assert lines_not_in("", "a\n") == {1}
    assert lines_not_in("a\nb\n", "a\n") == set()
