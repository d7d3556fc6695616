"""Types of TypeScript, by tsc, as the project's tsconfig.json says; with `strict`, where it says nothing of it.

Imports are resolved in the project's own node_modules, so without them next to nothing is known of its types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from omni.verify.check import Check, Context, Failed, Gap, Item, Output
from omni.verify.report import Severity, Status

DIAGNOSTIC = re.compile(
    r"^(?P<path>[^\s(][^(\n]*)\((?P<line>\d+),(?P<column>\d+)\): error (?P<code>TS\d+): (?P<message>.+)$", re.MULTILINE
)
WHOLE = re.compile(r"^error (?P<code>TS\d+): (?P<message>.+)$", re.MULTILINE)
STRICT = re.compile(r'"strict"\s*:')


def run(context: Context) -> Iterator[Item]:
    projects = sorted(file.path for file in context.files if PurePosixPath(file.path).name == "tsconfig.json")
    if not projects:
        yield Gap("there is no tsconfig.json that says what is compiled, and how", Status.SKIPPED)
        return
    for path in projects:
        folder = PurePosixPath(path).parent
        if not any((context.root / place / "node_modules").is_dir() for place in (folder, *folder.parents)):
            yield Gap(
                f"the packages of {folder} are not installed, so its types are not known. Type: npm ci", Status.SKIPPED
            )
            continue
        strict = () if STRICT.search(context.text(context.inventory.by_path[path])) else ("--strict",)
        argv = ("tsc", "--noEmit", "--pretty", "false", *strict, "-p", path)
        done = context.run_in_sandbox(argv, toolset=context.check.toolset)
        if done.exit_code is None:
            raise Failed(f"tsc ended by {done.ended}")
        yield from parse(context, Output(done.exit_code, done.stdout, done.stderr), bool(strict))


def parse(context: Context, output: Output, added: bool) -> Iterator[Item]:
    """`path(line,column): error TS2322: message`. What only our `--strict` finds is a warning."""
    for each in DIAGNOSTIC.finditer(output.stdout):
        yield context.finding(
            each["code"],
            each["message"],
            each["path"].removeprefix("/work/"),
            int(each["line"]),
            column=int(each["column"]),
            severity=Severity.WARNING if added else Severity.ERROR,
        )
    for each in WHOLE.finditer(output.stdout):
        yield Gap(f"tsc: {each['message']}")


CHECK = Check(
    id="typescript",
    title="TypeScript's types agree",
    tier=2,
    languages=("typescript",),
    globs=("tsconfig.json", "tsconfig.*.json", "package.json"),
    tool="tsc",
    toolset="typescript",
    package="typescript",
    optional=True,
    run=run,
    timeout=60,
    why="A value of another type than declared fails far from where it came from, or does not fail and is wrong.",
    advice="Correct the value or the annotation.",
)
