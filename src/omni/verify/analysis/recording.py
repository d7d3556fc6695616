"""A program for the project's Python: pytest, with a record of what each test ran; or without the tests to leave out.

`record REPORT …` runs pytest with the arguments that follow, and writes JSON (`Record` in recorded.py reads it):

- `tests`: their names, in the order in which they ran; `cut`: those that did not get to their end, or failed;
- `ran`: file → line of a `def` (0: the module) → who ran a line of its body;
- `opened`: file → who opened it, where it is not about an import or the text of a traceback; `started`: who started
  another process, in which nothing is recorded.

Who is a number, as hexadecimal digits: bit 0 is whoever is not known or everybody (what runs while modules are
loaded, or tests are collected), bit n+1 is test n. What a fixture of more than one test does is done for all that
use it. Coverage by `sys.monitoring` tells each line once, of whichever test came first, so it is measured with a
tracer; where that is not to be had, nothing is recorded.

`without …` runs pytest without the tests and the files of tests that standard input names as JSON.
"""

from __future__ import annotations

import _posixsubprocess
import ast
import importlib
import importlib.machinery
import inspect
import json
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import coverage

ANYBODY = ""
"""The context of what is nobody's, and so everybody's."""
STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "os.exec"})
"""Audit events, https://docs.python.org/3/library/audit_events.html"""
ASKED = frozenset(
    {"ldconfig", "gcc", "cc", "ld", "objdump", "uname", "file", "ifconfig", "ip", "arp", "netstat", "lanscan"}
)
"""Programs that Python's own `ctypes.util`, `platform` and `uuid` ask about the machine."""
NOT_READING = (
    "<frozen importlib",
    "linecache.py",
    *(f"{os.sep}{package}{os.sep}" for package in ("_pytest", "coverage", "hypothesis")),
)
"""Who opens a module to run it, to show a line of a traceback, to measure it, or to get ideas for examples."""


class Recorder:
    """A plug-in of pytest, on the coverage that pytest-cov measures."""

    def __init__(self, report: Path) -> None:
        self.report = report
        self.root, self.environment = f"{Path.cwd()}{os.sep}", f"{sys.prefix}{os.sep}"
        self.coverage: Any = None
        self.now = ANYBODY
        self.switching = False
        self.ran: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        """File → line of a `def` → contexts in which a line of its body ran."""
        self.functions: dict[str, dict[int, int]] = {}
        """File → line → that of the innermost `def`."""
        self.data: Any = None
        self.arcs: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
        """What is kept from coverage until the end: to write it for each context takes as long as the tests."""
        self.tracer: object = None
        self.tests: dict[str, int] = {}
        self.uses: dict[int, frozenset[str]] = {}
        """Names of the fixtures of each test."""
        self.ended: defaultdict[str, set[str]] = defaultdict(set)
        """Context → fixtures of several tests that ended in it."""
        self.cut: set[str] = set()
        self.opened: defaultdict[str, set[str]] = defaultdict(set)
        self.started: set[str] = set()

    def pytest_configure(self, config: Any) -> None:
        plugin = config.pluginmanager.getplugin("_cov")
        self.coverage = getattr(getattr(plugin, "cov_controller", None), "cov", None)

    def pytest_collection_finish(self) -> None:
        self.tracer = sys.gettrace()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: Any) -> None:
        number = self.tests.setdefault(item.nodeid, len(self.tests))
        self.uses[number] = frozenset(getattr(item, "fixturenames", ()))
        self.switch(f"{number}")
        self.look_for_tracer()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        before = self.now
        if fixturedef.scope != "function":
            asked = fixturedef.argname in self.uses[len(self.tests) - 1]
            self.switch(f"fixture {fixturedef.argname}" if asked else ANYBODY)
        yield
        self.switch(before)

    def pytest_runtest_teardown(self, item: Any, nextitem: Any) -> None:
        if nextitem is None or nextitem.parent is not item.parent:  # what several tests share may end, too
            self.switch(f"{self.tests[item.nodeid]} end")

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        if fixturedef.scope != "function":
            self.ended[self.now].add(fixturedef.argname)

    def pytest_runtest_logfinish(self) -> None:
        self.look_for_tracer()
        self.switch(ANYBODY)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.outcome != "passed":  # it failed or was skipped, maybe halfway
            self.cut.add(report.nodeid)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        yield  # coverage ends after this
        if self.data is not None:
            self.data.add_arcs(self.arcs)

    def look_for_tracer(self) -> None:
        """A test that takes its place is as one that started a process: what ran in it is not known."""
        if sys.gettrace() is not self.tracer:
            self.started.add(self.now)

    def switch(self, context: str) -> None:
        if context == self.now:
            return
        if self.coverage is not None:
            self.switching = True
            self.coverage.switch_context("")  # which calls `add_arcs`
            self.switching = False
        self.now = context

    def take(self, arcs: Mapping[str, Iterable[tuple[int, int]]]) -> None:
        for path, pairs in arcs.items():
            self.arcs[path].update(pairs)
            if path not in self.functions:
                self.functions[path] = _functions(path)
            functions = self.functions[path]
            for place in {functions.get(line, 0) for _, line in pairs if line > 0}:  # whatever runs is come to
                self.ran[path][place].add(self.now)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        if event in STARTS:
            if not (event == "subprocess.Popen" and Path(os.fsdecode(arguments[0])).name in ASKED):
                self.started.add(self.now)
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            with suppress(OSError, ValueError):  # a folder that is gone, a name that can't be one: it tells of itself
                self.note(os.path.abspath(os.fsdecode(arguments[0])))  # noqa: PTH100 - of every file that is opened

    def note(self, path: str) -> None:
        """That it was opened."""
        if not self.owns(path) or path.endswith(".pyc"):
            return
        if not path.endswith(".py") or self.reads(inspect.currentframe()):
            self.opened[path].add(self.now)

    def owns(self, path: str) -> bool:
        """Whether it is the project's, and not of an environment that lies in its folder."""
        return path.startswith(self.root) and not path.startswith(self.environment)

    def reads(self, frame: FrameType | None) -> bool:
        """Whether it is the project that wants the text of a module: who of both comes first, from the inside."""
        while frame is not None and not self.owns(frame.f_code.co_filename):
            if any(each in frame.f_code.co_filename for each in NOT_READING):
                return False
            frame = frame.f_back
        return True

    def pytest_unconfigure(self) -> None:
        if self.data is None or not _tells_apart(self.coverage):
            return
        self.report.parent.mkdir(parents=True, exist_ok=True)
        self.report.write_text(json.dumps(self.said(Path.cwd())), encoding="utf-8")

    def said(self, root: Path) -> dict[str, object]:
        """The record, of files relative to this folder."""
        owners = self.owners()
        return {
            "tests": [*self.tests],
            "cut": sorted(self.cut),
            "ran": {os.path.relpath(path, root): _whose(owners, places) for path, places in self.ran.items()},
            "opened": {os.path.relpath(path, root): _hex(owners, contexts) for path, contexts in self.opened.items()},
            "started": _hex(owners, self.started),
        }

    def owners(self) -> dict[str, int]:
        """Context → whose it is."""
        users: defaultdict[str, int] = defaultdict(int)
        for number, names in self.uses.items():
            for name in names:
                users[name] |= 2 << number
        found = {f"fixture {name}": tests for name, tests in users.items()}
        for number in range(len(self.tests)):
            found[f"{number}"] = found[f"{number} end"] = 2 << number
        for context, ended in self.ended.items():
            for name in ended:
                found[context] = found.get(context, 1) | users[name]
        return found


def _functions(path: str) -> dict[int, int]:
    """Line → that of the innermost `def` in whose body it lies."""
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, ValueError, SyntaxError):
        return {}
    found: dict[int, int] = {}
    for node in ast.walk(tree):  # outer ones come first
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= dict.fromkeys(range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1), node.lineno)
    return found


def _whose(owners: dict[str, int], places: dict[int, set[str]]) -> dict[int, str]:
    return {place: _hex(owners, contexts) for place, contexts in sorted(places.items())}


def _hex(owners: dict[str, int], contexts: set[str]) -> str:
    who = 0
    for context in contexts:
        who |= owners.get(context, 1)
    return f"{who:x}"


def _tells_apart(measured: Any) -> bool:
    core = getattr(measured, "_core", None)  # older ones have none, and trace always
    return bool(getattr(core, "supports_dynamic_contexts", True))


def _tracer() -> str:
    """For `COVERAGE_CORE`: coverage ends the program that asks for what it was built without."""
    try:
        importlib.import_module("coverage.tracer")
    except ImportError:
        return "pytrace"
    return "ctrace"


def _watch(recorder: Recorder) -> None:
    """What coverage does not tell: what is opened and started, whose text is asked for, which modules are loaded."""
    from coverage import CoverageData  # a tenth of a second, which a run without a record does without

    loader = importlib.machinery.SourceFileLoader
    load, find, write = loader.exec_module, inspect.findsource, CoverageData.add_arcs
    start = _posixsubprocess.fork_exec

    def exec_module(self: importlib.machinery.SourceFileLoader, module: ModuleType) -> None:
        before = recorder.now
        recorder.switch(ANYBODY if recorder.owns(self.path) else before)
        try:
            load(self, module)
        finally:
            recorder.switch(before)

    def add_arcs(self: coverage.CoverageData, arc_data: Mapping[str, Collection[tuple[int, int]]]) -> None:
        if recorder.switching:
            recorder.data = self
            recorder.take(arc_data)
        else:
            write(self, arc_data)

    def fork_exec(*arguments: Any) -> Any:  # by which multiprocessing starts a process, and says so to no hook
        recorder.started.add(recorder.now)
        return start(*arguments)

    def findsource(object: Any) -> Any:  # noqa: A002 - its name there
        path = inspect.getsourcefile(object)
        if path:
            recorder.note(path)
        return find(object)

    # Tracebacks leave out the frames of imports, by the name of their file.
    exec_module.__code__ = exec_module.__code__.replace(co_filename=load.__code__.co_filename)
    loader.exec_module = exec_module  # type: ignore[assignment,method-assign]
    inspect.findsource = findsource
    CoverageData.add_arcs = add_arcs  # type: ignore[method-assign]
    _posixsubprocess.fork_exec = fork_exec
    sys.addaudithook(recorder.hear)


class Without:
    """A plug-in of pytest that leaves out tests, and files of tests."""

    def __init__(self, tests: list[str], files: list[str]) -> None:
        self.tests = frozenset(tests)
        self.files = frozenset(Path(file).absolute() for file in files)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return True if collection_path in self.files else None

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        out = [item for item in items if item.nodeid in self.tests]
        if out:
            items[:] = [item for item in items if item.nodeid not in self.tests]
            config.hook.pytest_deselected(items=out)


def main() -> int:
    mode, *arguments = sys.argv[1:]
    if mode == "without":
        return int(pytest.main(arguments, plugins=[Without(**json.load(sys.stdin))]))
    os.environ["COVERAGE_CORE"] = _tracer()
    recorder = Recorder(Path(arguments[0]))
    _watch(recorder)
    return int(pytest.main(arguments[1:], plugins=[recorder]))


if __name__ == "__main__":
    sys.exit(main())
