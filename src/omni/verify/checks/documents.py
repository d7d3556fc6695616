"""The documents that a program needs to be used, run and changed by others.

What every project needs is judged everywhere, as a warning. A project that promises more says so in omni.toml, and then
it counts: `[documents]` with `readme = "full"` (nine sections, 501 to 2,999 words) and
`required = ["docs/runbook.md", …]`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

from omni.verify.analysis.adoption import table
from omni.verify.analysis.markdown import Document, read
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Metric
from omni.verify.files import File, matches
from omni.verify.report import Finding, Severity

README = Rule(
    "documents",
    "readme-missing",
    Severity.ERROR,
    why="Nobody can tell what it is, let alone how to start it.",
    fix="Write README.md: what it is for, how to start it, how to work on it.",
)
SECTION = Rule(
    "documents",
    "section-missing",
    Severity.ERROR,
    why="Who needs to know that has to read the code.",
    fix="Add a heading of that name with what a newcomer needs.",
)
LENGTH = Rule(
    "documents",
    "length",
    Severity.ERROR,
    why="Below 500 words a README leaves out how to start, set up or run the program; above 3,000 nobody reads it.",
    fix="Write what is missing, or move details to docs/ and link to them.",
)
REQUIRED = Rule(
    "documents",
    "document-missing",
    Severity.ERROR,
    why="The project promises this document in its omni.toml.",
    fix="Write it, or take it from `required`.",
)

READMES = frozenset({"readme", "readme.md", "readme.rst", "readme.txt"})
FULL: Mapping[str, str] = {
    "Overview": r"overview|about|what (it|this) is|introduction",
    "Architecture": r"architecture|how it works|design",
    "Prerequisites": r"prerequisites|requirements|before you start|you need",
    "Quick Start": r"quick ?start|getting started|run it|try it",
    "Configuration": r"configuration|settings|environment variables",
    "API Reference": r"api( reference)?|reference|commands|usage|endpoints",
    "Development": r"development|contributing|work(ing)? on it|tests?",
    "Deployment": r"deploy(ment|ing)?|production|install(ation|ing)?",
    "Troubleshooting": r"troubleshooting|faq|problems|when something",
}
"""The nine sections of a full README → what else they may be called."""
PARTS: Mapping[str, Mapping[str, str]] = {
    "runbook.md": {
        "Health": r"health", "Failure modes": r"fail|problem|incident", "Logs": r"logs?\b", "Restart": r"restart|start",
        "Escalation": r"escalat|contact|who to",
    },
    "architecture.md": {
        "Context": r"context", "Containers": r"container", "Data flow": r"data ?flow", "Decisions": r"decision|adr",
    },
}  # fmt: skip
"""Documents whose parts are known → headings they need."""
FEWEST, MOST = 500, 3000
"""Words of a full README; both are outside of what is allowed."""


def run(context: Context) -> Iterator[Item]:
    wanted = _promised(context)
    full = wanted.get("readme") == "full"
    readme = next(
        (file for file in context.files if file.path.lower() in {"readme.md", "readme.rst", "readme.txt", "readme"}),
        None,
    )
    if readme is None:
        yield _weigh(README.at("README.md", None, "there is no README"), full)
    elif readme.language == "markdown":
        document = read(context.text(readme))
        yield Metric("documents.readme.words", document.words)
        if full:
            yield from _sections(readme, document, FULL)
            if not FEWEST < document.words < MOST:
                yield LENGTH.at(
                    readme.path, 1, f"{document.words} words; more than {FEWEST} and fewer than {MOST} are right"
                )
    required = wanted.get("required")
    for glob in map(str, required if isinstance(required, list) else ()):
        if not any(
            matches(file.path, (glob if "/" in glob else f"/{glob}".lstrip("/"),)) for file in context.inventory.files
        ):
            yield REQUIRED.at(glob if "*" not in glob else "", None, f"there is no {glob}")
    for file in context.files:
        parts = PARTS.get(file.path.rpartition("/")[2].lower())
        if parts and wanted:
            yield from _sections(file, read(context.text(file)), parts)


def _sections(file: File, document: Document, wanted: Mapping[str, str]) -> Iterator[Finding]:
    titles = [heading.title for heading in document.headings]
    for name, pattern in wanted.items():
        if not any(re.search(pattern, title, re.IGNORECASE) for title in titles):
            yield SECTION.at(file.path, 1, f"the section “{name}” is missing", snippet=name)


def _weigh(finding: Finding, counts: bool) -> Finding:
    return finding if counts else finding.model_copy(update={"severity": Severity.WARNING})


def _promised(context: Context) -> dict[str, object]:
    own = context.inventory.by_path.get("omni.toml")
    return table(tomllib.loads(context.text(own)), "documents") if own is not None and not own.problem else {}


CHECK = Check(
    id="documents",
    title="The documents are there and complete",
    tier=2,
    globs=("**",),
    config=("omni.toml",),
    run=run,
)
