"""What pyright prints is understood; that it finds the faults is in test_pyright_spectral.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.verify.played import placed

from omni.verify.check import Context, Item
from omni.verify.checks import pyright
from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

FILES = {"pyrightconfig.json": "{}", "a.py": "x = 1\n", "b.py": "import gone\n"}
GAP = (
    "1 files import what is not here, so its use was not checked. "
    "Type: python3 -m venv .venv && .venv/bin/pip install -e ."
)


def diagnostic(path: str, severity: str, rule: str, line: int = 3) -> dict[str, object]:
    place = {"line": line, "character": 4}
    said: dict[str, object] = {"file": f"/work/{path}", "severity": severity, "message": "it is\n  so", "rule": rule}
    return said | {"range": {"start": place, "end": place}}


def printed(*diagnostics: Mapping[str, object]) -> str:
    return json.dumps({"version": "1.1.400", "generalDiagnostics": diagnostics})


def test_levels_and_places(replay: Replay) -> None:
    """Its lines and columns count from 0; a fault of syntax has no rule; what is no file of the project is left out."""
    syntax = {"file": "/work/a.py", "severity": "error", "message": "expected"}
    told = printed(
        diagnostic("a.py", "error", "reportCallIssue"),
        diagnostic("a.py", "warning", "reportUnused", 4),
        diagnostic("a.py", "information", "reportDeprecated", 5),
        diagnostic("a.py", "unheard-of", "reportOdd", 6),
        diagnostic("other.py", "error", "reportCallIssue"),
        syntax,
    )
    result = replay("pyright", FILES, told, 1)
    assert sorted(placed(result)) == [
        ("error", "reportCallIssue", "a.py", 4, 5, "it is so"),
        ("error", "syntax", "a.py", 1, 1, "expected"),
        ("note", "reportDeprecated", "a.py", 6, 5, "it is so"),
        ("note", "reportOdd", "a.py", 7, 5, "it is so"),
        ("warning", "reportUnused", "a.py", 5, 5, "it is so"),
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")


ABSENT = printed(
    diagnostic("b.py", "error", "reportMissingImports", 0),
    diagnostic("b.py", "error", "reportCallIssue"),
    diagnostic("b.py", "information", "reportDeprecated"),
    diagnostic("a.py", "error", "reportCallIssue"),
)


def test_beside_an_import_that_is_not_here_an_error_is_in_doubt(replay: Replay) -> None:
    result = replay("pyright", FILES, ABSENT, 1)
    assert [each[:4] for each in placed(result)] == [
        ("error", "reportCallIssue", "a.py", 4),
        ("warning", "reportCallIssue", "b.py", 4),
        ("note", "reportDeprecated", "b.py", 4),
    ]
    assert result.reason == GAP


def test_with_an_environment_the_import_itself_is_said(replay: Replay) -> None:
    def run(context: Context) -> list[Item]:
        return list(pyright.run(replace(context, environment=Path("/venv"))))

    result = replay("pyright", FILES, ABSENT, 1, run=run)
    assert [each[:4] for each in placed(result)] == [
        ("error", "reportCallIssue", "a.py", 4),
        ("warning", "reportMissingImports", "b.py", 1),
        ("warning", "reportCallIssue", "b.py", 4),
        ("note", "reportDeprecated", "b.py", 4),
    ]
    assert result.reason == ""


@pytest.mark.parametrize(
    ("files", "configured"),
    [
        ({"pyrightconfig.json": "{}"}, True),
        ({"pyproject.toml": "[tool.pyright]\n"}, True),
        ({"pyproject.toml": "[tool.basedpyright]\n"}, True),
        ({"pyproject.toml": "[tool.mypy]\n"}, False),
    ],
)
def test_it_is_run_where_it_is_configured(replay: Replay, files: dict[str, str], configured: bool) -> None:
    result = replay("pyright", {"a.py": "x = 1\n", **files}, printed())
    why = "" if configured else "the project does not configure pyright at its root"
    assert (result.status, result.reason) == (Status.PASS if configured else Status.SKIPPED, why)


@pytest.mark.parametrize("stream", [1, 2])
def test_when_it_fails_its_words_are_the_reason(replay: Replay, stream: int) -> None:
    result = replay("pyright", FILES, "no\n configuration", 3, stream)
    assert (result.status, result.reason) == (Status.INCOMPLETE, "pyright ended with 3: no configuration")


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "{}",
        '{"generalDiagnostics": 3}',
        '{"generalDiagnostics": [{}]}',
        printed(diagnostic("a.py", "error", "", -1)),
    ],
)
def test_what_is_no_report_is_no_result(replay: Replay, told: str) -> None:
    result = replay("pyright", FILES, told)
    assert (result.status, result.reason) == (
        Status.ERROR,
        "pyright did not print what it should, so its result is unknown",
    )
