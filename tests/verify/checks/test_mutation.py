from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from tests.verify.played import said

from omni.kernel.settings import Settings
from omni.verify.analysis.changed_lines import lines_not_in
from omni.verify.mutation.campaign import Tried
from omni.verify.mutation.mutants import Mutant
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


# ── what is made of what was tried ───────────────────────────────────────────────────────────────

SMALL = {
    "src/app/shop.py": "LIMIT = 100\n\n\ndef within(a):\n    return a > LIMIT\n\n\ndef nobody():\n    return 4\n",
    "src/app/more.py": "def more(a):\n    return a + 1\n",
    "tests/test_shop.py": "def test_shop(): ...\n",
}
GREEN = "these tests stay green: tests/test_shop.py::test_a, tests/test_shop.py::test_b"
TESTS = ("tests/test_shop.py::test_a", "tests/test_shop.py::test_b")

Judge = Callable[[Mutant], str]
Campaigns = Callable[..., list[Mutant]]


@pytest.fixture
def campaign(monkeypatch: pytest.MonkeyPatch) -> Campaigns:
    """The outcome of each mutant; and what the run before it said. Returns those that were to be tried."""
    drawn: list[Mutant] = []

    def put(judge: Judge, tests: tuple[str, ...] = TESTS, untried: int = 0, **recording: object) -> list[Mutant]:
        class Instead:
            def __init__(self, *_given: object) -> None: ...

            def record(self, _files: object) -> Mapping[str, object]:
                return {"problems": [], "failed": {}} | recording

            def run(self, given: Sequence[Mutant]) -> tuple[list[Tried], int]:
                drawn.extend(given)
                kept = given[: len(given) - untried]
                return [Tried(each, judge(each), tests=tests) for each in kept], untried

        monkeypatch.setattr("omni.verify.checks.mutation.Campaign", Instead)
        return drawn

    return put


def by_line(**outcomes: str) -> Judge:
    return lambda mutant: outcomes.get(f"{mutant.path[8:12]}{mutant.line}", "failed")


def test_what_was_missed_is_named_and_counted(look: Look, campaign: Campaigns) -> None:
    drawn = campaign(by_line(shop1="survived", shop5="hung", shop9="uncovered", more2="crashed"))
    result = look("mutation", SMALL, environment=ENVIRONMENT)
    assert [f"{each.path}:{each.line} {each.operator}" for each in drawn] == [
        "src/app/more.py:2 returned value",
        "src/app/more.py:2 arithmetic",
        "src/app/more.py:2 constant",
        "src/app/shop.py:1 constant",
        "src/app/shop.py:5 returned value",
        "src/app/shop.py:5 comparison",
        "src/app/shop.py:9 returned value",
        "src/app/shop.py:9 constant",
    ]
    assert said(result) == [
        "error score src/app/shop.py:1 the tests notice 62.5 % of 8 changes, and not 80 %; 3 missed here",
        f"warning survived src/app/shop.py:1 constant: with `LIMIT = 101` in place of `LIMIT = 100` {GREEN}",
        "warning uncovered src/app/shop.py:9 no test runs these lines of `nobody`: 2 mutants were not tried",
    ]
    assert result.findings[1].snippet == "LIMIT = 100 → LIMIT = 101"
    assert (result.status, result.reason, result.metrics) == (
        Status.FAIL,
        "",
        {
            "mutation.noticed": 5,
            "mutation.survived": 1,
            "mutation.uncovered": 2,
            "mutation.untried": 0,
            "mutation.score": 62.5,
        },
    )


@pytest.mark.parametrize(("missed", "status", "score"), [(2, Status.PASS, 80), (3, Status.FAIL, 70)])
def test_four_of_five_have_to_be_noticed(
    look: Look, campaign: Campaigns, missed: int, status: Status, score: float
) -> None:
    files = {"a.py": "".join(f"X{number} = {number}\n" for number in range(10)), "tests/test_a.py": ""}
    campaign(lambda mutant: "survived" if mutant.line <= missed else "failed", tests=("a", "b", "c", "d", "e"))
    result = look("mutation", files, environment=ENVIRONMENT)
    assert (result.status, result.metrics["mutation.score"]) == (status, score)
    assert result.findings[-1].message.endswith("these tests stay green: a, b, c and 2 more")


def test_code_that_runs_on_import_is_the_module_s(look: Look, campaign: Campaigns) -> None:
    campaign(lambda _mutant: "uncovered")
    files = {"a.py": "A = 1\nB = 2\n", "tests/test_a.py": ""}
    assert said(look("mutation", files, environment=ENVIRONMENT))[1] == (
        "warning uncovered a.py:1 no test runs these lines of this module: 2 mutants were not tried"
    )


def test_what_was_not_tried_is_said(look: Look, campaign: Campaigns) -> None:
    failed = {"tests/test_a.py::test_a": "E  assert 1 == 2", "tests/test_a.py::test_b": "no"}
    problems = ["tests/test_b.py: no module", "tests/test_c.py: no module"]
    campaign(by_line(), untried=3, failed=failed, problems=problems)
    result = look("mutation", SMALL, environment=ENVIRONMENT)
    assert result.status is Status.INCOMPLETE
    assert result.reason.split("; ") == [
        "2 files of tests could not be collected: tests/test_b.py: no module",
        "2 tests fail before anything is changed, so they were left out: tests/test_a.py::test_a: E  assert 1 == 2",
        "there was no time to try 3 of 8 mutants",
        "run it again, what is known is kept",
    ]
    assert (result.metrics["mutation.untried"], "mutation.score" in result.metrics) == (3, False)


def test_of_a_sample_there_is_no_score(look: Look, campaign: Campaigns) -> None:
    drawn = campaign(by_line(shop1="survived", shop9="uncovered"))
    config = {"omni.toml": "[verify.mutation]\nsample = 5\nseed = 2\n"}
    result = look("mutation", SMALL | config, environment=ENVIRONMENT)
    noticed = int(result.metrics["mutation.noticed"])
    assert len(drawn) == 5
    assert result.reason.startswith(f"only a sample of 5 of 8 mutants was tried: {noticed} were noticed")
    assert (result.metrics["mutation.untried"], "mutation.score" in result.metrics) == (3, False)


def test_what_is_part_of_the_program_is_mutated(look: Look, campaign: Campaigns) -> None:
    drawn = campaign(by_line())
    other = ("tests/helpers.py", "test/a.py", "benchmarks/a.py", "fuzz/a.py", "conftest.py", "a.pyi", "setup.py")
    files = dict.fromkeys((*other, "a.py", "lib/b.py"), "A = 1\n") | {"broken.py": "def (\n", "tests/test_a.py": ""}
    result = look("mutation", files, environment=ENVIRONMENT)
    assert sorted({each.path for each in drawn}) == ["a.py", "lib/b.py"]
    assert list(result.coverage.failed) == ["broken.py"]
    drawn.clear()
    look("mutation", {"omni.toml": '[verify.mutation]\npaths = ["lib/**"]\n'}, environment=ENVIRONMENT)
    assert sorted({each.path for each in drawn}) == ["lib/b.py"]


def test_of_a_change_the_lines_that_changed(look: Look, campaign: Campaigns, git: Git) -> None:
    drawn = campaign(by_line())
    look("mutation", SMALL, environment=ENVIRONMENT)
    git("add", ".")
    git("commit", "-q", "-m", "a")
    drawn.clear()
    changed = {"src/app/shop.py": SMALL["src/app/shop.py"].replace("return 4", "return 5")}
    look("mutation", changed, environment=ENVIRONMENT, changed=True)
    assert {f"{each.path}:{each.line}" for each in drawn} == {"src/app/shop.py:9"}


def test_where_nothing_can_be_mutated(look: Look, git: Git) -> None:
    files = {"a.py": "def a(): ...\n", "tests/test_a.py": "def test_a(): ...\n"}
    result = look("mutation", files, environment=ENVIRONMENT)
    assert (result.status, result.reason) == (Status.SKIPPED, "nothing can be mutated")
    git("add", ".")
    git("commit", "-q", "-m", "a")
    result = look("mutation", {"a.py": "def b(): ...\n"}, environment=ENVIRONMENT, changed=True)
    assert (result.status, result.reason) == (Status.SKIPPED, "nothing that changed can be mutated")


def test_what_the_environment_lacks_is_said(look: Look, tmp_path: Path) -> None:
    result = look("mutation", SMALL, environment=tmp_path)
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        f"pytest and coverage missing in the project's environment. Type: {tmp_path}/bin/pip install pytest coverage",
    )
