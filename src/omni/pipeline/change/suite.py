"""The tests of a project that may be hostile, run in the sandbox: what became of each, by name."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from omni.kernel.errors import OmniError
from omni.sandbox import python_mounts
from omni.sandbox.job import Driver, Isolation, Job, JobResult, Limits, Mount
from omni.verify.analysis.junit import BadReportError, Case, Outcome, read_junit
from omni.verify.analysis.packages import installed
from omni.verify.analysis.repetition import node_id
from omni.verify.config import ProjectConfig, load_config
from omni.verify.environment import find_environment

JUNIT = "reports/omni-junit.xml"
REACHED = "reports/omni-reached.json"
LIMITS = Limits(wall=900, memory=4096, disk=2048, processes=512)
NO_TESTS = 5
"""pytest's exit code when it collected nothing."""
AGAIN, FEW = 3, 20
"""How often tests that fail are run again by themselves, and up to how many; more of them only once."""


class Ran(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome
    path: str = ""
    broke: Literal["", "failure", "error"] = ""
    """Of a failed one: in the test itself, or around it (collection, a fixture)."""
    message: str = ""
    details: str = ""


class Suite(BaseModel):
    """One run. `problem` says why it can't be believed or was not made; it is empty for a good run, red or green."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tests: dict[str, Ran] = {}
    """By pytest's name: `tests/test_a.py::test_b`."""
    command: tuple[str, ...] = ()
    seconds: float = 0.0
    isolation: Isolation | None = None
    reached: tuple[tuple[str, int], ...] = ()
    """Watched functions that ran: file and first line."""
    problem: str = ""

    def named(self, outcome: Outcome) -> frozenset[str]:
        return frozenset(name for name, test in self.tests.items() if test.outcome == outcome)

    @property
    def told(self) -> str:
        """`12 passed, 1 failed`"""
        counts = ((len(self.named(outcome)), outcome) for outcome in ("passed", "failed", "skipped"))
        return ", ".join(f"{count} {outcome}" for count, outcome in counts if count) or self.problem or "no tests"


@dataclass(frozen=True)
class Tester:
    """Runs the tests of the project whose copy lies at `root`, with the environment that the person named."""

    root: Path
    project: ProjectConfig
    environment: Path | None
    driver: Callable[[], Driver]
    overlay: Path | None = None
    """A folder of packages that win over those of the environment."""
    watched: tuple[str, ...] = ()
    """Files whose functions are watched by the plug-in `omni_reached` of the overlay: `Suite.reached`."""

    @classmethod
    def of(cls, root: Path, source: Path, given: Path | None, driver: Callable[[], Driver]) -> Tester:
        """For the copy of `source` at `root`. The environment lies in `source` if it is not named: a copy has none.

        Raises OmniError when the project's omni.toml is bad.
        """
        project = load_config(root)
        return cls(root, project, find_environment(source, given, project), driver)

    def missing(self) -> str:
        """What keeps the tests from being run, and what to type; empty when nothing does."""
        if self.environment is None:
            return (
                "there is no virtual environment with the project's dependencies. Type: python3 -m venv .venv && "
                ".venv/bin/pip install -e . pytest, or name one: --environment FOLDER"
            )
        if not self.project.tests.command and "pytest" not in installed(self.environment):
            return f"pytest is missing in the environment. Type: {self.environment}/bin/pip install pytest"
        return ""

    def run(self, only: Sequence[str] = ()) -> Suite:
        """The whole suite, or some of its tests by name. Raises OmniError when there is no sandbox to run it in."""
        if missing := self.missing():
            return Suite(problem=missing)
        command = self._command(only)
        with tempfile.TemporaryDirectory(prefix="omni-suite-") as folder:
            result = self.driver().run(self._job(command, Path(folder)))
            junit = Path(folder) / JUNIT
            data = junit.read_bytes() if junit.is_file() else b""
            reached = _reached(Path(folder) / REACHED)
        about = {
            "reached": reached,
            "command": command,
            "seconds": round(result.seconds, 2),
            "isolation": result.isolation,
        }
        return _read(data, result).model_copy(update=about)

    def _command(self, only: Sequence[str]) -> tuple[str, ...]:
        if self.project.tests.command:
            return self.project.tests.command
        quiet = ("-q", "-p", "no:cacheprovider", f"--junitxml={JUNIT}", "-o", "junit_family=xunit1")
        watching = ("-p", "omni_reached") if self.watched else ()
        return ("python", "-m", "pytest", *quiet, *watching, *only)

    @property
    def _path(self) -> str:
        roots = self.project.source_roots or (("src",) if (self.root / "src").is_dir() else (".",))
        return ":".join(f"/work/{root}" for root in roots)

    @property
    def by_hand(self) -> str:
        """What to type in the sandbox to run the tests as they are run here."""
        command = self.project.tests.command or ("python", "-m", "pytest", "-q")
        return f"PYTHONPATH={self._path} {shlex.join(command)}"

    def _job(self, command: tuple[str, ...], into: Path) -> Job:
        assert self.environment is not None  # noqa: S101 - `missing` said so
        over = (Mount(self.overlay),) if self.overlay and self.overlay.is_dir() else ()
        return Job(
            argv=command,
            workspace=self.root,
            env={
                "PATH": f"{self.environment / 'bin'}:/usr/local/bin:/usr/bin:/bin",
                # Imports work as if the project were installed.
                "PYTHONPATH": ":".join(filter(None, (self._path, str(self.overlay or "")))),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NO_COLOR": "1",
                **({"OMNI_WATCHED": ":".join(self.watched)} if self.watched else {}),
            },
            mounts=(*python_mounts(self.environment), *over),
            limits=LIMITS,
            collect=(JUNIT, REACHED) if self.watched else (JUNIT,),
            into=into,
        )


def _reached(place: Path) -> tuple[tuple[str, int], ...]:
    """Nothing where it can't be read: it was written beside foreign code."""
    try:
        return TypeAdapter(tuple[tuple[str, int], ...]).validate_json(place.read_bytes())
    except (OSError, ValidationError):
        return ()


def _read(data: bytes, result: JobResult) -> Suite:
    if result.ended != "exited":
        return Suite(problem=f"the tests ended by {result.ended} after {result.seconds:.0f} s")
    if not data:
        return Suite(problem=f"the tests left no report (exit code {result.exit_code}): {_last_words(result)}")
    try:
        cases = read_junit(data)
    except BadReportError as problem:
        return Suite(problem=f"the report of the tests can't be believed: {problem}")
    tests = {_name(case): _test(case) for case in cases}
    failed = any(test.outcome == "failed" for test in tests.values())
    if result.exit_code not in {0, NO_TESTS} and not failed:
        return Suite(tests=tests, problem=f"they ended with exit code {result.exit_code}, and name no failure")
    return Suite(tests=tests)


def _name(case: Case) -> str:
    """A module that can't be collected has no test to name: then the module."""
    return node_id(case) if case.path else case.classname.replace(".", "/") + case.name.replace(".", "/") + ".py"


def _test(case: Case) -> Ran:
    """With what the trace says in its last line, where the report has only a general word (`collection failure`)."""
    said = re.findall(r"^E\s+(\w.+)$", case.details, re.MULTILINE) if case.broke == "error" else []
    message = f"{case.message}: {said[-1]}" if said else case.message
    return Ran(outcome=case.outcome, path=case.path, broke=case.broke, message=message, details=case.details)


def _last_words(result: JobResult) -> str:
    lines = [line.strip() for text in (result.stdout, result.stderr) for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[:400] or "they said nothing"


def run_safely(tester: Tester, only: Sequence[str] = ()) -> Suite:
    """Like `run`; without a sandbox the suite says so."""
    try:
        return tester.run(only)
    except OmniError as error:
        return Suite(problem=f"the sandbox can't run them: {error.why}")


def settled(tester: Tester, suite: Suite, suspects: Collection[str]) -> tuple[Suite, tuple[str, ...]]:
    """(the suite with the flaky ones among the suspects as passed, those): run again, they fail only now and then.

    A project's own command knows no names: it is run once more as a whole.
    """
    often = AGAIN if len(suspects) <= FEW and not tester.project.tests.command else 1
    flaky, left = set[str](), set(suspects)
    for _ in range(often):
        if left:
            passed = run_safely(tester, sorted(left)).named("passed") & left
            flaky, left = flaky | passed, left - passed
    told = {name: suite.tests[name].model_copy(update={"outcome": "passed"}) for name in flaky}
    return suite.model_copy(update={"tests": {**suite.tests, **told}}), tuple(sorted(flaky))
