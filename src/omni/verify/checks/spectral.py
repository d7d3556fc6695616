"""OpenAPI and AsyncAPI by Spectral, with the ruleset that the project has.

A ruleset may hold functions in JavaScript, so it runs in the sandbox; one that extends another from the network can't
be had there, and is said so. Whether a document is valid at all `openapi` and `asyncapi` tell without a ruleset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from omni.kernel.canonical import JsonValue
from omni.verify.analysis.adoption import table
from omni.verify.check import Check, Context, Failed, Gap, Item
from omni.verify.report import Severity, Status

RULESET = re.compile(r"^\.spectral\.(ya?ml|json|[cm]?js)$")
DOCUMENT = re.compile(
    r"^[\"']?(openapi|swagger|asyncapi)[\"']?\s*:|^\s*\{\s*\"(openapi|swagger|asyncapi)\"\s*:", re.MULTILINE
)
SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE, Severity.NOTE)
"""By Spectral's number: error, warning, information, hint."""


def run(context: Context) -> Iterator[Item]:
    rulesets = [path for path in context.inventory.by_path if RULESET.match(path)]
    if not rulesets:
        yield Gap("the project has no ruleset of Spectral at its root", Status.SKIPPED)
        return
    documents = [file.path for file in context.files if DOCUMENT.search(context.text(file)[:5000])]
    if not documents:
        yield Gap("there is no OpenAPI or AsyncAPI document", Status.SKIPPED)
        return
    argv = ("lint", "--format", "json", "--quiet", "--ruleset", min(rulesets), *documents)
    output = context.execute("spectral", *argv)
    if output.exit_code not in (0, 1):
        said = " ".join((output.stderr or output.stdout).split())[:300]
        raise Failed(f"Spectral ended with {output.exit_code}: {said}", Status.INCOMPLETE)
    try:
        yield from parse(context, json.loads(output.stdout))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as problem:
        raise Failed("Spectral did not print what it should, so its result is unknown") from problem


def parse(context: Context, report: JsonValue) -> Iterator[Item]:
    """https://docs.stoplight.io/docs/spectral, formatter `json`; lines from 0. Raises KeyError or TypeError."""
    if not isinstance(report, list):
        raise TypeError("not a list")
    for said in map(table, report):
        start = table(said, "range", "start")
        line, severity = start.get("line"), said["severity"]
        yield context.finding(
            str(said["code"]),
            str(said["message"]),
            str(said["source"]),
            line + 1 if isinstance(line, int) else None,
            severity=SEVERITIES[severity] if isinstance(severity, int) else Severity.NOTE,
        )


CHECK = Check(
    id="spectral",
    title="APIs keep the project's own rules of Spectral",
    tier=2,
    languages=("yaml", "json"),
    config=(".spectral.*",),
    tool="spectral",
    toolset="spectral",
    package="@stoplight/spectral-cli",
    optional=True,
    run=run,
    sandboxed=True,
    timeout=60,
    why="The project has agreed on it.",
    advice="See the rule of that name in the ruleset.",
)
