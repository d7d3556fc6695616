"""Layout of shell scripts, by shfmt with the project's .editorconfig."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.check import Check, Context, Item, Output, Scope, Unseen
from omni.verify.report import Severity

CANT_PARSE = re.compile(r"^(?P<path>.+?):(?P<line>\d+):\d+: (?P<why>.+)$", re.MULTILINE)


def parse(context: Context, output: Output) -> Iterator[Item]:
    """`shfmt --list` prints the path of each file that it would change."""
    for path in output.stdout.splitlines():
        yield context.finding("unformatted", "not laid out as shfmt would", path, 1)
    for found in CANT_PARSE.finditer(output.stderr):
        yield Unseen(context.relative(found["path"]), f"shfmt can't parse line {found['line']}: {found['why']}", True)


CHECK = Check(
    id="shfmt",
    title="Shell scripts are laid out uniformly",
    tier=1,
    scope=Scope.FILE,
    languages=("shell",),
    config=(".editorconfig",),
    tool="shfmt",
    package="shfmt-py",
    argv=("--list", "--", "{files}"),
    fix=("--write", "--", "{files}"),
    parse=parse,
    severity=Severity.NOTE,
    why="With one layout, a change shows only what changed.",
    advice="Type: omni verify --fix. Indentation comes from .editorconfig; tabs without one.",
)
