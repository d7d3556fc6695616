"""Weaknesses in Python, by the rules of Bandit as ruff implements them.

Ruff and not Bandit itself: Bandit passes over files in syntax newer than the Python it runs on, without a word, and
takes 1.6 s of CPU where ruff takes 0.05. The severities are ours: `error` is for what is wrong wherever it stands.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from omni.verify.analysis.places import TESTS
from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.report import Model, Severity

DATA = Path(__file__).parent.parent / "data" / "security-python.toml"


class Weakness(Model):
    rules: tuple[str, ...]
    severity: Severity
    cwe: str
    why: str
    fix: str


def weaknesses() -> dict[str, Weakness]:
    """Start of a rule's name → what it means."""
    entries = [Weakness.model_validate(each) for each in tomllib.loads(DATA.read_text("utf-8"))["weakness"]]
    return {rule: entry for entry in entries for rule in entry.rules}


WEAKNESSES = weaknesses()
HARMLESS = re.compile(r"seems safe")
"""Ruff's words for a shell whose command line is written out."""


def parse(context: Context, output: Output) -> Iterator[Item]:
    """Ruff's JSON. Raises ValueError or KeyError when it is something else."""
    for each in json.loads(output.stdout or "[]"):
        rule, path = each["code"] or "", context.relative(each["filename"])
        fitting = [start for start in WEAKNESSES if rule.startswith(start)]
        if not fitting:
            continue  # a syntax error, which `syntax` reports
        weakness = WEAKNESSES[max(fitting, key=len)]
        mild = bool(TESTS.search(path)) or bool(HARMLESS.search(each["message"]))
        row = each["location"]["row"]
        file = context.inventory.by_path.get(path)
        yield context.finding(
            rule,
            each["message"],
            path,
            row,
            column=each["location"]["column"],
            severity=Severity.NOTE if mild else weakness.severity,
            why=weakness.why,
            fix=weakness.fix,
            cwe=weakness.cwe,
            snippet=line_of(context.text(file), row) if file else "",
        )


CHECK = Check(
    id="security-python",
    title="Python holds no known weakness",
    tier=2,
    scope=Scope.FILE,
    languages=("python",),
    tool="ruff",
    argv=(
        "check", "--isolated", "--no-cache", "--exit-zero", "--select", ",".join(WEAKNESSES), "--output-format", "json",
        "--", "{files}",
    ),
    parse=parse,
)  # fmt: skip
