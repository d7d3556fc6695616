"""What a recorded run rules out is never affected, and a change of a function affects those in which it ran."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni.verify import registry
from omni.verify.analysis import recording
from omni.verify.analysis.junit import BadReportError
from omni.verify.analysis.recorded import keep, since
from omni.verify.analysis.recording import ANYBODY, Recorder
from omni.verify.check import Context
from omni.verify.config import ProjectConfig
from omni.verify.execution import Execution
from omni.verify.files import take_inventory

if TYPE_CHECKING:
    from _typeshed import TraceFunction

MODULES, TESTS = 5, 4


def context_of(root: Path) -> Context:
    inventory = take_inventory(root)
    execution = cast("Execution", None)
    check = registry.get("tests")
    return Context(check, root, inventory.files, inventory, ProjectConfig(), execution, cache=root.parent / "cache")


def left_out(root: Path) -> tuple[str, ...]:
    change = since(context_of(root))
    assert change is not None
    return change.left_out()


def module(chance: random.Random, number: int) -> str:
    """Functions that call modules before it: directly, by an import of their own, in a function inside, on loading."""
    text = ""
    for name in "fgh":
        calls, head = ["0"], ""
        for each in range(number):
            kind, other = chance.random(), chance.choice("fgh")
            if kind < 0.1:
                head += f"    from app import m{each}\n"
            elif kind < 0.5:
                text = f"from app import m{each}\n{text}"
            else:
                continue
            calls.append(
                chance.choice([f"m{each}.{other}(x)", f"m{each}.VALUE", f"(m{each}.{other}(x) if x > 0 else 0)"])
            )
        kind, result = chance.random(), f"{number} + {' + '.join(calls)}"
        if kind < 0.2:
            head += f"    def inner(y):\n        return y + {result}\n"
            result = chance.choice(["inner(0)", "0"])
        elif kind < 0.4:
            text += f"def made_{name}(x):\n{head}    yield {result}\n"
            result = chance.choice([f"sum(made_{name}(x))", f"len([made_{name}(x)])"])
        text += f"def {name}(x):\n{head}    return x + {result}\n"
    return f"{text}VALUE = {chance.choice(['1', '1', '1', 'f(3)'])}\n"


def run(root: Path, recorder: Recorder | None) -> dict[str, object]:
    """What each test comes to, in one process as pytest does it."""
    lines: defaultdict[str, defaultdict[str, set[tuple[int, int]]]] = defaultdict(lambda: defaultdict(set))
    test, loading = ANYBODY, 0

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        nonlocal loading
        path = frame.f_code.co_filename
        if not path.startswith(f"{root}/app/"):
            return None
        if frame.f_code.co_name == "<module>":
            loading += (event == "call") - (event == "return")
        if event == "line":
            lines[ANYBODY if loading else test][path].add((0, frame.f_lineno))
        return trace

    found: dict[str, object] = {}
    before = sys.gettrace()
    sys.path.insert(0, str(root))
    try:
        if recorder:
            sys.settrace(trace)
        loaded: dict[str, dict[str, Callable[[], object]]] = {}
        for path in sorted(root.glob("test_*.py")):
            exec(compile(path.read_text(), str(path), "exec"), loaded.setdefault(path.name, {}))  # noqa: S102 - made above
        for number, (name, names) in enumerate(loaded.items()):
            test = f"{number}"
            found[f"{name}::test"] = names["test"]()
    finally:
        sys.settrace(before)
        sys.path.remove(str(root))
        for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
            del sys.modules[name]
    if recorder:
        recorder.tests = {name: number for number, name in enumerate(found)}
        for recorder.now, arcs in lines.items():
            recorder.take(arcs)
    return found


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_what_is_left_out_comes_to_the_same(seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="omni-test-") as folder:
        root = Path(folder).resolve() / "project"
        (root / "app").mkdir(parents=True)
        (root / "app" / "__init__.py").touch()
        for number in range(MODULES):
            (root / "app" / f"m{number}.py").write_text(module(chance, number))
        for number in range(TESTS):
            name, late = f"m{chance.randrange(MODULES)}", chance.random() < 0.1
            head, inner = ("", f"    from app import {name}\n") if late else (f"from app import {name}\n", "")
            body = f"{head}def test():\n{inner}    return {name}.{chance.choice('fgh')}({chance.randrange(2)})\n"
            (root / f"test_{number}.py").write_text(body)
        sys.dont_write_bytecode, written = True, sys.dont_write_bytecode
        try:
            recorder = Recorder(root)
            before = run(root, recorder)
            keep(context_of(root), json.dumps(recorder.said(root)).encode())
            path = root / "app" / f"m{chance.randrange(MODULES)}.py"
            pairs = [("return x + ", "return 100 + x + ")] * 4 + [("VALUE = ", "VALUE = 100 + ")]
            if "yield" in path.read_text():
                pairs.append(("    yield ", "    return 100, "))
            old, new = chance.choice(pairs)
            before_it, *after_it = path.read_text().split(old)
            at = chance.randrange(len(after_it))
            path.write_text(old.join([before_it, *after_it[:at]]) + new + old.join(after_it[at:]))
            after = run(root, None)
        finally:
            sys.dont_write_bytecode = written
        assert [test for test in left_out(root) if before[test] != after[test]] == []


FILES = {
    "app/__init__.py": "",
    "app/a.py": "from app import b\n\ndef one():\n    return b.two()\n\ndef other():\n    return 1\n",
    "app/b.py": "def two():\n    def inner():\n        return 4\n    return 2\n\n@property\ndef late():\n    yield 3\n",
    "test_one.py": "from app.a import one\n\nclass TestIt:\n    def test_a(self):\n        assert one()\n\n"
    "def test_b():\n    assert helper()\n\ndef helper():\n    return one()\n",
    "test_other.py": "from app.a import other\ndef test():\n    assert other()\n",
    "data.json": "{}",
    "read.json": "{}",
    "README.md": "words",
}
A, B, OTHER = TESTS_ = ("test_one.py::TestIt::test_a", "test_one.py::test_b[1]", "test_other.py::test")
RAN = {
    "app/__init__.py": {0: "1"},
    "app/a.py": {0: "1", 3: "6", 6: "8"},
    "app/b.py": {0: "1", 1: "6", 2: "2"},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path)


def make(tmp_path: Path, **said: object) -> Path:
    root = tmp_path / "project"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    record = {"tests": TESTS_, "ran": RAN, "opened": {"read.json": "4", "test_other.py": "2"}} | said
    keep(context_of(root), json.dumps(record).encode())
    return root


def change(root: Path, path: str, old: str, new: str) -> set[str]:
    """The tests that are not left out."""
    text = (root / path).read_text() if (root / path).exists() else ""
    (root / path).parent.mkdir(exist_ok=True)
    assert old in text
    (root / path).write_text(text.replace(old, new, 1))
    return {*TESTS_}.difference(left_out(root))


@pytest.mark.parametrize(
    ("path", "old", "new", "chosen"),
    [
        ("app/b.py", "return 2", "return 3", {A, B}),
        ("app/b.py", "return 4", "return 3", {A}),  # of the function inside, in which less ran
        ("app/b.py", "yield 3", "yield 4", set()),  # it ran in no test
        ("app/b.py", "return 2", "return  2  # words\n", set()),
        ("app/a.py", "return 1", "return 2", {OTHER}),
        ("README.md", "words", "more words", set()),
        ("read.json", "{}", "[]", {B}),
        (
            "data.json",
            "{}",
            "[]",
            {A, B, OTHER},
        ),  # nobody was seen opening it, which does not mean that nobody reads it
        ("new.json", "", "{}", {A, B, OTHER}),
        ("new.py", "", "x = 1", set()),
        ("app/b/__init__.py", "", "\n", {A, B, OTHER}),  # empty, and in the place of another
        ("test_other.py", "assert other()", "assert not other()", {A, OTHER}),  # A opened it
        ("test_one.py", "assert one()", "assert not one()", {A}),
        ("test_one.py", "assert helper()", "assert not helper()", {B}),
        ("test_one.py", "return one()", "return not one()", {A, B}),
    ],
)
def test_who_is_affected(root: Path, path: str, old: str, new: str, chosen: set[str]) -> None:
    assert change(root, path, old, new) == chosen


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("app/b.py", "def two():", "LIMIT = 1\n\ndef two():"),
        ("app/b.py", "def two():", "def two(limit=1):"),
        ("app/b.py", "def two():", "async def two():"),
        ("app/b.py", "def two():", "def two():\n    '''Says two.'''"),
        ("app/b.py", "@property\n", ""),
        ("app/b.py", "yield 3", "return 3"),
        ("app/b.py", "return 2", "return 2 +"),
        ("app/__init__.py", "", "NAME = 1\n"),
    ],
)
def test_what_others_see_without_calling_it_affects_whoever_imports_it(
    root: Path, path: str, old: str, new: str
) -> None:
    assert change(root, path, old, new) == {*TESTS_}


def test_what_ran_for_anybody_affects_whoever_imports_it(tmp_path: Path) -> None:
    root = make(tmp_path, ran=RAN | {"app/a.py": {0: "1", 3: "1", 6: "8"}})
    (root / "test_apart.py").write_text("def test():\n    pass\n")
    assert change(root, "app/a.py", "return b.two()", "return 3") == {*TESTS_}


def test_who_did_not_pass_or_started_a_process_is_always_chosen(tmp_path: Path) -> None:
    root = make(tmp_path, cut=[OTHER], started="2")
    assert change(root, "README.md", "", "") == {OTHER}  # nothing has changed
    assert change(root, "app/b.py", "yield 3", "yield 4") == {A, OTHER}


def test_where_a_process_was_started_by_anybody_all_are_chosen(tmp_path: Path) -> None:
    assert change(make(tmp_path, started="1"), "app/b.py", "yield 3", "yield 4") == {*TESTS_}


def test_a_test_that_others_import_or_inherit_is_not_only_itself(root: Path) -> None:
    inherited = "\n\nclass TestMore(TestIt):\n    pass\n"
    more = "test_one.py::TestMore::test_a"
    (root / "test_one.py").write_text(FILES["test_one.py"] + inherited)
    record = {"tests": [*TESTS_, more], "ran": RAN}
    keep(context_of(root), json.dumps(record).encode())
    assert change(root, "test_one.py", "assert one()", "assert not one()") == {A}
    assert more not in left_out(root)
    (root / "test_other.py").write_text("from test_one import TestIt\n")
    keep(context_of(root), json.dumps(record).encode())
    assert change(root, "test_one.py", "assert not one()", "assert one() > 1") == {*TESTS_}


def test_what_is_gone_affects_whoever_imports_it(root: Path) -> None:
    (root / "app" / "b.py").unlink()
    assert left_out(root) == ()


def test_what_was_written_while_the_tests_ran_is_not_told_apart(tmp_path: Path, root: Path) -> None:
    context = context_of(root)
    (root / "app" / "a.py").write_text(FILES["app/a.py"].replace("return 1", "return 2"))
    keep(context, json.dumps({"tests": TESTS_, "ran": RAN}).encode())
    assert change(root, "app/a.py", "return 2", "return 3") == {*TESTS_}


def test_how_many_of_a_file_are_left_out_is_told(root: Path) -> None:
    change(root, "app/b.py", "return 4", "return 5")
    found = since(context_of(root))
    assert found is not None
    assert found.by_file(found.left_out()) == {"test_one.py": (1, 2), "test_other.py": (1, 1)}
    assert not found.has_new_tests
    change(root, "test_other.py", "def test", "def test_more():\n    pass\n\ndef test")
    found = since(context_of(root))
    assert found is not None
    assert found.has_new_tests


def test_another_environment_and_a_run_without_tests_are_no_record(tmp_path: Path, root: Path) -> None:
    context = context_of(root)
    assert since(context) is not None
    assert since(replace(context, environment=tmp_path)) is None
    assert since(replace(context, cache=tmp_path / "nowhere")) is None
    keep(context, b'{"tests": [], "ran": {}}')
    assert since(context) is None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"tests": 1}', b'{"tests": [], "ran": {"b": {"1": "g"}}}', b"\xff"])
def test_what_is_no_record_is_refused(root: Path, data: bytes) -> None:
    with pytest.raises(BadReportError, match="it is no record"):
        keep(context_of(root), data)


PROJECT = {
    "app.py": "import late\ndef used():\n    return 1\n\ndef ended():\n    return 2\n\nclass A:\n    pass\n\n"
    "def early():\n    return 3\n\nearly()\n\ndef unused():\n    return 4\n",
    "late.py": "def later():\n    return 5\n",
    "lazy.py": "import late\nlate.later()\n",
    "data.txt": "words",
    "conftest.py": "import pytest, app\n\n@pytest.fixture(scope='session')\ndef shared():\n    yield app.used()\n"
    "    app.ended()\n\n@pytest.fixture(scope='module')\ndef asked():\n    return app.used()\n",
    "test_a.py": """
import inspect, multiprocessing, subprocess
from pathlib import Path
import app, pytest

def test_first(shared):
    pass

def test_second():
    import lazy

def test_opens():
    assert Path("data.txt").read_text() and inspect.getsource(app.A) and Path("late.py").read_text()

def test_runs():
    subprocess.run(["true"])

def test_spawns():
    started = multiprocessing.get_context("spawn").Process(target=print)
    started.start()
    started.join()

def test_third(shared):
    pass

def test_asks(request):
    request.getfixturevalue("asked")

def test_fails():
    assert not app.used()

def test_is_skipped():
    pytest.skip("later")
""",
}


def ran_by(folder: Path, *arguments: str, stdin: str = "") -> str:
    argv = (recording.__file__, *arguments, "-q", "-p", "pytest_cov", "-p", "no:cacheprovider", "-c/dev/null")
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *argv, "--rootdir=."]
    done = subprocess.run(command, cwd=folder, env=alone, input=stdin, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in PROJECT.items():
        (tmp_path / path).write_text(text)
    return tmp_path


def test_what_is_recorded(project: Path) -> None:
    said = ran_by(project, "record", "record.json", "--cov=app", "--cov=late", "--cov=lazy", "--cov-branch")
    record = json.loads((project / "record.json").read_text())
    names = [test.removeprefix("test_a.py::test_") for test in record["tests"]]

    def who(number: str) -> list[str]:
        bits = int(number, 16)
        return ["anybody"] * (bits & 1) + [name for at, name in enumerate(names) if bits >> at + 1 & 1]

    assert "1 failed, 7 passed, 1 skipped" in said, said
    assert names == ["first", "second", "opens", "runs", "spawns", "third", "asks", "fails", "is_skipped"]
    assert record["cut"] == ["test_a.py::test_fails", "test_a.py::test_is_skipped"]
    assert {line: who(bits) for line, bits in record["ran"]["app.py"].items()} == {
        "0": ["anybody"],
        "2": ["anybody", "first", "third", "fails"],  # a fixture that a test asks for as it runs is anybody's
        "5": ["first", "third", "is_skipped"],
        "11": ["anybody"],
    }
    assert {line: who(bits) for line, bits in record["ran"]["late.py"].items()} == {"0": ["anybody"], "1": ["anybody"]}
    read = {path: who(bits) for path, bits in record["opened"].items() if path in PROJECT}
    assert read == {"app.py": ["opens"], "data.txt": ["opens"], "late.py": ["opens"]}
    assert who(record["started"]) == ["runs", "spawns"]


def test_without_the_tracer_nothing_is_known(tmp_path: Path) -> None:
    test = "import sys\ndef test_first(): ...\ndef test_takes(): sys.settrace(None)\ndef test_later(): ...\n"
    (tmp_path / "test_a.py").write_text(test)
    ran_by(tmp_path, "record", "record.json", "--cov=.", "--cov-branch")
    record = json.loads((tmp_path / "record.json").read_text())
    assert (len(record["tests"]), record["started"]) == (3, "c")


def test_what_is_left_out_does_not_run(project: Path) -> None:
    (project / "test_b.py").write_text("raise OSError\n")
    left = {"files": ["test_b.py"], "tests": [f"test_a.py::test_{name}" for name in ("runs", "spawns", "fails")]}
    said = ran_by(project, "without", "--no-cov", stdin=json.dumps(left))
    assert "5 passed, 1 skipped, 3 deselected" in said, said
