"""Untrusted data in dangerous places, followed through the whole program, with the way it takes."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from omni.verify.analysis.fstrings import parse_with_fstrings
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Gap, Item, Scope, Unseen
from omni.verify.dataflow.analysis import analyse
from omni.verify.dataflow.model import load
from omni.verify.dataflow.summary import Hit
from omni.verify.files import File
from omni.verify.report import Severity, Status


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
    if not trees:
        yield Gap("there is no Python here to follow data through", Status.SKIPPED)
        return
    templates = ((file.path, text) for file in context.files if (text := _template(context, file)))
    analysis = analyse(trees.items(), context.project.source_roots, templates)
    for path, why in sorted(analysis.unseen.items()):
        yield Unseen(path, why)
    for hits in by_sink(analysis.hits):
        yield from _finding(hits)


def _template(context: Context, file: File) -> str:
    """The text of a page's template; empty for anything else."""
    if file.language == "python":
        return ""
    try:
        return context.text(file)
    except ValueError:  # in no coding that can be told: its variables stay unknown
        return ""


def by_sink(hits: Iterable[Hit]) -> Iterator[list[Hit]]:
    """Those of one weakness at one place together: the gravest first, then the one with the shortest way."""
    groups: dict[tuple[str, str, int], list[Hit]] = defaultdict(list)
    for hit in hits:
        if severity_of(hit) is not None:
            groups[hit.weakness, hit.sink.path, hit.sink.line].append(hit)
    for group in groups.values():
        yield sorted(group, key=lambda hit: (hit.taint.kind == "local", len(hit.taint.steps)))


def severity_of(hit: Hit) -> Severity | None:
    weakness = load().weaknesses[hit.weakness]
    return weakness.local if hit.taint.kind == "local" else weakness.severity


def _finding(hits: list[Hit]) -> Iterator[Item]:
    hit = hits[0]
    severity, weakness = severity_of(hit), load().weaknesses[hit.weakness]
    if severity is None:
        return
    rule = Rule("dataflow", weakness.id, severity, weakness.why, weakness.fix, weakness.cwe)
    more = f"; {len(hits) - 1} more ways lead there" if len(hits) > 1 else ""
    message = f"{weakness.title}: {way(hit)}{more}"
    yield rule.at(hit.sink.path, hit.sink.line, message, column=hit.column or None)


def way(hit: Hit) -> str:
    """`request.args (app.py:4) → name (app.py:5) → db.execute(…) (app.py:6)`"""
    steps = [hit.taint.origin, *hit.taint.steps, hit.sink]
    return " → ".join(f"{step.what} ({step.path}:{step.line})" for step in dict.fromkeys(steps))


CHECK = Check(
    id="dataflow",
    title="Untrusted data does not reach dangerous places",
    tier=2,
    scope=Scope.PROJECT,
    languages=("python", "html", "jinja"),
    severity=Severity.ERROR,
    run=run,
)
