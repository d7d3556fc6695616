"""The project's own tests, run in the sandbox, with branch coverage.

Metrics: `tests.passed`, `tests.failed`, `tests.skipped`; `coverage.line` and `coverage.branch` in percent;
`criterion.<id>`: 1 when all tests that are evidence for the criterion passed, 0 when one of them did not; and
`tests.flaky.<test>`, the share of runs in which it failed.

After a change (`--changed`) only tests that it can affect are run: by what ran in each when all of them ran last, or,
where that was not recorded, by what their files import. `tests.left_out` says how many tests (`tests.files_left_out`:
files of them) were not, and numbers about the whole (coverage, criteria) are not given then.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from omni.kernel.clock import now
from omni.kernel.errors import OmniError
from omni.verify import quarantine
from omni.verify.analysis.absent import absent, brought_by, how_to_set_up
from omni.verify.analysis.impact import affected_tests
from omni.verify.analysis.junit import BadReportError, Case, read_coverage, read_junit
from omni.verify.analysis.packages import installed
from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.recorded import Since, keep, since
from omni.verify.analysis.repetition import Repeated, node_id, repeat
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Gap, Item, Metric, Unseen
from omni.verify.outputs.summary import number
from omni.verify.quarantine import METRIC, Quarantined
from omni.verify.report import Finding, Severity, Status

FAILED = Rule(
    "tests",
    "failed",
    Severity.ERROR,
    why="The code does not do what the test says it does.",
    fix="Run it alone with `python -m pytest`, and mend the code, or the test if it asks for the wrong thing.",
)
MISSING = Rule(
    "tests",
    "missing-tests",
    Severity.ERROR,
    why="Nothing shows that the code works, and nothing will show when it stops working.",
    fix="Add tests/test_<module>.py with a test for each thing that the code promises.",
    cwe="CWE-1053",
)
NOT_COLLECTED = Rule(
    "tests",
    "not-collected",
    Severity.ERROR,
    why="There are files of tests, and not one test in them ran.",
    fix="Type `python -m pytest` and read why; names have to start with test_, imports have to work.",
)

FLAKY = Rule(
    "tests",
    "flaky",
    Severity.WARNING,
    why="It fails now and then on the same code, so its failures say nothing, and people learn to ignore all of them.",
    fix="Mend what it races on; until then `omni verify --fix` puts it into .omni/quarantine.toml.",
    cwe="CWE-362",
)
STABLE = Rule(
    "tests",
    "stable-again",
    Severity.NOTE,
    why="It is in quarantine, and did not fail in any repetition.",
    fix="Remove it from .omni/quarantine.toml, so that its failures count again.",
)

NOT_THE_PROGRAM = re.compile(r"(^|/)(docs?|examples?|scripts|migrations|conftest\.py|setup\.py|noxfile\.py)(/|$)")
LEFT_OUT = "nothing that it imports has changed"
JUNIT, COVERAGE, RECORD = "reports/omni-junit.xml", "reports/omni-coverage.json", "reports/omni-record.json"
RECORDING = Path(__file__).parents[1] / "analysis" / "recording.py"
UNRECORDED = "Conflicting dynamic contexts"
"""What coverage warns of where the project names contexts of its own, which count for nothing in the record."""
NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
NO_TESTS = 5
"""pytest's exit code when it collected nothing."""


def run(context: Context) -> Iterator[Item]:
    python = [file for file in context.files if file.language == "python"]
    tests = [file.path for file in python if TEST_FILE.search(file.path)]
    program = [file for file in python if file.path not in tests and not NOT_THE_PROGRAM.search(file.path)]
    if not tests:
        if any(re.search(r"^\s*(async )?def ", context.text(file), re.MULTILINE) for file in program):
            path = max(program, key=lambda file: file.size).path
            yield MISSING.at(path, 1, "there is no test at all; this is the largest file without one")
            yield Metric("coverage.branch", 0)
        else:
            yield Gap("there is no Python that could be tested", Status.SKIPPED)
        return
    missing = _missing(context)
    if missing:
        yield Gap(missing)
        return
    out = LeftOut()
    if context.changed is not None and not context.project.tests.command:
        change = since(context)
        out = _by_record(change) if change else _by_imports(context, tests, context.changed)
        if out.everything:
            yield Gap(out.everything, Status.SKIPPED)
            return
        yield from (Unseen(path, why, harmless=True) for path, why in out.why.items())
        yield Metric("tests.left_out", len(out.tests)) if change else Metric("tests.files_left_out", len(out.files))
    yield from _run(context, tests, out)


@dataclass(frozen=True)
class LeftOut:
    """What a change can't affect."""

    files: tuple[str, ...] = ()
    """Whole files of tests."""
    tests: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)
    """File with such tests → why."""
    everything: str = ""
    """Why there is nothing to be run at all."""


def _by_record(change: Since) -> LeftOut:
    tests = change.left_out()
    files = change.by_file(tests)
    ran = f"has changed since all tests ran ({change.record.at})"
    if tests and not change.has_new_tests and len(tests) == len(change.record.said.tests):
        return LeftOut(everything=f"nothing that ran in any of {number(len(tests), 'test')} {ran}")
    why = {path: f"nothing that ran in {_of(*counts)} {ran}" for path, counts in files.items()}
    whole = (path for path, (out, of) in files.items() if out == of and path not in change.changed)
    return LeftOut(tuple(whole), tests, why)


def _of(out: int, every: int) -> str:
    return f"{out} of its {number(every, 'test')}" if out < every else f"its {number(every, 'test')}"


def _by_imports(context: Context, tests: Sequence[str], changed: frozenset[str]) -> LeftOut:
    out = affected_tests(context, tests, changed).left_out
    if len(out) == len(tests):
        return LeftOut(everything=f"nothing that changed can affect a test ({number(len(tests), 'file')} of tests)")
    return LeftOut(files=out, why=dict.fromkeys(out, LEFT_OUT))


def _run(context: Context, tests: Sequence[str], out: LeftOut) -> Iterator[Item]:
    whole = not out.why
    with tempfile.TemporaryDirectory(prefix="omni-tests-") as folder:
        into = Path(folder)
        job = context.execution.job(context, _command(context, whole), _variables(context))
        told = b"" if whole else json.dumps({"files": out.files, "tests": out.tests}).encode()
        collect = (JUNIT, COVERAGE, RECORD)
        result = context.execution.run_job(replace(job, stdin=told, collect=collect, into=into))
        junit, coverage, record = into / JUNIT, into / COVERAGE, into / RECORD
        if result.exit_code == NO_TESTS and whole:
            yield NOT_COLLECTED.at(tests[0], 1, f"no test was found in {number(len(tests), 'file')} of tests")
        elif result.exit_code == NO_TESTS:
            yield Gap("no test is left but those that the change can't affect", Status.SKIPPED)
        elif not junit.is_file():
            why = f"{_last_words(result.stdout, result.stderr)}{_not_installed(context, absent(context))}"
            yield Gap(f"the tests left no report: {why}")
        else:
            yield from _outcome(context, junit.read_bytes(), result.exit_code, whole)
        if coverage.is_file() and whole:
            yield from _coverage(coverage.read_bytes())
        if record.is_file() and whole:
            with suppress(BadReportError):  # without it imports alone say what a change can affect
                keep(context, record.read_bytes())


def _missing(context: Context) -> str:
    """What keeps the tests from being run, and what to type; empty when nothing does."""
    if context.environment is None:
        set_up = how_to_set_up(context, "pytest", "pytest-cov")
        return f"the tests were not run: there is no virtual environment with the project's dependencies. {set_up}"
    if context.project.tests.command:
        return ""
    packages = installed(context.environment)
    needed = [name for name in ("pytest", "pytest-cov") if name not in packages]
    if not needed:
        return ""
    set_up = how_to_set_up(context, *needed)
    return f"the tests were not run: {' and '.join(needed)} missing in the project's environment. {set_up}"


def _not_installed(context: Context, names: Iterable[str]) -> str:
    """What the project declares and its environment lacks, which may be why; and what to type."""
    known = sorted(names)
    if not known:
        return ""
    shown = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    return f". Declared and not installed: {shown}. {how_to_set_up(context, *known)}"


def _command(context: Context, whole: bool) -> tuple[str, ...]:
    if context.project.tests.command:
        return context.project.tests.command
    pytest = ("-q", "-p", "no:cacheprovider", f"--junitxml={JUNIT}", "-o", "junit_family=xunit1")
    program = ("python", "-c", RECORDING.read_text("utf-8"))
    if not whole:  # numbers about a part say nothing, and measuring takes as long as the tests
        return (*program, "without", *pytest, "--no-cov")
    measured = [f"--cov={each}" for each in _measured(context)]
    # What is measured is not the project's to choose; where warnings are errors, that must not end the run.
    quiet = ("-W", "ignore:--include is ignored", f"-Wignore:{UNRECORDED}")
    return (*program, "record", RECORD, *pytest, *quiet, "--cov-branch", f"--cov-report=json:{COVERAGE}", *measured)


def _measured(context: Context) -> list[str]:
    """Folders whose coverage counts: the source roots, or the packages at the top."""
    paths = context.inventory.by_path
    if context.project.source_roots:
        return list(context.project.source_roots)
    if any(path.startswith("src/") for path in paths):
        return ["src"]
    tops = {path.split("/")[0] for path in paths if path.count("/") == 1 and path.endswith("/__init__.py")}
    return sorted(tops - {"tests", "test", "docs"}) or ["."]


def _variables(context: Context) -> dict[str, str]:
    """Imports work as if the project were installed."""
    roots = context.project.source_roots or (("src",) if "src" in _measured(context) else (".",))
    return {"PYTHONPATH": ":".join(f"/work/{root}" for root in roots), "PYTHONDONTWRITEBYTECODE": "1"}


def _outcome(context: Context, data: bytes, exit_code: int | None, whole: bool) -> Iterator[Item]:
    try:
        cases = read_junit(data)
        quarantined = _quarantine(context)
    except (BadReportError, OmniError) as problem:
        yield Gap(f"the report of the tests can't be believed: {problem}")
        return
    lacking = {case: names for case in cases if case.outcome == "failed" and (names := _lacks(context, case))}
    if lacking:
        needed = {name for names in lacking.values() for name in names}
        yield Gap(f"{number(len(lacking), 'test')} could not be run{_not_installed(context, needed)}")
    again = [case for case in cases if case.outcome == "failed" or node_id(case) in quarantined]
    again = [case for case in again if case not in lacking]
    by_hand = bool(context.project.tests.command)
    repeated = {} if by_hand else repeat(context, again, _variables(context))
    for case in again:
        name = node_id(case)
        yield from _judge(context, case, repeated.get(name), quarantined.get(name))
    for outcome in ("passed", "failed", "skipped"):
        yield Metric(f"tests.{outcome}", sum(case.outcome == outcome for case in cases))
    if whole:
        yield from _criteria(cases)
    failed = any(case.outcome == "failed" for case in cases)
    if exit_code is None or (exit_code != 0 and not failed):
        yield Gap(f"the run of the tests ended with exit code {exit_code}, though its report names no failure")
    elif not any(case.outcome != "skipped" for case in cases):
        yield Gap("every test was skipped")


def _lacks(context: Context, case: Case) -> list[str]:
    """What the project declares and its environment lacks, without which the test did not even start."""
    modules = NO_MODULE.findall(case.message if case.broke == "failure" else f"{case.message}\n{case.details}")
    missing = absent(context) if modules else frozenset()
    return [name for module in modules for name in brought_by(module, missing)]


def _judge(context: Context, case: Case, again: Repeated | None, known: Quarantined | None) -> Iterator[Item]:
    """What a failed or quarantined test means, given what came of repeating it."""
    name = node_id(case)
    first = case.outcome == "failed"
    runs, failures = (again.runs + 1, again.failures + first) if again else (1, int(first))
    if failures == runs:
        yield _at(FAILED, context, case, f"`{case.name}`: {case.message}")
        return
    if not failures:
        if again:
            yield _at(STABLE, context, case, f"`{name}` passed each of {runs} times")
        return
    yield Metric(f"{METRIC}{name}", round(failures / runs, 2), volatile=True)
    told = f"`{name}` failed {failures} of {runs} times on the same code{f': {case.message}' if first else ''}"
    if known is None:
        yield _at(FLAKY, context, case, told)
    elif now().date() <= known.until:
        yield _at(FLAKY, context, case, f"{told} (in quarantine until {known.until})")
    else:
        yield _at(FAILED, context, case, f"{told} (its quarantine ended on {known.until})")


def _at(rule: Rule, context: Context, case: Case, message: str) -> Finding:
    file = context.inventory.by_path.get(case.path)
    snippet = line_of(context.text(file), case.line) if file and not file.problem else case.name
    return rule.at(case.path if file else "", case.line, message, snippet=snippet)


def _quarantine(context: Context) -> Mapping[str, Quarantined]:
    """Raises OmniError."""
    file = context.inventory.by_path.get(quarantine.FILE)
    return quarantine.load(context.text(file)) if file and not file.problem else {}


def _criteria(cases: Sequence[Case]) -> Iterator[Metric]:
    for criterion in sorted({each for case in cases for each in case.criteria}):
        outcomes = {case.outcome for case in cases if criterion in case.criteria}
        yield Metric(f"criterion.{criterion}", float(outcomes == {"passed"}))


def _coverage(data: bytes) -> Iterator[Item]:
    try:
        covered = read_coverage(data)
    except BadReportError as problem:
        yield Gap(f"the coverage report can't be believed: {problem}")
        return
    yield Metric("coverage.line", round(covered.lines, 2))
    yield Metric("coverage.branch", round(covered.branches, 2))


def _last_words(*texts: str) -> str:
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[:400] or "they said nothing"


CHECK = Check(
    id="tests",
    title="The tests pass",
    tier=2,
    languages=("python",),
    globs=("**",),
    run=run,
    narrows=True,
    timeout=300,
)
