"""What tries mutants inside the sandbox, tried here: small modules, their real tests, real children."""

from __future__ import annotations

import gc
import importlib
import importlib.machinery
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from omni.verify.mutation import guest
from omni.verify.mutation.guest import Job, Task, about, arguments, cold, exchange, hot, live_functions, record, try_all

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
"""Of Python 3.12 and later, where the tests run side by side; the children do little before they end."""

SHOP = """# Preise in €
LIMIT = 100


def discount(total):
    def share():
        return 10
    return share() if total > LIMIT else 0


class Cart:
    def count(self):
        return len([each for each in (1, 2)])


def closure():
    kept = 1
    def inner():
        return kept
    return inner


held = closure()
"""
TESTS = """import pytest

from shop_of_guest import LIMIT, discount


def test_over():
    assert discount(200) == 10


def test_edge():
    assert discount(100) == 0


def test_limit():
    assert LIMIT == 100


def test_broken():
    raise ValueError("broken " + "y" * 400)


@pytest.mark.skip
def test_skipped(): ...
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module, its tests, and all that trying mutants changes in this process given back."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = importlib.machinery.SourceFileLoader
    monkeypatch.setattr(loader, "get_code", loader.get_code)
    (tmp_path / "shop_of_guest.py").write_text(SHOP, "utf-8")
    (tmp_path / "test_of_guest.py").write_text(TESTS)
    yield tmp_path
    gc.unfreeze()
    for name in set(sys.modules) - before:
        if name.endswith("_of_guest"):
            del sys.modules[name]


def task(project: Path, old: str, new: str, *tests: str, scope: tuple[int, int] = (0, 0), **more: object) -> Task:
    data = SHOP.encode()
    start = data.index(old.encode())
    plain = {
        "id": 1, "file": f"{project}/shop_of_guest.py", "start": start, "end": start + len(old.encode()),
        "replacement": new, "scope": scope, "tests": [f"test_of_guest.py::{each}" for each in tests], "seconds": 300.0,
    }  # fmt: skip
    return {**plain, **more}  # type: ignore[typeddict-item]


def job(project: Path, *mutants: Task, **more: object) -> Job:
    plain = {
        "options": [], "tests": ["test_of_guest.py"], "files": [f"{project}/shop_of_guest.py"],
        "answers": f"{project}/answers", "mutants": list(mutants), "modules": [], "watched": [], "seconds": 60.0,
    }  # fmt: skip
    return {**plain, **more}  # type: ignore[typeddict-item]


def said(project: Path) -> list[tuple[int, str, str]]:
    """(mutant, outcome, by) of each answer."""
    answers = [json.loads(line) for line in (project / "answers").read_text().splitlines()]
    assert all(0 <= each["seconds"] < 60 for each in answers)
    return [(each["id"], each["outcome"], each["by"]) for each in answers]


def outcomes(project: Path, *works: Callable[[Task], None], seconds: float = 300.0) -> list[tuple[str, str]]:
    """(outcome, by) of a mutant of each kind; before each is told that it was begun."""
    tasks = [task(project, "LIMIT", "X", id=number, seconds=seconds) for number in range(len(works))]
    try_all(job(project, *tasks), lambda each: works[each["id"]](each))
    told = said(project)
    assert told[::2] == [(number, "started", "") for number in range(len(works))]
    return [(outcome, by) for _, outcome, by in told[1::2]]


def raises(problem: BaseException) -> Callable[[Task], None]:
    def work(_: Task) -> None:
        raise problem

    return work


def crashes(_: Task) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hangs(_: Task) -> None:
    time.sleep(60)


def leaves(_: Task) -> None:
    Path(os.environ["TMPDIR"], "kept").touch()
    os.write(1, b"loud")
    guest.say("killed", f"by ä {os.environ['TMPDIR']} {os.getpgrp() == os.getpid()}" + "z" * 70_000)


def test_how_a_mutant_ends(project: Path) -> None:
    ways = (lambda _: None, raises(KeyError("x")), raises(SystemExit(0)), raises(SyntaxError("bad")), crashes)
    assert outcomes(project, *ways) == [
        ("survived", ""), ("killed", "KeyError"), ("killed", "SystemExit"), ("invalid", "bad"), ("crashed", ""),
    ]  # fmt: skip
    assert outcomes(project, hangs, seconds=0.05) == [("timeout", "")]


def test_each_has_a_folder_of_its_own_that_is_gone_afterwards(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ((ended, by),) = outcomes(project, leaves)
    words = by.split(" ")
    assert (ended, words[:2], words[3][:5], len(by)) == ("killed", ["by", "ä"], "Truez", 60_000 - len("killed\n") - 1)
    assert "mutant-" in words[2]
    assert not Path(words[2]).exists()
    assert capfd.readouterr().out == ""


def test_one_that_changes_the_project_is_the_last(project: Path) -> None:
    watched = [f"{project}/shop_of_guest.py", f"{project}/not-there"]
    tasks = [task(project, "LIMIT", "X", id=number) for number in range(3)]

    def work(mutant: Task) -> None:
        if mutant["id"] == 1:
            (project / "not-there").touch()

    try_all(job(project, *tasks, watched=watched), work)
    assert [number for number, outcome, _ in said(project) if outcome == "survived"] == [0, 1]


def test_no_mutant_is_begun_when_the_time_is_over(project: Path) -> None:
    try_all(job(project, task(project, "LIMIT", "X"), seconds=-1.0), lambda _: None)
    assert said(project) == []


def test_what_is_seen_of_a_file(project: Path) -> None:
    path = project / "x"
    assert about(str(path)) == (-1, -1)
    path.write_text("four")
    os.utime(path, ns=(1, 5))
    assert about(str(path)) == (4, 5)


class Told(BaseException):
    """The child would have ended."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """What this process would have said as a child; it ends with `Told`."""
    reader, writer = os.pipe()

    def end(code: int) -> None:
        raise Told(code)

    monkeypatch.setattr(guest, "answer_to", writer)
    monkeypatch.setattr(os, "_exit", end)
    yield lambda: os.read(reader, 1000).decode()
    os.close(reader)
    os.close(writer)


def shop() -> ModuleType:
    return importlib.import_module("shop_of_guest")


def test_functions_that_there_are_get_their_changed_code(project: Path) -> None:
    module = shop()
    kept, method = module.discount, module.Cart().count
    functions = live_functions({f"{project}/shop_of_guest.py"})
    assert {name[1:] for name in functions} >= {("discount", 5), ("Cart.count", 12), ("closure", 16)}
    exchange(task(project, "> LIMIT", ">= LIMIT", scope=(5, 8)), functions)
    assert (kept(100), kept(99), method()) == (10, 0, 2)
    exchange(task(project, "return 10", "return 11", scope=(5, 8)), functions)
    assert (kept(101), kept(100)) == (11, 0), "each change is one of the text as it was"
    exchange(task(project, "(1, 2)", "(1, 2, 3)", scope=(12, 13)), functions)
    assert method() == 3


def test_a_module_that_is_not_imported_yet_is_imported_changed(project: Path) -> None:
    exchange(task(project, "= 100", "= 7", scope=(1, 30)), {})
    assert shop().LIMIT == 7


@pytest.mark.parametrize(
    ("old", "new", "scope"),
    [
        ("len([", "max([", (11, 11)),  # no function begins there
        ("kept\n    return", "kept, len\n    return", (17, 19)),  # only a part of the function
        ("return kept", "return 5", (16, 20)),  # what it holds on to would be another
    ],
)
def test_what_can_not_be_exchanged_is_tried_elsewhere(
    project: Path, told: Callable[[], str], old: str, new: str, scope: tuple[int, int]
) -> None:
    module = shop()
    functions = live_functions({f"{project}/shop_of_guest.py"})
    with pytest.raises(Told):
        exchange(task(project, old, new, scope=scope), functions)
    assert told() == "elsewhere\n"
    assert (module.held(), module.Cart().count()) == (1, 2), "nothing was changed"


def test_mutants_in_functions_end_at_the_first_test_that_fails(project: Path) -> None:
    edge = task(project, "> LIMIT", ">= LIMIT", "test_over", "test_edge", "test_gone", id=1, scope=(5, 8))
    unseen = task(project, "> LIMIT", ">= LIMIT", "test_over", id=2, scope=(5, 8))
    nonsense = task(project, "return share() if total > LIMIT else 0", "return (", "test_over", id=3, scope=(5, 8))
    hot(job(project, edge, unseen, nonsense))
    assert [each for each in said(project) if each[1] != "started"] == [
        (1, "killed", "test_of_guest.py::test_edge"),
        (2, "survived", ""),
        (3, "invalid", "'(' was never closed (shop_of_guest.py, line 8)"),
    ]


def test_the_job_comes_on_standard_input(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = task(project, "> LIMIT", ">= LIMIT", "test_edge", scope=(5, 8))
    told = json.dumps(job(project, edge, answers=f"{project}/new/answers"))
    monkeypatch.setattr(sys, "argv", ["guest", "hot"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(told))
    guest.main()
    assert sys.argv == ["guest"], "what is tested sees none of it"
    assert [outcome for _, outcome, _ in said(project / "new")] == ["started", "killed"]


def test_mutants_that_take_effect_on_import(project: Path) -> None:
    limit = task(project, "= 100", "= 101", "test_over", "test_limit", id=1)
    unseen = task(project, "= 100", "= 101", "test_over", id=2)
    renamed = task(project, "LIMIT", "LEAST", "test_over", id=3)
    cold(job(project, limit, unseen, renamed, modules=["fractions", "no_such_library"]))
    assert [each for each in said(project) if each[1] != "started"] == [
        (1, "killed", "test_of_guest.py::test_limit"),
        (2, "survived", ""),
        (3, "killed", "the import of test_of_guest.py"),
    ]


def test_which_test_runs_which_lines(project: Path) -> None:
    (project / "test_bad_of_guest.py").write_text("import nowhere_of_guest\n")
    record(job(project, tests=["test_of_guest.py"]))
    recording = json.loads((project / "answers").read_text())
    names = [f"test_of_guest.py::test_{each}" for each in ("over", "edge", "limit", "broken", "skipped")]
    assert recording["tests"] == names
    assert len(recording["seconds"]) == 5
    assert list(recording["failed"]) == names[3:4]
    assert recording["failed"][names[3]].endswith("y" * 200)
    assert len(recording["failed"][names[3]]) == 300
    assert recording["skipped"] == names[4:]
    assert recording["lines"][f"{project}/shop_of_guest.py"]["8"] == [0, 1]
    assert recording["lines"][f"{project}/shop_of_guest.py"]["7"] == [0]
    assert recording["lines"][f"{project}/shop_of_guest.py"]["2"] == []
    assert recording["problems"] == []
    assert not [name for name in recording["modules"] if name.endswith("_of_guest")]


@pytest.mark.filterwarnings("ignore:No data was collected")
def test_tests_that_can_not_be_collected_are_said(project: Path) -> None:
    (project / "test_bad_of_guest.py").write_text("import nowhere_of_guest\n")
    record(job(project, tests=["test_bad_of_guest.py"]))
    recording = json.loads((project / "answers").read_text())
    (problem,) = recording["problems"]
    assert problem.startswith("test_bad_of_guest.py: ")
    assert problem.endswith("ModuleNotFoundError: No module named 'nowhere_of_guest'")
    assert recording["tests"] == []


def test_everything_is_off_that_costs_time_or_depends_on_chance(project: Path) -> None:
    told = arguments(job(project, options=["-m", "not slow"]))
    assert told[:2] == ["-m", "not slow"]
    assert told[-1] == f"--rootdir={project}"
    assert {"no:cacheprovider", "no:randomly", "-n0", "--no-cov", "--hypothesis-seed=0"} <= set(told)
