"""Spelling, by typos: known misspellings only, so that names and jargon stay quiet."""

from __future__ import annotations

import json
from collections.abc import Iterator

from omni.verify.analysis.minified import MINIFIED, minified
from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.report import Severity


def parse(context: Context, output: Output) -> Iterator[Item]:
    """One JSON object a line. Raises ValueError when a line is not."""
    yield from minified(context)
    for line in output.stdout.splitlines():
        event = json.loads(line)
        if event["type"] == "typo" and event["corrections"] and not MINIFIED.search(event["path"]):
            better = " or ".join(f"“{each}”" for each in event["corrections"])
            yield context.finding(
                "misspelt", f"“{event['typo']}” should be {better}", event["path"], event.get("line_num")
            )


CHECK = Check(
    id="spelling",
    title="Words are spelt right",
    tier=1,
    scope=Scope.FILE,
    languages=("python", "markdown", "rst", "javascript", "typescript", "html", "jinja", "css", "shell", "sql"),
    config=("typos.toml", "_typos.toml", ".typos.toml", "pyproject.toml"),
    tool="typos",
    argv=("--format", "json", "--hidden", "--force-exclude", "--", "{tree}"),
    exits=(0, 2),
    parse=parse,
    fix=("--write-changes", "--force-exclude", "--", "{files}"),
    severity=Severity.NOTE,
    why="A misspelt name is found by nobody who searches for it.",
    advice="Correct it, or add the word to typos.toml.",
)
