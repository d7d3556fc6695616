"""Failed tests that are run again: which are, and what is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from omni.verify.analysis.junit import Case
from omni.verify.analysis.repetition import MOST, Repeated, node_id, repeat
from omni.verify.check import Context, Failed


def case(path: str, classname: str, name: str) -> Case:
    return Case(name, path, 1, "failed", "", 0.0, (), classname=classname)


@pytest.mark.parametrize(
    ("path", "classname", "name", "shown"),
    [
        ("tests/test_a.py", "tests.test_a", "test_x[1]", "tests/test_a.py::test_x[1]"),
        ("tests/test_a.py", "tests.test_a.TestC.TestD", "test_x", "tests/test_a.py::TestC::TestD::test_x"),
        ("test_a.py", "test_a", "test_x", "test_a.py::test_x"),
    ],
)
def test_a_test_is_named_as_pytest_names_it(path: str, classname: str, name: str, shown: str) -> None:
    assert node_id(case(path, classname, name)) == shown


class Sandbox:
    """In the place of one: leaves these reports, or has no time."""

    def __init__(self, *reports: str, fails: bool = False) -> None:
        self.reports, self.fails, self.asked = reports, fails, list[str]()

    def run_in_sandbox(self, argv: tuple[str, ...], *, collect: tuple[str, ...], into: Path, **env: str) -> None:
        assert collect == ("reports/omni-repeat-*.xml",)
        self.asked = [*argv[4:], *env]
        if self.fails:
            raise Failed("no time is left")
        (into / "reports").mkdir()
        for number, text in enumerate(self.reports):
            (into / "reports" / f"omni-repeat-{number}.xml").write_text(text)


def report(inner: str) -> str:
    first = f'<testcase file="t.py" classname="t" name="a" line="1">{inner}</testcase>'
    second = '<testcase file="t.py" classname="t" name="b" line="2"><skipped/></testcase>'
    return f"<testsuite>{first}{second}</testsuite>"


FAILED = [case("t.py", "t", "b"), case("t.py", "t", "a"), case("", "t", "nowhere")]


def run(sandbox: Sandbox, failed: list[Case] = FAILED) -> dict[str, Repeated]:
    return dict(repeat(cast("Context", sandbox), failed, {"HOME": "/"}))


def test_runs_and_failures_are_counted() -> None:
    sandbox = Sandbox(report(""), report("<failure/>"), "broken", report(""))
    assert run(sandbox) == {"t.py::a": Repeated(runs=3, failures=1)}
    assert sandbox.asked == ["t.py::a", "t.py::b", "HOME"]


def test_nothing_is_told_without_time_or_of_too_many() -> None:
    assert run(Sandbox(fails=True)) == {}
    many = [case("t.py", "t", f"t{number}") for number in range(MOST + 1)]
    sandbox = Sandbox(report(""))
    assert run(sandbox, many) == {}
    assert run(sandbox, []) == {}
    assert sandbox.asked == []
    run(sandbox, many[:-1])
    assert len(sandbox.asked) == MOST + 1
