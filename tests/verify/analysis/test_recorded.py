"""What a recorded run rules out is never affected, and never more than imports choose."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omni.verify import registry
from omni.verify.analysis import recording
from omni.verify.analysis.impact import Selection, affected_tests
from omni.verify.analysis.junit import BadReportError
from omni.verify.analysis.recorded import keep, narrowed
from omni.verify.analysis.recording import Recorder
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


def select(root: Path, *changed: str) -> tuple[Selection, Selection]:
    """(by imports, by the record too)."""
    context = context_of(root)
    tests = sorted(str(path.relative_to(root)) for path in root.rglob("test_*.py"))
    wide, graph = affected_tests(context, tests, frozenset(changed))
    return wide, narrowed(context, graph, wide, frozenset(changed))


def module(chance: random.Random, number: int, filling: bool) -> str:
    """Functions that call modules before it: directly, from a cache, by an import of their own, when it is loaded.

    If `filling`, what another module keeps is where they put something and find it, instead of caches and such imports.
    """
    text = "from app import kept\n" if filling else ""
    for name in "fgh":
        calls = ["0"]
        lines = f"def {name}(x):\n"
        for each in range(number):
            kind, other = chance.random() + 0.1 * filling, chance.choice("fgh")
            if kind < 0.1:
                lines += f"    from app import m{each}\n"
            elif kind < 0.5:
                text = f"from app import m{each}\n{text}"
            else:
                continue
            calls.append(
                chance.choice([f"m{each}.{other}(x)", f"m{each}.VALUE", f"(m{each}.{other}(x) if x > 0 else 0)"])
            )
        if filling and chance.random() < 0.3:
            lines += f"    kept.SEEN[{number}] = {calls[-1]}\n"
        elif filling and chance.random() < 0.3:
            calls.append("sum(kept.SEEN.values())")
        kind, result = chance.random() + 0.15 * filling, f"{number} + {' + '.join(calls)}"
        cached = "@lru_cache\n" if kind < 0.05 else f"_{name}: dict[int, int] = {{}}\n" if kind < 0.15 else ""
        if cached.startswith("_"):
            lines += f"    if x not in _{name}:\n        _{name}[x] = {result}\n"
            result = f"_{name}[x]"
        text += f"{cached}{lines}    return x + {result}\n"
    value = chance.choice(["1", "1", "1", "f(3)"])
    return f"from functools import lru_cache\n{text}VALUE = {value}\n" if "@lru" in text else f"{text}VALUE = {value}\n"


def run(root: Path, recorded: bool) -> tuple[dict[str, object], dict[str, dict[str, list[int]]]]:
    """What each file of tests comes to, in one process as pytest does it; and which lines ran for whom."""
    lines: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    test = "shared"

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        path = frame.f_code.co_filename
        if not path.startswith(f"{root}/app/"):
            return None
        if event == "line":
            lines[path.removeprefix(f"{root}/")][test].add(frame.f_lineno)
        return trace

    found: dict[str, object] = {}
    before = sys.gettrace()
    sys.path.insert(0, str(root))
    try:
        if recorded:
            sys.settrace(trace)
        loaded: dict[str, dict[str, Callable[[], object]]] = {}
        for path in sorted(root.glob("test_*.py")):
            exec(compile(path.read_text(), str(path), "exec"), loaded.setdefault(path.name, {}))  # noqa: S102 - made above
        for test, names in loaded.items():
            found[test] = names["test"]()
    finally:
        sys.settrace(before)
        sys.path.remove(str(root))
        for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
            del sys.modules[name]
    return found, {path: {name: sorted(ran) for name, ran in each.items()} for path, each in lines.items()}


@given(st.integers(0, 10**6))
@example(16)  # a function of the program fills what two files of tests read
@settings(max_examples=60, deadline=None)
def test_what_is_left_out_comes_to_the_same(seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="omni-test-") as folder:
        root = Path(folder).resolve() / "project"
        (root / "app").mkdir(parents=True)
        (root / "app" / "__init__.py").touch()
        (root / "app" / "kept.py").write_text("SEEN: dict[int, int] = {}\n")
        filling = chance.random() < 0.5
        for number in range(MODULES):
            (root / "app" / f"m{number}.py").write_text(module(chance, number, filling))
        for number in range(TESTS):
            name, late = f"m{chance.randrange(MODULES)}", chance.random() < 0.1
            head, inner = ("", f"    from app import {name}\n") if late else (f"from app import {name}\n", "")
            body = f"{head}def test():\n{inner}    return {name}.{chance.choice('fgh')}({chance.randrange(2)})\n"
            (root / f"test_{number}.py").write_text(body)
        sys.dont_write_bytecode, written = True, sys.dont_write_bytecode
        try:
            before, lines = run(root, recorded=True)
            keep(context_of(root), json.dumps({"tests": sorted(before), "lines": lines}).encode())
            path = root / "app" / f"m{chance.randrange(MODULES)}.py"
            old, new = chance.choice([("return x + ", "return 100 + x + ")] * 4 + [("VALUE = ", "VALUE = 100 + ")])
            before_it, *after_it = path.read_text().split(old)
            at = chance.randrange(len(after_it))
            path.write_text(old.join([before_it, *after_it[:at]]) + new + old.join(after_it[at:]))
            after, _ = run(root, recorded=False)
        finally:
            sys.dont_write_bytecode = written
        wide, narrow = select(root, f"app/{path.name}")
    unseen = wide.left_out if filling else ()  # what a test that imports nothing of it finds filled otherwise
    assert {test for test in before if before[test] != after[test]}.difference(unseen) <= set(narrow.tests)
    assert set(narrow.tests) <= set(wide.tests)
    assert {*narrow.tests, *narrow.left_out} == set(before)


FILES = {
    "app/__init__.py": "",
    "app/a.py": "from app import b\n\ndef one():\n    return b.two()\n\ndef other():\n    return 1\n",
    "app/b.py": "def two():\n    return 2\n",
    "test_one.py": "from app.a import one\ndef test():\n    assert one()\n",
    "test_other.py": "from app.a import other\ndef test():\n    assert other()\n",
    "data.json": "{}",
}
RAN = {
    "app/__init__.py": {"shared": [1]},
    "app/a.py": {"shared": [1, 3, 6], "test_one.py": [4], "test_other.py": [7]},
    "app/b.py": {"shared": [1], "test_one.py": [2]},
}
BOTH = ("test_one.py", "test_other.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path)


def make(tmp_path: Path, cut: Sequence[str] = (), **ran: object) -> Path:
    root = tmp_path / "project"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    keep(context_of(root), json.dumps({"tests": BOTH, "cut": cut, "lines": RAN | ran}).encode())
    return root


def change(root: Path, path: str, old: str, new: str) -> tuple[str, ...]:
    (root / path).write_text((root / path).read_text().replace(old, new))
    return select(root, path)[1].tests


def test_only_tests_in_which_the_changed_function_ran_are_chosen(root: Path) -> None:
    assert change(root, "app/b.py", "return 2", "return 3") == ("test_one.py",)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("app/b.py", "def two():", "LIMIT = 1\n\ndef two():"),
        ("app/b.py", "def two():", "def two(limit=1):"),
        ("app/b.py", "    return 2", "    '''Says two.'''\n    return 2"),
        ("app/b.py", "return 2", "return 2 +"),
        ("app/a.py", "return 1", "return 3"),
        ("app/__init__.py", "", "NAME = 1\n"),
    ],
)
def test_what_is_done_on_loading_affects_whoever_imports_it(root: Path, path: str, old: str, new: str) -> None:
    assert change(root, path, old, new) == BOTH


@pytest.mark.parametrize(
    "ran",
    [
        {"app/b.py": {"shared": [1, 2], "test_one.py": [2]}},  # a fixture of the session, or while it was loaded
        {"app/b.py": {"test_one.py": [1, 2]}},  # loaded in the middle of a test
        {"app/a.py": {"test_one.py": [1, 4]}},  # and so is who imports it
        {"app/b.py": {"shared": [1], "test_gone.py": [2]}},
    ],
)
def test_what_ran_for_nobody_knows_whom_is_anybodys(tmp_path: Path, ran: dict[str, object]) -> None:
    root = make(tmp_path, **ran)
    assert change(root, "app/b.py", "return 2", "return 3") == BOTH


def test_who_did_not_get_to_its_end_is_always_chosen(tmp_path: Path) -> None:
    root = make(tmp_path, cut=["test_other.py"])
    assert change(root, "app/b.py", "return 2", "return 3") == BOTH


@pytest.mark.parametrize(
    "kept",
    [
        "from functools import cache",
        "from functools import cached_property",
        "_KNOWN: dict[str, int] = {}",
        "_known = []",
        "_KNOWN = collections.defaultdict(list)",
        "_KNOWN = dict[str, int]()",
        "_NOW: ContextVar[int] = ContextVar('now')",
        "_OF_THREAD = threading.local()",
        "class A:\n    known: ClassVar[dict[str, int]] = {}",
        "_KNOWN = {'a': 1}\ndef know(name):\n    return _KNOWN.setdefault(name, 2)",
        "_KNOWN = {'a': 1}\ndef know(name):\n    _KNOWN[name] = 2",
        "_KNOWN = [1]\ndef know(name):\n    def inner():\n        _KNOWN.append(name)\n    inner()",
        "class A:\n    known = {}",
        "class A:\n    known = 1\n    @classmethod\n    def know(cls):\n        cls.known += 1",
        "def know(name, *, _known={}):\n    return _known",
        "def know(name):\n    know.known = name",
        "def know(name):\n    return name\nknow.known = {}",
        "_KNOWN = [1]\ndef know(name):\n    _KNOWN.remove(name)",
        "_KNOWN = [1]\ndef know():\n    _KNOWN.sort()",
        "import json\ndef know(name):\n    setattr(json, 'known', name)",
    ],
)
def test_what_carries_something_from_test_to_test_is_not_told_apart(root: Path, kept: str) -> None:
    (root / "app" / "a.py").write_text(f"{FILES['app/a.py']}{kept}\n")
    keep(context_of(root), json.dumps({"tests": BOTH, "lines": RAN}).encode())
    assert change(root, "app/b.py", "return 2", "return 3") == BOTH


@pytest.mark.parametrize(
    "local",
    [
        "def know(name):\n    known = {}\n    known[name] = 2\n    return known",
        "def know(name):\n    def inner():\n        known.append(name)\n    known = [1]\n    inner()\n    return known",
        "class A:\n    LEAST = 1\n    def know(self, known):\n        self.known, known[1] = {}, 2",
        "_NAMES = {'a': 1}\n_EVEN = (2, 4)\ndef know(name, most=1):\n    return _NAMES[name] + most",
    ],
)
def test_what_ends_with_its_call_or_is_never_written_carries_nothing(root: Path, local: str) -> None:
    (root / "app" / "a.py").write_text(f"{FILES['app/a.py']}{local}\n")
    keep(context_of(root), json.dumps({"tests": BOTH, "lines": RAN}).encode())
    assert change(root, "app/b.py", "return 2", "return 3") == ("test_one.py",)


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"app/b.py": "from app import kept\ndef two():\n    kept.SEEN[1] = 2\n    return 2\n"}, BOTH),
        (
            {
                "test_one.py": "from app import a, kept\ndef test():\n    assert kept.fill(a.one)\n",
                "test_other.py": "from app import a, kept\ndef test():\n    assert a.other() not in kept.SEEN\n",
            },
            BOTH,
        ),
        ({"test_apart.py": "from app import kept\ndef test():\n    assert kept.fill(int)\n"}, BOTH[:1]),
    ],
)
def test_who_shares_what_a_module_keeps_is_not_told_apart(
    root: Path, files: dict[str, str], chosen: tuple[str, ...]
) -> None:
    """Whether the changed function fills it or the test in which it runs; not where only others depend on it."""
    kept = "SEEN: dict[int, int] = {}\ndef fill(count):\n    SEEN[1] = count()\n    return SEEN\n"
    for path, text in {"app/kept.py": kept, **files}.items():
        (root / path).write_text(text)
    first, last = (3, 4) if "app/b.py" in files else (2, 2)
    ran = RAN | {"app/b.py": {"shared": [1, first - 1], "test_one.py": [first, last]}}
    keep(context_of(root), json.dumps({"tests": BOTH, "lines": ran}).encode())
    assert change(root, "app/b.py", "return 2", "return 3") == chosen


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("from inspect import getsource", "assert getsource(b.two)"),
        ("from multiprocessing import Process", "Process(target=b.two).run()"),
    ],
)
def test_what_a_test_does_that_nobody_records_is_not_ruled_out(root: Path, head: str, body: str) -> None:
    (root / "test_other.py").write_text(f"{head}\nfrom app import b\ndef test():\n    {body}\n")
    keep(context_of(root), json.dumps({"tests": BOTH, "lines": RAN}).encode())
    assert change(root, "app/b.py", "return 2", "return 3") == BOTH


@pytest.mark.parametrize("other", ["from test_one import known\ndef test():\n    assert known()\n", None])
def test_what_a_test_keeps_may_be_used_by_another(root: Path, other: str | None) -> None:
    cached = "from functools import cache\nfrom app.a import one\n@cache\ndef known():\n    return one()\n"
    (root / "test_one.py").write_text(f"{cached}def test():\n    assert known()\n")
    if other:
        (root / "test_other.py").write_text(other)
    keep(context_of(root), json.dumps({"tests": BOTH, "lines": RAN}).encode())
    assert change(root, "app/b.py", "return 2", "return 3") == (BOTH if other else ("test_one.py",))


def test_other_data_than_when_it_was_recorded_makes_the_record_void(root: Path) -> None:
    (root / "data.json").write_text("[]")
    assert change(root, "app/b.py", "return 2", "return 3") == BOTH


def test_a_change_that_was_not_asked_about_counts_too(root: Path) -> None:
    change(root, "app/a.py", "return b.two()", "return 1 + b.two()")
    assert change(root, "app/b.py", "return 2", "return 3") == BOTH  # what now runs in them is not known


def test_new_tests_are_always_chosen(root: Path) -> None:
    (root / "test_new.py").write_text("from app.a import other\ndef test():\n    assert other()\n")
    assert change(root, "app/b.py", "return 2", "return 3") == ("test_new.py", "test_one.py")


@pytest.mark.parametrize("data", [b"", b"[]", b'{"tests": 1}', b'{"tests": [], "lines": {"b": {"c": ["d"]}}}', b"\xff"])
def test_what_is_no_record_is_refused(root: Path, data: bytes) -> None:
    with pytest.raises(BadReportError, match="it is no record"):
        keep(context_of(root), data)


class Measured:
    """Coverage as pytest-cov holds it, by a core that tells tests apart or not."""

    def __init__(self, tells_apart: bool) -> None:
        self._core = SimpleNamespace(supports_dynamic_contexts=tells_apart)

    def get_data(self) -> SimpleNamespace:
        lines = {4: ["test_one.py"], 1: [""]}
        return SimpleNamespace(
            contexts_by_lineno=lambda _path: lines, measured_files=lambda: [str(Path("a.py").resolve())]
        )


@pytest.mark.parametrize("tells_apart", [True, False])
def test_a_core_that_tells_no_tests_apart_leaves_no_record(tmp_path: Path, tells_apart: bool) -> None:
    coverage = SimpleNamespace(cov_controller=SimpleNamespace(cov=Measured(tells_apart)))
    config = SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=lambda _name: coverage))
    report = tmp_path / "record.json"
    Recorder(report).pytest_unconfigure(config)
    assert report.is_file() is tells_apart


FAILING = {
    "test_all.py": "def test():\n    pass\n",
    "test_failed.py": "def test():\n    assert not 1\n",
    "test_skipped.py": "import pytest\n\ndef test():\n    pytest.skip('later')\n",
    "test_set_up.py": "import pytest\n\n@pytest.fixture\ndef it():\n    raise OSError\n\ndef test(it):\n    pass\n",
}


def test_who_did_not_get_to_its_end_is_recorded(tmp_path: Path) -> None:
    for path, text in FAILING.items():
        (tmp_path / path).write_text(text)
    argv = (recording.__file__, "record.json", "-q", "-p", "pytest_cov", "-c/dev/null", "--rootdir=.", "--cov=.")
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run([sys.executable, *argv], cwd=tmp_path, env=alone, capture_output=True, check=False)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["tests"] == sorted(FAILING)
    assert record["cut"] == sorted(FAILING.keys() - {"test_all.py"})
