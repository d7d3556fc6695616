"""What does not belong into version control: very large files, and what a build makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item
from omni.verify.report import Severity

LARGE = 1 << 20
"""Bytes."""

BIG = Rule(
    "large-files",
    "large-file",
    Severity.WARNING,
    why="Every clone carries it for ever, in each of its versions.",
    fix="Keep it in artifact storage or Git LFS, and remove it from the history before others fetch it.",
)
BUILT = Rule(
    "large-files",
    "built-file",
    Severity.WARNING,
    why="It is made from other files, goes stale beside them, and nobody can review it.",
    fix="Remove it with `git rm --cached` and add its name to .gitignore.",
)
MADE_BY_BUILDS = frozenset(
    {
        ".a", ".class", ".db", ".dll", ".dylib", ".egg", ".exe", ".jar", ".o", ".obj", ".pyc", ".so", ".sqlite",
        ".sqlite3", ".whl",
    }
)  # fmt: skip


def run(context: Context) -> Iterator[Item]:
    for file in context.inventory.files:
        if file.size > LARGE and file.language != "lock":
            yield BIG.at(file.path, None, f"{file.size / (1 << 20):.1f} MiB")
        elif PurePosixPath(file.path).suffix.lower() in MADE_BY_BUILDS:
            yield BUILT.at(file.path, None, "a file that a build or a program makes")


CHECK = Check(id="large-files", title="Only sources are under version control", tier=1, globs=("**",), run=run)
