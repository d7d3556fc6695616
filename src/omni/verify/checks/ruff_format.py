"""Layout of Python by `ruff format`."""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.adoption import adopts, other_version
from omni.verify.check import Check, Context, Item, Output, Scope
from omni.verify.report import Finding, Severity
from omni.verify.sarif import parse_sarif
from omni.verify.tools import versions


def parse(context: Context, output: Output) -> Iterator[Item]:
    """Counts where the project uses this version of ruff; elsewhere another layout may be meant, so it is a note."""
    counts = adopts(context, "ruff") and not other_version(context, "ruff", versions()["ruff"])
    for item in parse_sarif(context, output):
        if not isinstance(item, Finding):
            yield item
        elif item.rule == "unformatted":  # what does not parse is reported by `syntax`
            severity = Severity.ERROR if counts else Severity.NOTE
            yield item.model_copy(update={"severity": severity, "message": "not laid out as `ruff format` would"})


CHECK = Check(
    id="ruff-format",
    title="Python is laid out uniformly",
    tier=1,
    languages=("python",),
    scope=Scope.FILE,
    config=("pyproject.toml", "ruff.toml", ".ruff.toml"),
    tool="ruff",
    argv=("format", "--no-cache", "--force-exclude", "--check", "--output-format", "sarif", "--", "{files}"),
    exits=(0, 1, 2),
    fix=("format", "--no-cache", "--force-exclude", "--quiet", "--", "{files}"),
    parse=parse,
    why="With one layout, a change shows only what changed.",
    advice="Type: omni verify --fix, or: ruff format",
)
