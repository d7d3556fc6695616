"""Untrusted data in dangerous places, followed through the whole program, with the way it takes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from omni.verify.analysis.fstrings import parse_with_fstrings
from omni.verify.check import Check, Context, Gap, Item, Scope, Unseen
from omni.verify.dataflow.analysis import analyse
from omni.verify.dataflow.finding import findings
from omni.verify.dataflow.model import load
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
    yield from findings("dataflow", analysis.hits, load().weaknesses)


def _template(context: Context, file: File) -> str:
    """The text of a page's template; empty for anything else."""
    if file.language == "python":
        return ""
    try:
        return context.text(file)
    except ValueError:  # in no coding that can be told: its variables stay unknown
        return ""


CHECK = Check(
    id="dataflow",
    title="Untrusted data does not reach dangerous places",
    tier=2,
    scope=Scope.PROJECT,
    languages=("python", "html", "jinja"),
    severity=Severity.ERROR,
    run=run,
)
