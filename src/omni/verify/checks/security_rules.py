"""Our own rules, as data for ast-grep: what ruff does not know of Python, and JavaScript and TypeScript."""

from __future__ import annotations

import json
from collections.abc import Iterator

from omni.verify.analysis.minified import MINIFIED, minified
from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.report import Severity

LEVELS = {"error": Severity.ERROR, "warning": Severity.WARNING}


def parse(context: Context, output: Output) -> Iterator[Item]:
    """ast-grep's `--json=stream`: one object a line, lines counted from 0. Raises ValueError or KeyError."""
    yield from minified(context)
    for line in output.stdout.splitlines():
        match = json.loads(line)
        if MINIFIED.search(match["file"]):
            continue
        why, _, advice = match["note"].partition(" Instead: ")
        yield context.finding(
            match["ruleId"],
            match["message"],
            match["file"],
            match["range"]["start"]["line"] + 1,
            column=match["range"]["start"]["column"] + 1,
            severity=LEVELS.get(match["severity"], Severity.NOTE),
            why=why,
            fix=f"Use instead: {advice}",
            cwe=match["metadata"]["cwe"],
            snippet=match["lines"].strip()[:200],
        )


CHECK = Check(
    id="security-rules",
    title="JavaScript, TypeScript and web settings hold no known weakness",
    tier=2,
    scope=Scope.FILE,
    languages=("python", "javascript", "typescript"),
    tool="ast-grep",
    package="ast-grep-cli",
    exits=(0, 1),
    argv=("scan", "--config", "{data}/astgrep/sgconfig.yml", "--json=stream", "--include-metadata", "{files}"),
    parse=parse,
)
