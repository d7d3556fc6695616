"""Types of Python by pyright, where a project configures it beside, or in place of, mypy (`types`).

It asks the project's interpreter where packages are, so it runs in the sandbox. What it says of a file with an import
that leads nowhere here may be wrong, and does not block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import Field, ValidationError

from omni.kernel.canonical import JsonValue
from omni.verify.analysis.absent import how_to_set_up
from omni.verify.analysis.adoption import adopts
from omni.verify.check import Check, Context, Failed, Gap, Item, Output
from omni.verify.report import Model, Severity, Status

SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING, "information": Severity.NOTE}
NOT_HERE = frozenset({"reportMissingImports", "reportMissingModuleSource", "reportMissingTypeStubs"})


class Place(Model):
    line: int = Field(ge=0)
    character: int = Field(ge=0)


class Diagnostic(Model, extra="ignore"):
    """https://github.com/microsoft/pyright/blob/main/docs/command-line.md#json-output; lines from 0."""

    file: str
    severity: str
    message: str
    rule: str = ""
    range: dict[str, Place] = Field(default_factory=dict)


def run(context: Context) -> Iterator[Item]:
    if not (adopts(context, "pyright") or adopts(context, "basedpyright")):
        yield Gap("the project does not configure pyright at its root", Status.SKIPPED)
        return
    interpreter = ("--pythonpath", f"{context.environment}/bin/python") if context.environment else ()
    output = context.execute("pyright", "--outputjson", *interpreter)
    if output.exit_code not in (0, 1):
        said = " ".join((output.stderr or output.stdout).split())[-300:]
        raise Failed(f"pyright ended with {output.exit_code}: {said}", Status.INCOMPLETE)
    yield from parse(context, output)


def parse(context: Context, output: Output) -> Iterator[Item]:
    """Raises `Failed`."""
    try:
        said: list[JsonValue] = json.loads(output.stdout)["generalDiagnostics"]
        found = [Diagnostic.model_validate(each) for each in said]
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as problem:
        raise Failed("pyright did not print what it should, so its result is unknown") from problem
    absent = {each.file for each in found if each.rule in NOT_HERE}
    if absent and context.environment is None:
        yield Gap(f"{len(absent)} files import what is not here, so its use was not checked. {how_to_set_up(context)}")
    inputs = {file.path for file in context.files}
    for each in found:
        path = context.relative(each.file)
        if path not in inputs or (each.rule in NOT_HERE and context.environment is None):
            continue
        start = each.range.get("start", Place(line=0, character=0))
        severity = SEVERITIES.get(each.severity, Severity.NOTE)
        doubtful = each.file in absent and severity is Severity.ERROR
        yield context.finding(
            each.rule or "syntax",
            " ".join(each.message.split()),
            path,
            start.line + 1,
            column=start.character + 1,
            severity=Severity.WARNING if doubtful else severity,
        )


CHECK = Check(
    id="pyright",
    title="Python's types agree, says pyright",
    tier=2,
    languages=("python",),
    config=("pyrightconfig.json", "pyproject.toml"),
    tool="pyright",
    toolset="pyright",
    optional=True,
    run=run,
    sandboxed=True,
    timeout=120,
    why="A value of another type than declared fails far from where it came from, or does not fail and is wrong.",
    advice="Correct the value or the annotation; where it can't know, `# pyright: ignore[rule]` and why.",
)
