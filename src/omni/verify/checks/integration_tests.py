"""The project's tests against real servers, started for it in the sandbox: a query that only PostgreSQL refuses fails.

Runs when `omni.toml` declares `[[verify.services]]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omni.verify.analysis.junit import BadReportError, Case, read_junit
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Gap, Item, Metric
from omni.verify.deep import testcontainers
from omni.verify.deep.apis import CALLS, Call, Mocked, answering, calls, mocked
from omni.verify.deep.compose import with_images
from omni.verify.deep.contained import Contained
from omni.verify.deep.declared import Integration
from omni.verify.deep.play import Done, Step, last_words, perform, scratch
from omni.verify.deep.services import servers
from omni.verify.report import Severity, Status

FAILED = Rule(
    "integration-tests",
    "failed",
    Severity.ERROR,
    why="It works against a stand-in at best; against the real server, as in production, it does not.",
    fix="Run it against that server, and mend the code or the query.",
)
NOT_PREPARED = Rule(
    "integration-tests",
    "not-prepared",
    Severity.ERROR,
    why="What prepares the real server fails on it, so the program can't start there either.",
    fix="Run the command against an empty server of that kind, and mend what it says.",
)


UNDECLARED = Rule(
    "integration-tests",
    "undeclared-host",
    Severity.WARNING,
    why="What it says in production nobody has tried, and a test that needs the world outside fails with it.",
    fix="Declare what it answers with [[verify.integration.apis]], or don't call it from tests.",
)
BROKEN = Rule(
    "integration-tests",
    "breaks-contract",
    Severity.ERROR,
    why="The real API refuses such a call: its own contract says so.",
    fix="Call it as its OpenAPI document says; if that is out of date, fetch it anew.",
)


def run(context: Context) -> Iterator[Item]:
    project = context.project
    declared = project.integration
    if not (project.services or declared.apis):
        yield Gap("omni.toml declares no services", Status.SKIPPED)
        return
    before = [Step(f"before {number}", argv) for number, argv in enumerate(declared.before)]
    steps = [*before, Step("tests", declared.command or _pytest(declared))]
    with scratch() as folder:
        into = Path(folder)
        wanted = tuple(servers(with_images(context)))
        if containers := sum(isinstance(each, Contained) for each in wanted):
            yield Metric("integration.containers", containers)
        if outside := mocked(context, declared.apis) if declared.apis else []:
            context, server = answering(context, outside, into / "apis")
            wanted = (*wanted, server)
        outcome = perform(context, wanted, steps, into=into, collect=(declared.report, CALLS))
        yield from _called(outside, tuple(calls(into / CALLS)))
        tests = outcome.step("tests")
        if tests is None:
            yield _not_prepared(context, declared, outcome.steps[-1])
        elif not (into / declared.report).is_file():
            yield Gap(f"the tests left no {declared.report}: {last_words(tests.said)}")
        else:
            yield from _judged(context, tests, (into / declared.report).read_bytes())


def _called(outside: list[Mocked], made: tuple[Call, ...]) -> Iterator[Item]:
    """What was asked of the world outside: of whom, and whether its contract allows it. Each said once."""
    by_host = {each.declared.host: each for each in outside}
    if outside:
        yield Metric("integration.calls", sum(call.known for call in made))
    for host in sorted({call.host for call in made if not call.known}):
        yield UNDECLARED.at("omni.toml", 1, f"the tests call {host}, which was refused", snippet=host)
    problems = {
        f"{call.method} {call.path} of {call.host}: {problem}"
        for call in made
        if call.known and call.host in by_host and (problem := by_host[call.host].problem(call))
    }
    yield from (BROKEN.at("omni.toml", 1, problem, snippet=problem) for problem in sorted(problems))


def _pytest(declared: Integration) -> tuple[str, ...]:
    reports = (f"--junitxml={declared.report}", "-o", "junit_family=xunit1")
    return ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *reports)


def _not_prepared(context: Context, declared: Integration, step: Done) -> Item:
    """At the command in omni.toml: where the fault itself lies only its words can tell."""
    argv = declared.before[int(step.name.removeprefix("before "))]
    file = context.inventory.by_path["omni.toml"]
    text = context.text(file)
    number = next((n for n, line in enumerate(text.splitlines(), 1) if argv[-1] in line and "before" in line), 1)
    message = f"`{' '.join(argv)}` failed with exit code {step.exit}: {last_words(step.said)}"
    return NOT_PREPARED.at(file.path, number, message, snippet=" ".join(argv))


def _judged(context: Context, tests: Done, report: bytes) -> Iterator[Item]:
    try:
        cases = read_junit(report)
    except BadReportError as problem:
        yield Gap(f"the report of the tests can't be believed: {problem}")
        return
    engineless: list[Case] = []
    if users := testcontainers.users(context):
        engineless = [case for case in cases if case.outcome == "failed" and testcontainers.wants_engine(case)]
    if engineless:
        yield Gap(testcontainers.advice(engineless, users))
    failed = [case for case in cases if case.outcome == "failed" and case not in engineless]
    yield from (_finding(context, case) for case in failed)
    for outcome in ("passed", "failed", "skipped"):
        yield Metric(f"integration.{outcome}", sum(case.outcome == outcome for case in cases if case not in engineless))
    if tests.exit and not failed and not engineless:
        yield Gap(f"the tests ended with exit code {tests.exit}, though the report names no failure")
    elif all(case.outcome == "skipped" for case in cases):
        yield Gap("every test was skipped, so nothing was tried on a real server")


def _finding(context: Context, case: Case) -> Item:
    file = context.inventory.by_path.get(case.path)
    snippet = line_of(context.text(file), case.line) if file and not file.problem else case.name
    return FAILED.at(case.path if file else "", case.line, f"`{case.name}`: {case.message}", snippet=snippet)


CHECK = Check(
    id="integration-tests",
    title="The tests pass against real services",
    tier=3,
    globs=("**",),
    run=run,
    weight=2,
    timeout=540,
)
