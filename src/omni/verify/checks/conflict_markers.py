"""What a merge left behind."""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Scope
from omni.verify.report import Severity

MARKER = Rule(
    "conflict-markers",
    "merge-conflict",
    Severity.ERROR,
    why="Two versions of the same lines stand side by side: nobody has decided which is right.",
    fix="Decide between the two versions and remove the three marker lines.",
)
START, MIDDLE, END = "<" * 7 + " ", "=" * 7, ">" * 7 + " "


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        text = context.text(file)
        for line, snippet in _conflicts(text) if START in text else ():
            yield MARKER.at(file.path, line, "an unresolved merge conflict", snippet=snippet)


def _conflicts(text: str) -> Iterator[tuple[int, str]]:
    """(line, what it says) of each first marker that the two others follow, in their order."""
    start, middle = (0, ""), False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(START):
            start, middle = (number, line), False
        elif line == MIDDLE and start[0]:
            middle = True
        elif line.startswith(END) and middle:
            yield start
            start, middle = (0, ""), False


CHECK = Check(
    id="conflict-markers", title="No merge conflict is left", tier=1, scope=Scope.FILE, globs=("**",), run=run
)
