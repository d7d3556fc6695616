"""Untrusted data in dangerous places, followed through the whole program, with the way it takes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from omni.verify.analysis.fstrings import parse_with_fstrings
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Item, Scope, Unseen
from omni.verify.dataflow.analysis import analyse
from omni.verify.dataflow.model import Weakness, load
from omni.verify.dataflow.summary import Hit
from omni.verify.report import Severity


def run(context: Context) -> Iterator[Item]:
    trees: dict[str, ast.Module] = {}
    for file, tree in context.parsed_python():
        if isinstance(tree, Unseen):
            try:
                trees[file.path] = parse_with_fstrings(context.text(file))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                yield tree
        else:
            trees[file.path] = tree
    analysis = analyse(trees.items(), context.project.source_roots)
    for path, why in sorted(analysis.unseen.items()):
        yield Unseen(path, why)
    for hit in analysis.hits:
        yield from _finding(context, load().weaknesses[hit.weakness], hit)


def _finding(context: Context, weakness: Weakness, hit: Hit) -> Iterator[Item]:
    severity = weakness.local if hit.taint.kind == "local" else weakness.severity
    if severity is None:
        return
    file = context.inventory.by_path.get(hit.sink.path)
    rule = Rule("dataflow", weakness.id, severity, weakness.why, weakness.fix, weakness.cwe)
    snippet = line_of(context.text(file), hit.sink.line) if file else ""
    yield rule.at(
        hit.sink.path, hit.sink.line, f"{weakness.title}: {way(hit)}", snippet=snippet, column=hit.column or None
    )


def way(hit: Hit) -> str:
    """`request.args (app.py:4) → name (app.py:5) → db.execute(…) (app.py:6)`"""
    steps = [hit.taint.origin, *hit.taint.steps, hit.sink]
    return " → ".join(f"{step.what} ({step.path}:{step.line})" for step in dict.fromkeys(steps))


CHECK = Check(
    id="dataflow",
    title="Untrusted data does not reach dangerous places",
    tier=2,
    scope=Scope.PROJECT,
    languages=("python",),
    severity=Severity.ERROR,
    run=run,
)
