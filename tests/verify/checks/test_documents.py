from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

FULL = '[documents]\nreadme = "full"\nrequired = ["docs/runbook.md", "docs/adr/*.md"]\n'
SECTIONS = (
    "Overview", "Architecture", "Prerequisites", "Quick Start", "Configuration", "API Reference", "Development",
    "Deployment", "Troubleshooting",
)  # fmt: skip
RUNBOOK = "# Runbook\n\n## Health\n\n## Failure modes\n\n## Logs\n\n## Restart\n\n## Escalation\n"


def readme(words: int, left_out: str = "") -> str:
    """A README with all sections but one, of so many words."""
    kept = [name for name in SECTIONS if name != left_out]
    in_headings = 1 + sum(len(name.split()) for name in kept)
    return "# App\n\n" + "".join(f"## {name}\n\n" for name in kept) + "word " * (words - in_headings) + "\n"


def project(text: str) -> dict[str, str]:
    return {"omni.toml": FULL, "README.md": text, "docs/runbook.md": RUNBOOK, "docs/adr/0001-a.md": "# A\n"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [(500, ["error length README.md:1"]), (501, []), (2999, []), (3000, ["error length README.md:1"])],
)
def test_length(look: Look, words: int, expected: list[str]) -> None:
    result = look("documents", project(readme(words)))
    assert result.metrics == {"documents.readme.words": words}
    assert [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings] == expected


def test_section(look: Look) -> None:
    (finding,) = look("documents", project(readme(600, "Troubleshooting"))).findings
    assert (finding.rule, finding.message) == ("section-missing", "the section “Troubleshooting” is missing")


def test_promised_document(found: Found) -> None:
    files = project(readme(600))
    del files["docs/adr/0001-a.md"]
    files["docs/runbook.md"] = RUNBOOK.replace("## Logs\n", "")
    assert found("documents", files) == ["error document-missing :None", "error section-missing docs/runbook.md:1"]


def test_a_project_that_promises_nothing(found: Found) -> None:
    assert found("documents", {"a.py": "x = 1\n"}) == ["warning readme-missing README.md:None"]
    assert found("documents", {"README.md": "# App\n\nShort.\n"}) == []
