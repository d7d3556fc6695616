"""Layout of JavaScript, TypeScript, CSS and what else Prettier knows, where the project has a configuration for it.

The project's own Prettier is run where it is installed, since each version has another layout; else the pinned one,
whose word is a note. A configuration may be a program, and name plug-ins, so it runs in the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from omni.sandbox.job import JobResult
from omni.verify.analysis.adoption import adopts_script, package_json, table
from omni.verify.analysis.npm import how_to_install
from omni.verify.check import Check, Context, Failed, Gap, Item, Unseen
from omni.verify.report import Severity, Status
from omni.verify.tools import MACHINE, versions

CONFIGURATION = re.compile(r"^(\.prettierrc(\.\w+)?|prettier\.config\.[cm]?[jt]s)$")
OWN = "node_modules/prettier/bin/prettier.cjs"
ARGV = ("--list-different", "--ignore-unknown", "--no-color", "--")
ERROR = re.compile(r"^\[error\] (?P<said>[^\s>].*)$", re.MULTILINE)
"""`path: message`, or what is wrong with the configuration. What is indented shows the code, or where it failed."""
LACKING = re.compile(r"Cannot find (?:package|module) '(?P<name>[^'/.][^']*)'")
COUNTING = frozenset({"javascript", "typescript", "css"})
"""Languages whose layout counts; whether a project means its documents and data too is not known."""


def run(context: Context) -> Iterator[Item]:
    if not adopts_script(context, CONFIGURATION, "prettier"):
        yield Gap("the project has no configuration of Prettier at its root", Status.SKIPPED)
        return
    installed, install = (context.root / OWN).is_file(), how_to_install(context.inventory.by_path)
    asked = _asked(context)
    pinned = versions("prettier")["prettier"]
    if not installed and asked and not re.search(rf"(^|[^\d.]){pinned.partition('.')[0]}(\.|$)", asked):
        yield Gap(f"the project asks for Prettier {asked}, which is not installed. Type: {install}")
        return
    files = [file.path for file in context.files]
    result = _run(context, files, installed)
    if lacking := LACKING.search(result.stderr):
        yield Gap(f"the configuration of Prettier needs {lacking['name']}, which is not installed. Type: {install}")
        return
    known = context.inventory.by_path
    said = [each["said"].partition(": ") for each in ERROR.finditer(result.stderr)]
    unread = {path: message for path, _, message in said if path in known}
    differing = [known[path] for path in result.stdout.splitlines() if path in known]
    other = ["".join(each) for each in said if each[0] not in known]
    silent = result.exit_code != 0 and not (unread or differing)
    if result.exit_code not in (0, 1, 2) or result.truncated or other or silent:
        told = " ".join(other)[:300] or " ".join(result.stderr.split())[-300:]
        raise Failed(f"Prettier ended with {result.exit_code}: {told or result.ended}")
    for path, message in unread.items():
        yield Unseen(path, f"Prettier can't parse it: {message[:200]}", harmless=True)
    for file in differing:
        severity = Severity.ERROR if installed and file.language in COUNTING else Severity.NOTE
        yield context.finding("unformatted", "not laid out as Prettier would", file.path, 1, severity=severity)


def _asked(context: Context) -> str:
    """The version that package.json names; empty when it names none."""
    manifest = package_json(context)
    return str(
        table(manifest, "devDependencies").get("prettier") or table(manifest, "dependencies").get("prettier") or ""
    )


def _run(context: Context, files: Sequence[str], installed: bool) -> JobResult:
    """Raises `Failed`."""
    if installed:
        return context.run_in_sandbox(("node", OWN, *ARGV, *files), toolset=MACHINE)
    return context.run_in_sandbox(("prettier", *ARGV, *files), toolset=context.check.toolset)


CHECK = Check(
    id="prettier",
    title="What Prettier lays out is laid out uniformly",
    tier=1,
    languages=("javascript", "typescript", "css", "json", "json5", "markdown", "yaml", "html", "vue"),
    config=(".prettierrc*", "prettier.config.*", ".prettierignore", ".editorconfig", "package.json"),
    tool="prettier",
    toolset="prettier",
    optional=True,
    run=run,
    timeout=60,
    why="With one layout, a change shows only what changed.",
    advice="Type: npx prettier --write .",
)
