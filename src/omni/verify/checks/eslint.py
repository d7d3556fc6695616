"""JavaScript and TypeScript by ESLint, as the project configures it, where it is installed there.

Its configuration is a program, and so are its plug-ins: it runs in the sandbox.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from omni.kernel.canonical import JsonValue
from omni.verify import machine
from omni.verify.analysis.adoption import adopts_script, table
from omni.verify.analysis.npm import how_to_install
from omni.verify.check import Check, Context, Failed, Gap, Item, Unseen
from omni.verify.report import Severity, Status
from omni.verify.tools import MACHINE

CONFIGURATION = re.compile(r"^(eslint\.config\.[cm]?[jt]s|\.eslintrc(\.\w+)?)$")
PROGRAM = "node_modules/eslint/bin/eslint.js"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def run(context: Context) -> Iterator[Item]:
    if not adopts_script(context, CONFIGURATION, "eslintConfig"):
        yield Gap("the project has no configuration of ESLint at its root", Status.SKIPPED)
        return
    if machine.find("node") is None or not (context.root / PROGRAM).is_file():
        yield Gap(f"ESLint is configured, and not installed. Type: {how_to_install(context.inventory.by_path)}")
        return
    argv = ("node", PROGRAM, "--format", "json", "--no-error-on-unmatched-pattern", ".")
    result = context.run_in_sandbox(argv, toolset=MACHINE)
    if result.exit_code not in (0, 1) or result.truncated:
        said = " ".join(result.stderr.split())[:400]
        raise Failed(f"ESLint ended with {result.exit_code}: {said or result.ended}", Status.INCOMPLETE)
    try:
        yield from parse(context, json.loads(result.stdout))
    except UNREADABLE as problem:
        raise Failed(f"ESLint did not print what it should ({problem!r}), so its result is unknown") from problem


def parse(context: Context, report: JsonValue) -> Iterator[Item]:
    """https://eslint.org/docs/latest/use/formatters/#json: an object for each file that it looked at.

    Severity 2 is an error. Raises `UNREADABLE`.
    """
    if not isinstance(report, list):
        raise TypeError("not a list")
    unseen = {file.path for file in context.files}
    for file in map(table, report):
        messages = file["messages"]
        if not isinstance(messages, list):
            raise TypeError("messages are no list")
        path = str(file["filePath"]).removeprefix("/work/")
        if path not in unseen:  # another language, or what git ignores
            continue
        unseen.remove(path)
        for said in map(table, messages):
            line, column = said.get("line"), said.get("column")
            yield context.finding(
                str(said.get("ruleId") or ("syntax" if said.get("fatal") else "directive")),
                str(said["message"]),
                path,
                line if isinstance(line, int) else None,
                column=column if isinstance(column, int) and column > 0 else None,
                severity=Severity.ERROR if said["severity"] == 2 else Severity.WARNING,
            )
    for path in sorted(unseen):
        yield Unseen(path, "ESLint, as it is configured, does not look at it", harmless=True)


CHECK = Check(
    id="eslint",
    title="JavaScript and TypeScript keep the project's own rules of ESLint",
    tier=2,
    languages=("javascript", "typescript", "vue", "svelte"),
    config=(
        "eslint.config.*",
        ".eslintrc*",
        ".eslintignore",
        "package.json",
        "tsconfig*.json",
        "*-lock.*",
        "yarn.lock",
    ),
    run=run,
    timeout=120,
    why="The project has agreed on it.",
    advice="See the rule of that name in ESLint's documentation.",
)
