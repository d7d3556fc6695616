"""Runs inside the sandbox, in the project's own environment: the standard library, pytest and coverage only.

`record` runs the tests once and writes which lines each ran and how long it took. `hot` and `cold` try mutants, each
in a forked child that ends at the first test that fails. `hot` has imported the tests, and the child puts the changed
code in the place of the old one: for mutants in functions. `cold` has imported libraries only, and the child imports
the changed module: for mutants that take effect on import. The job comes as JSON on standard input, answers go to a
file, a JSON line each.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, TypedDict

if TYPE_CHECKING:
    import pytest

KILLED, SURVIVED, TIMEOUT, CRASHED = "killed", "survived", "timeout", "crashed"
INVALID = "invalid"
"""The changed text is no Python."""
ELSEWHERE = "elsewhere"
"""The function can't be exchanged in a running program; `cold` can do it."""
STARTED = "started"

MEMORY = 2 << 30
"""Bytes of address space that a mutant may take beyond what the tests had."""


class Task(TypedDict):
    """A mutant. `file` is absolute, `start` and `end` are byte offsets, `scope` lines of its function."""

    id: int
    file: str
    start: int
    end: int
    replacement: str
    scope: tuple[int, int]
    tests: list[str]
    """Those that cover it, the fastest first."""
    seconds: float
    """After which it is stopped."""


class Job(TypedDict):
    options: list[str]
    """Of pytest."""
    tests: list[str]
    """Files and folders for pytest; none: what its configuration says."""
    files: list[str]
    """Absolute paths of the modules whose lines are recorded."""
    answers: str
    mutants: list[Task]
    modules: list[str]
    """Libraries to import beforehand."""
    watched: list[str]
    """Files that no mutant may change: one that does ends the run, since the next ones need a new copy."""
    seconds: float
    """After which no further mutant is begun."""


class Answer(TypedDict):
    id: int
    outcome: str
    by: str
    """The test that noticed."""
    seconds: float


class Recording(TypedDict):
    tests: list[str]
    seconds: list[float]
    failed: dict[str, str]
    """Test → the last of what it said."""
    skipped: list[str]
    lines: dict[str, dict[str, list[int]]]
    """Absolute path → line → the places in `tests` of those that ran it; none: it ran on import."""
    problems: list[str]
    """What could not be collected, and why."""
    modules: list[str]
    """Libraries that the tests import."""


def arguments(job: Job) -> list[str]:
    """pytest's, with everything off that would cost time or depend on chance."""
    flags = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header", "--tb=short", "--show-capture=no"]
    for module, flag in (("xdist", "-n0"), ("pytest_cov", "--no-cov"), ("hypothesis", "--hypothesis-seed=0")):
        if importlib.util.find_spec(module):
            flags.append(flag)
    return [*job["options"], *flags, f"--rootdir={Path.cwd()}"]


class Recorder:
    """A plug-in of pytest: which lines each test runs. Lines that run on import belong to no test."""

    def __init__(self, job: Job) -> None:
        import coverage

        self.coverage = coverage.Coverage(data_file=None, include=job["files"], config_file=False)
        self.said: Recording = {
            "tests": [], "seconds": [], "failed": {}, "skipped": [], "lines": {}, "problems": [], "modules": [],
        }  # fmt: skip

    def pytest_configure(self) -> None:
        self.coverage.start()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.said["problems"].append(f"{report.nodeid}: {report.longreprtext[-300:]}")

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        from _pytest.runner import runtestprotocol

        self.coverage.switch_context(str(len(self.said["tests"])))
        self.said["tests"].append(item.nodeid)
        started = time.perf_counter()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        self.said["seconds"].append(round(time.perf_counter() - started, 4))
        self.coverage.switch_context("")
        for report in reports:
            if report.failed:
                self.said["failed"][item.nodeid] = report.longreprtext[-300:]
            elif report.skipped:
                self.said["skipped"].append(item.nodeid)
        return True

    def result(self) -> Recording:
        self.coverage.stop()
        data = self.coverage.get_data()
        for path in data.measured_files():
            by_line = data.contexts_by_lineno(path)
            self.said["lines"][path] = {str(line): numbers(found) for line, found in by_line.items()}
        return self.said


def numbers(contexts: Iterable[str]) -> list[int]:
    return sorted({int(each) for each in contexts if each})


def record(job: Job) -> None:
    import pytest

    before = set(sys.modules)
    recorder = Recorder(job)
    pytest.main([*arguments(job), *job["tests"]], plugins=[recorder])
    here = f"{Path.cwd()}/"
    recording = recorder.result()
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if name not in before and path and not path.startswith(here):
            recording["modules"].append(name)
    Path(job["answers"]).write_text(json.dumps(recording), "utf-8")


class Hot:
    """A plug-in of pytest: the tests are imported, nothing has run."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        functions = live_functions({task["file"] for task in self.job["mutants"]})

        def work(task: Task) -> None:
            exchange(task, functions)
            run_items([items[test] for test in task["tests"] if test in items])

        try_all(self.job, work)
        return True


class Cold:
    """A plug-in of pytest, in the child of a mutant that takes effect on import."""

    def __init__(self, tests: Iterable[str]) -> None:
        self.place = {test: place for place, test in enumerate(tests)}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            say(KILLED, f"the import of {report.nodeid}")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        wanted = [item for item in session.items if item.nodeid in self.place]
        run_items(sorted(wanted, key=lambda item: self.place[item.nodeid]))
        return True


def hot(job: Job) -> None:
    import pytest

    files = dict.fromkeys(test.split("::")[0] for task in job["mutants"] for test in task["tests"])
    pytest.main([*arguments(job), *files], plugins=[Hot(job)])


def cold(job: Job) -> None:
    import pytest

    for name in job["modules"]:
        with contextlib.suppress(BaseException):  # one that can't be imported alone is imported by who needs it
            importlib.import_module(name)

    def work(task: Task) -> None:
        change_import(task)
        files = dict.fromkeys(test.split("::")[0] for test in task["tests"])
        code = pytest.main([*arguments(job), *files], plugins=[Cold(task["tests"])])
        if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            say(KILLED, "pytest could not start")

    try_all(job, work)


def run_items(items: list[pytest.Item]) -> None:
    from _pytest.runner import runtestprotocol

    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        for report in runtestprotocol(item, log=False, nextitem=following):
            if report.failed:
                say(KILLED, item.nodeid)


Name = tuple[str, str, int]
"""Of a function: file, qualified name, first line."""


def live_functions(files: set[str]) -> dict[Name, list[types.FunctionType]]:
    """The function objects that there are."""
    found: dict[Name, list[types.FunctionType]] = {}
    for each in gc.get_objects():
        if type(each) is types.FunctionType and each.__code__.co_filename in files:
            found.setdefault(name_of(each.__code__), []).append(each)
    return found


def name_of(code: types.CodeType) -> Name:
    return code.co_filename, getattr(code, "co_qualname", code.co_name), code.co_firstlineno


def changed(task: Task) -> types.CodeType:
    data = Path(task["file"]).read_bytes()
    text = data[: task["start"]] + task["replacement"].encode() + data[task["end"] :]
    return compile(text, task["file"], "exec", dont_inherit=True)


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield each
            yield from codes(each)


def exchange(task: Task, functions: dict[Name, list[types.FunctionType]]) -> None:
    """Give every function in the mutant's scope its changed code; a module that is not imported yet is, changed."""
    if not any(getattr(each, "__file__", None) == task["file"] for each in list(sys.modules.values())):
        change_import(task)
        return
    first, last = task["scope"]
    inside = [code for code in codes(changed(task)) if first <= code.co_firstlineno <= last]
    pairs = [(function, code) for code in inside for function in functions.get(name_of(code), ())]
    held = any(code.co_firstlineno == first for _, code in pairs)
    if not held or any(function.__code__.co_freevars != code.co_freevars for function, code in pairs):
        say(ELSEWHERE)
    for function, code in pairs:
        function.__code__ = code


def change_import(task: Task) -> None:
    code = changed(task)
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> types.CodeType | None:
        return code if self.path == task["file"] else original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


def try_all(job: Job, work: Callable[[Task], None]) -> None:
    """Each mutant in a child of its own, until the time is over or one has damaged the project's files."""
    gc.collect()
    gc.freeze()  # what is there stays shared with the children
    deadline = time.monotonic() + job["seconds"]
    intact = {path: about(path) for path in job["watched"]}
    with Path(job["answers"]).open("w", encoding="utf-8", buffering=1) as out:
        for task in job["mutants"]:
            if time.monotonic() > deadline or any(about(path) != was for path, was in intact.items()):
                return
            write(out.write, {"id": task["id"], "outcome": STARTED, "by": "", "seconds": 0.0})
            write(out.write, in_child(task, work))


def write(out: Callable[[str], object], answer: Answer) -> None:
    out(json.dumps(answer) + "\n")


def about(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - of every file of the project, after each mutant
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns


def in_child(task: Task, work: Callable[[Task], None]) -> Answer:
    folder = tempfile.mkdtemp(prefix="mutant-")
    started = time.monotonic()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        live(task, work, folder, writer)
    os.close(writer)
    ready = select.select([reader], [], [], task["seconds"])[0]
    said = os.read(reader, 65536).decode("utf-8", "replace") if ready else TIMEOUT
    os.close(reader)
    end(pid)
    shutil.rmtree(folder, ignore_errors=True)
    outcome, _, by = said.partition("\n")
    return {"id": task["id"], "outcome": outcome or CRASHED, "by": by, "seconds": round(time.monotonic() - started, 3)}


def end(pid: int) -> None:
    """The child and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


answer_to = -1
"""Where a child says how it ended."""


def live(task: Task, work: Callable[[Task], None], folder: str, writer: int) -> NoReturn:
    """The child: it says one word and ends, whatever happens."""
    global answer_to  # noqa: PLW0603 - of this process alone
    answer_to = writer
    try:
        os.setpgid(0, 0)
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limit = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        work(task)
        say(SURVIVED)
    except SyntaxError as problem:
        say(INVALID, str(problem))
    except BaseException as problem:  # what ends the run of the tests is noticed, whatever it is
        say(KILLED, type(problem).__name__)


def say(outcome: str, detail: str = "") -> NoReturn:
    os.write(answer_to, f"{outcome}\n{detail}".encode("utf-8", "replace")[:60000])
    os._exit(0)


def main() -> None:
    mode: Literal["record", "hot", "cold"] = sys.argv[1]  # type: ignore[assignment]
    job: Job = json.load(sys.stdin)
    sys.argv[1:] = []
    Path(job["answers"]).parent.mkdir(exist_ok=True)
    {"record": record, "hot": hot, "cold": cold}[mode](job)


if __name__ == "__main__":
    main()
