"""Which of ruff's findings count, and how much; that ruff finds them is in test_tools.py."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status
from omni.verify.tools import versions

Replay = Callable[..., CheckResult]

PYTHON = {"a.py": "x = y\nz = y  # type: ignore[name-defined]\n", "tests/test_a.py": "x = y\n"}
OURS = versions()["ruff"]
OTHER = "0.1.0"


def sarif(*results: tuple[str, str, int], level: str = "error") -> str:
    """Findings: (rule, path, line)."""
    found = [
        {
            "ruleId": rule,
            "level": level,
            "message": {"text": f"of {rule}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}],
        }
        for rule, path, line in results
    ]
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "ruff"}}, "results": found}]})


def said(result: CheckResult) -> list[str]:
    assert result.status is not Status.ERROR, result.reason
    return [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings]


RULES = (
    "F821",
    "F502",
    "PLE0100",
    "E999",
    "invalid-syntax",
    "F541",
    "F401",
    "B006",
    "PLW0602",
    "ASYNC100",
    "E501",
    "D100",
)
SURE = [f"error {rule} a.py:1" for rule in sorted(("F821", "F502", "PLE0100", "E999", "invalid-syntax"))]
WORTH_A_LOOK = [f"warning {rule} a.py:1" for rule in ("ASYNC100", "B006", "F401", "F541", "PLW0602")]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, sorted((*SURE, *WORTH_A_LOOK))),
        ({"ruff.toml": "", "requirements.txt": f"ruff=={OTHER}\n"}, sorted((*SURE, *WORTH_A_LOOK))),
        ({"ruff.toml": "", "requirements.txt": f"ruff=={OURS}\n"}, sorted(f"error {rule} a.py:1" for rule in RULES)),
        ({"pyproject.toml": "[tool.ruff]\n"}, sorted(f"error {rule} a.py:1" for rule in RULES)),
    ],
)
def test_a_project_s_own_rules_count_and_elsewhere_what_is_surely_wrong(
    replay: Replay, config: dict[str, str], expected: list[str]
) -> None:
    told = sarif(*((rule, "a.py", 1) for rule in RULES))
    assert sorted(said(replay("ruff-lint", PYTHON | config, told))) == expected


def test_in_a_test_it_is_a_warning(replay: Replay) -> None:
    """It may be wrong on purpose, and is run."""
    told = sarif(("F821", "tests/test_a.py", 1), ("D100", "tests/test_a.py", 1))
    for config in ({}, {"ruff.toml": ""}):
        assert said(replay("ruff-lint", PYTHON | config, told)) == [
            "warning D100 tests/test_a.py:1",
            "warning F821 tests/test_a.py:1",
        ]


def test_a_name_that_its_author_says_comes_from_elsewhere(replay: Replay) -> None:
    told = sarif(("F821", "a.py", 1), ("F821", "a.py", 2), ("F502", "a.py", 2))
    assert said(replay("ruff-lint", PYTHON, told)) == ["error F821 a.py:1", "error F502 a.py:2"]


@pytest.mark.parametrize(
    ("config", "severity"),
    [
        ({}, "note"),
        ({"ruff.toml": ""}, "error"),
        ({"ruff.toml": "", "requirements.txt": f"ruff=={OTHER}\n"}, "note"),
    ],
)
def test_layout_counts_where_the_project_uses_this_ruff(replay: Replay, config: dict[str, str], severity: str) -> None:
    told = sarif(("unformatted", "a.py", 1), ("invalid-syntax", "a.py", 1))
    result = replay("ruff-format", PYTHON | config, told, 1)
    assert [(each.severity, each.rule, each.path, each.line, each.message) for each in result.findings] == [
        (severity, "unformatted", "a.py", 1, "not laid out as `ruff format` would")
    ]
