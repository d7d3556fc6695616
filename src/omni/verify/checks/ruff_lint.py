"""Lint of Python by ruff, with the project's own selection, or ruff's default where it has none."""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.adoption import adopts, other_version
from omni.verify.analysis.places import TESTS
from omni.verify.analysis.rule import line_of
from omni.verify.check import Check, Context, Item, Output
from omni.verify.report import Finding, Severity
from omni.verify.sarif import parse_sarif
from omni.verify.tools import versions

SURELY_WRONG = ("F5", "F6", "F7", "F821", "F822", "F823", "E9", "PLE", "invalid-syntax")
"""The line fails when it is reached: undefined names, formats that don't fit, `return` outside of a function."""
SUSPICIOUS = ("F", "E4", "E7", "B0", "B9", "PLW", "ASYNC")
"""What is worth a look in any project. The rest of ruff's default is taste."""


def parse(context: Context, output: Output) -> Iterator[Item]:
    """A project that configures ruff has chosen its rules, so all count.

    Elsewhere, and where it has pinned another version, only those do that are surely wrong.
    """
    all_count = adopts(context, "ruff") and not other_version(context, "ruff", versions()["ruff"])
    for item in parse_sarif(context, output):
        if isinstance(item, Finding) and item.rule == "F821" and "name-defined" in _line(context, item):
            continue  # `type: ignore[name-defined]`: its author knows that the name comes from elsewhere
        if isinstance(item, Finding) and item.severity is Severity.ERROR and TESTS.search(item.path):
            yield item.model_copy(update={"severity": Severity.WARNING})  # a test may be wrong on purpose, and is run
        elif not isinstance(item, Finding) or all_count or (item.rule.startswith(SURELY_WRONG) and item.rule != "F541"):
            yield item
        elif item.rule.startswith(SUSPICIOUS):
            yield item.model_copy(update={"severity": Severity.WARNING})


def _line(context: Context, finding: Finding) -> str:
    file = context.inventory.by_path.get(finding.path)
    return line_of(context.text(file), finding.line or 0) if file and not file.problem else ""


CHECK = Check(
    id="ruff-lint",
    title="Python has no lint errors",
    tier=1,
    languages=("python", "notebook"),
    config=("pyproject.toml", "ruff.toml", ".ruff.toml"),
    tool="ruff",
    argv=(
        "check",
        "--no-fix",
        "--no-fix-only",
        "--exit-zero",
        "--no-cache",
        "--force-exclude",
        "--output-format",
        "sarif",
        "--",
        "{files}",
    ),
    fix=("check", "--no-cache", "--force-exclude", "--fix", "--quiet", "--", "{files}"),
    parse=parse,
    severity=Severity.ERROR,
    why="Lint rules name mistakes that run without complaint until the line is reached, and habits that hide them.",
    advice="Type: omni verify --fix, or see `ruff rule` with the rule's name.",
)
