"""SQL migrations for PostgreSQL, by Squawk: what locks tables, loses data or breaks running programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.checks.migrations import SQL_DOWN
from omni.verify.report import Severity

ERRORS = frozenset(
    {"adding-required-field", "renaming-column", "renaming-table", "ban-drop-database", "ban-drop-table"}
)
NOTES = frozenset(
    {"ban-drop-column", "changing-column-type", "constraint-missing-not-valid", "adding-not-nullable-field"}
)
IGNORED = (
    "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-robust-stmts",
    "prefer-text-field", "prefer-timestamp-tz", "require-concurrent-index-creation", "require-lock-timeout",
    "require-statement-timeout",
)  # fmt: skip
"""Taste, or what `migrations` judges with knowledge of the whole history."""


def parse(context: Context, output: Output) -> Iterator[Item]:
    """Squawk's JSON. Raises ValueError or KeyError when it is something else."""
    for each in json.loads(output.stdout or "[]"):
        rule = each["rule_name"]
        severity = Severity.ERROR if rule in ERRORS else Severity.NOTE if rule in NOTES else Severity.WARNING
        if rule.startswith("ban-drop-") and SQL_DOWN.search(each["file"]):
            severity = Severity.NOTE  # the way back takes away what the way forth made
        yield context.finding(
            rule, each["message"], each["file"], each["line"] + 1, severity=severity, fix=each.get("help") or ""
        )


CHECK = Check(
    id="squawk",
    title="SQL migrations are safe to run on a live database",
    tier=1,
    scope=Scope.FILE,
    globs=("**/migrations/**/*.sql", "migrations/**/*.sql", "**/migrate/**/*.sql"),
    config=(".squawk.toml",),
    tool="squawk",
    package="squawk-cli",
    argv=("--reporter", "Json", "--exclude", ",".join(IGNORED), "--", "{files}"),
    parse=parse,
    why="While a migration holds a lock or a column has another name, the running program fails.",
    advice="Take two steps: add the new, move the data, and remove the old once nothing uses it.",
)
