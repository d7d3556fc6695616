"""OpenAPI documents by Redocly: what is valid and contradicts itself all the same.

Parameters that the path does not have, operations of one name, examples against their own schema, references to files
that are not there. By the project's redocly.yaml, else by the rules of data/redocly.yaml. A configuration may name
plug-ins, and a reference any address, so it runs in the sandbox.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Failed, Gap, Item
from omni.verify.checks import openapi
from omni.verify.report import Model, Severity, Status

CONFIGURATION = re.compile(r"^\.?redocly\.ya?ml$")
RULES = Path(__file__).parents[1] / "data" / "redocly.yaml"
SCRIPT = 'printf %s "$1" > /tmp/redocly.yaml && shift && exec redocly "$@" --config /tmp/redocly.yaml'
BOX = re.compile(r"^[ \t]*[\u2554\u2551\u255a].*$", re.MULTILINE)
"""Its notices, in a frame."""
OPINION = "Every operation should have security defined"
"""The half of `security-defined` that our rules don't mean: an operation may be open to all."""
SEVERITIES = {"error": Severity.ERROR, "warn": Severity.WARNING}


class Start(Model, extra="ignore"):
    line: int = Field(ge=1)


class Source(Model, extra="ignore"):
    ref: str


class Location(Model, extra="ignore"):
    source: Source
    start: Start


class Problem(Model, extra="ignore"):
    rule: str = Field(alias="ruleId")
    severity: str
    message: str
    location: tuple[Location, ...] = Field(min_length=1)


class Report(Model, extra="ignore"):
    """https://redocly.com/docs/cli/commands/lint, format `json`."""

    problems: tuple[Problem, ...]


def run(context: Context) -> Iterator[Item]:
    texts = {file.path: context.text(file) for file in context.files if file.language != "python"}
    documents = [
        path
        for path, text in texts.items()
        if openapi.LOOKS_LIKE.search(text[:4000]) and openapi.load(text) is not None
    ]
    if not documents:
        yield Gap("there is no OpenAPI document", Status.SKIPPED)
        return
    own = any(CONFIGURATION.match(path) for path in context.inventory.by_path)
    argv = ("lint", "--format", "json", "--max-problems", "10000", *documents)
    command = ("redocly", *argv) if own else ("sh", "-c", SCRIPT, "sh", RULES.read_text("utf-8"), *argv)
    done = context.run_in_sandbox(command, toolset=context.check.toolset, REDOCLY_TELEMETRY="off")
    try:
        reports = list(_reports(done.stdout))
    except (ValueError, RecursionError, ValidationError):
        reports = []
    if len(reports) != len(documents):
        said = " ".join(BOX.sub("", done.stderr).split())[-300:]
        raise Failed(f"Redocly reports of {len(reports)} of {len(documents)} documents: {said}", Status.INCOMPLETE)
    for each in (problem for report in reports for problem in report.problems):
        yield from _said(context, each, own)


def _reports(text: str) -> Iterator[Report]:
    """One for each document, nothing between them. Raises ValueError, also of pydantic's, or RecursionError."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        content, at = decoder.raw_decode(text, at)
        yield Report.model_validate(content)


def _said(context: Context, problem: Problem, own: bool) -> Iterator[Item]:
    place = problem.location[0]
    path = context.relative(place.source.ref.removeprefix("/work/"))
    file = context.inventory.by_path.get(path)
    line = line_of(context.text(file), place.start.line) if file and not file.problem else ""
    if problem.rule == "no-unresolved-refs" and "://" in line:
        yield Gap(f"{path}:{place.start.line}: what the reference leads to can't be had here")
    elif own or not problem.message.startswith(OPINION):
        message = problem.message.replace("/work/", "")
        severity = SEVERITIES.get(problem.severity, Severity.NOTE)
        yield context.finding(problem.rule, message, path, place.start.line, severity=severity)


CHECK = Check(
    id="redocly",
    title="The OpenAPI document does not contradict itself, says Redocly",
    tier=2,
    globs=openapi.CHECK.globs,
    config=("*.yaml", "*.yml", "*.json"),
    tool="redocly",
    toolset="redocly",
    package="@redocly/cli",
    optional=True,
    run=run,
    timeout=60,
    why="Clients, tests and pages that are made from it are wrong, or can't be made.",
    advice="See the rule of that name in Redocly's documentation.",
)
