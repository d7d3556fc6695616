"""Fuzz targets of the project, run in the sandbox: Python files below `fuzz/` that use Atheris.

Each runs for `[verify.fuzzing] seconds`, 60 by default, on the inputs of `fuzz/corpus/<name>/` and on what earlier runs
found interesting, so a longer campaign is several runs or a larger number. What breaks a target is made as small as it
gets, kept, and reported with its stack. Metrics: `fuzzing.targets`, `fuzzing.executions`, `fuzzing.broken`.
"""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.fuzzing.campaign import HARNESS, Campaign, Found
from omni.verify.interpreter import WORK
from omni.verify.report import Finding, Severity, Status

BROKEN = Rule(
    "fuzzing",
    "broken",
    Severity.ERROR,
    why="An input that anybody may send makes the program fail in a way that nobody thought of.",
    fix="Refuse such input with an error of its own, and keep the input in fuzz/corpus so that it is tried first.",
    cwe="CWE-20",
)


def run(context: Context) -> Iterator[Item]:
    harnesses = [file.path for file in context.files if HARNESS.search(context.text(file))]
    if not harnesses:
        yield Gap("there is no fuzz target: no Python below fuzz/ imports atheris", Status.SKIPPED)
        return
    executions, broken = 0, 0
    for number, path in enumerate(harnesses, 1):
        campaign = Campaign(context, path)
        context.execution.resources.say(f"fuzzing: {number} of {len(harnesses)}: {campaign.name}")
        try:
            report, found = campaign.run(context.project.fuzzing.seconds)
        except Failed as problem:
            yield Gap(problem.why, problem.status)
            continue
        executions += report["executions"]
        broken += len(found)
        yield from (finding(context, path, each) for each in found)
    yield Metric("fuzzing.targets", len(harnesses))
    yield Metric("fuzzing.executions", executions)
    yield Metric("fuzzing.broken", broken)


def finding(context: Context, harness: str, found: Found) -> Finding:
    """At the innermost line of the program itself."""
    places = [(path.removeprefix(f"{WORK}/"), line) for path, line in found.broken["places"]]
    known = context.inventory.by_path
    own = [(path, line) for path, line in places if path in known and path != harness and not known[path].problem]
    path, line = own[0] if own else (harness, 1)
    size = f"{len(found.data)} bytes, made smaller from {found.broken['original']}"
    stack = " ← ".join(f"{place}:{number}" for place, number in places[:4])
    message = f"{found.broken['error']}, by {harness}, with the input {found.data[:120]!r} ({size}); {stack}"
    return BROKEN.at(
        path,
        line,
        message,
        snippet=line_of(context.text(known[path]), line),
        fix=f"{BROKEN.fix} It is at {found.file} now.",
    )


CHECK = Check(
    id="fuzzing",
    title="No input breaks a fuzz target",
    tier=4,
    globs=("fuzz/**/*.py", "**/fuzz_*.py", "**/*_fuzzer.py"),
    toolset="fuzz",
    run=run,
    weight=1,
    timeout=14400,
    fresh_for=0,
)
