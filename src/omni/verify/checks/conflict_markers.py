"""What a merge left behind."""

from __future__ import annotations

import re
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
CONFLICT = re.compile(r"^<{7} .*?^={7}\r?$.*?^>{7} ", re.MULTILINE | re.DOTALL)


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        text = context.text(file)
        for found in CONFLICT.finditer(text) if "<<<<<<< " in text else ():
            line = text.count("\n", 0, found.start()) + 1
            yield MARKER.at(file.path, line, "an unresolved merge conflict", snippet=found[0].splitlines()[0])


CHECK = Check(
    id="conflict-markers", title="No merge conflict is left", tier=1, scope=Scope.FILE, globs=("**",), run=run
)
