"""Lint of Python by ruff, with the project's own selection, or ruff's default where it has none."""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.adoption import adopts
from omni.verify.check import Check, Context, Item, Output
from omni.verify.report import Finding, Severity
from omni.verify.sarif import parse_sarif

SURELY_WRONG = ("F", "E9", "PLE", "invalid-syntax")
"""Undefined names, unused or broken imports, format strings that fail, code that does not parse."""


def parse(context: Context, output: Output) -> Iterator[Item]:
    """A project that configures ruff has chosen its rules, so all count; elsewhere only those that are surely wrong."""
    all_count = adopts(context, "ruff")
    for item in parse_sarif(context, output):
        if isinstance(item, Finding) and not all_count and not item.rule.startswith(SURELY_WRONG):
            yield item.model_copy(update={"severity": Severity.WARNING})
        else:
            yield item


CHECK = Check(
    id="ruff-lint",
    title="Python has no lint errors",
    tier=1,
    languages=("python", "notebook"),
    config=("pyproject.toml", "ruff.toml", ".ruff.toml"),
    tool="ruff",
    argv=("check", "--no-cache", "--force-exclude", "--output-format", "sarif", "--", "{files}"),
    fix=("check", "--no-cache", "--force-exclude", "--fix", "--quiet", "--", "{files}"),
    parse=parse,
    severity=Severity.ERROR,
    why="Lint rules name mistakes that run without complaint until the line is reached, and habits that hide them.",
    advice="Type: omni verify --fix, or see `ruff rule` with the rule's name.",
)
