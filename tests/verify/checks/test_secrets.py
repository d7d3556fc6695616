from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.check import Output
from omni.verify.checks import secrets
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Look = Callable[..., CheckResult]

TOKEN = "gh" + "p_" + "x7Kd93jfLsQ2mVb8Nc4Tz6Wp1Rg5Yh0AeUiO"
"""In the form of a token, and none: put together here, so that it stands in no file."""


@pytest.mark.slow
def test_token(look: Look) -> None:
    result = look("secrets", {"app.py": f'x = 1\nTOKEN = "{TOKEN}"\n', "b.py": "y = 2\n"})
    assert [(each.severity, each.path, each.line, each.cwe) for each in result.findings] == [
        ("error", "app.py", 2, "CWE-798")
    ]
    assert TOKEN not in result.model_dump_json()
    assert result.coverage.seen == 2


@pytest.mark.slow
def test_clean(look: Look) -> None:
    assert look("secrets", {"app.py": "import os\nTOKEN = os.environ['TOKEN']\n"}).status is Status.PASS


def secret(rule: str, path: str, confidence: str = "medium") -> str:
    return json.dumps({"rule": {"name": rule}, "finding": {"path": path, "line": 2, "confidence": confidence}})


@pytest.mark.parametrize(
    ("rule", "path", "confidence", "severity"),
    [
        ("github-token", "app.py", "medium", "error"),
        ("github-token", "tests/a.py", "high", "error"),
        ("rsa-private-key", "app.pem", "medium", "error"),
        ("rsa-private-key", "tests/a.pem", "medium", "warning"),
        ("jwt", "docs/a.md", "medium", "warning"),
        ("curl-auth", "deep/fixtures/a", "medium", "warning"),
        ("generic-secret", ".env.example", "medium", "warning"),
        ("generic-secret", "contest/a", "medium", "error"),
        ("github-token", "app.py", "low", "warning"),
    ],
)
def test_what_tests_hold_by_the_dozen_does_not_block(
    write: Write, rule: str, path: str, confidence: str, severity: str
) -> None:
    output = Output(200, f"{secret(rule, path, confidence)}\n", "")
    assert told(secrets.parse(context_of(write({}), "secrets"), output)) == [
        f"{severity} {rule} {path}:2 a {rule.replace('-', ' ')} stands in the file"
    ]


def test_what_was_not_scanned_to_the_end_is_unseen(write: Write) -> None:
    parts = [{"repository": "a", "scan": {"status": "completed"}}, {"repository": "b", "scan": {"status": "failed"}}]
    lines = [json.dumps({"audit": {"repositories": parts}}), json.dumps({"audit": {}}), secret("jwt", "a.py")]
    assert told(secrets.parse(context_of(write({}), "secrets"), Output(0, "\n".join(lines), ""))) == [
        "unseen b: Kingfisher: failed",
        "error jwt a.py:2 a jwt stands in the file",
    ]
