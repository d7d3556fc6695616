"""YAML, by yamllint: what a parser accepts and a reader misreads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.analysis.adoption import adopts
from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.report import Severity

LINE = re.compile(
    r"(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): \[(?P<level>error|warning)\] "
    r"(?P<message>.+?)(?: \((?P<rule>[\w-]+)\))?"
)

OWN = "{rules: {key-duplicates: enable, octal-values: {forbid-implicit-octal: true}, anchors: enable}}"
"""Where the project has no configuration of its own: only what is surely wrong."""


def run(context: Context) -> Iterator[Item]:
    options = [] if adopts(context, "yamllint") else ["--config-data", OWN]
    paths = [file.path for file in context.files]
    yield from parse(context, context.execute("yamllint", *options, "--format", "parsable", "--", *paths))


def parse(context: Context, output: Output) -> Iterator[Item]:
    """yamllint's `parsable` format. Raises ValueError when a line is something else."""
    for line in output.stdout.splitlines():
        found = LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"yamllint printed {line[:80]!r}")
        rule = found["rule"] or "syntax"
        if rule == "syntax":
            continue  # `syntax` reports it
        severity = Severity.ERROR if found["level"] == "error" else Severity.WARNING
        yield context.finding(
            rule, found["message"], found["path"], int(found["line"]), column=int(found["column"]), severity=severity
        )


CHECK = Check(
    id="yamllint",
    title="YAML says what it seems to say",
    tier=1,
    scope=Scope.FILE,
    languages=("yaml",),
    config=(".yamllint", ".yamllint.yaml", ".yamllint.yml"),
    tool="yamllint",
    run=run,
    why="Of two equal keys the first is lost without a word, and 010 is the number 8.",
    advice="Remove one of the keys, or put the value in quotes.",
)
