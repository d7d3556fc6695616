from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

SERVICE = (
    "import os\nimport logging\nfrom fastapi import FastAPI\n\napp = FastAPI()\nurl = os.environ['DATABASE_URL']\n"
)
WHOLE = {
    ".gitignore": "a\n",
    "requirements.txt": "fastapi==1\nuvicorn==1\n",
    "Dockerfile": 'FROM x\nUSER a\nCMD ["a", "--port", "1"]\n',
    "compose.yaml": "services: {}\n",
    "migrations/env.py": "",
    "app/main.py": SERVICE,
}


def test_kept(look: Look) -> None:
    result = look("twelve-factor", WHOLE)
    assert result.findings == ()
    assert result.metrics == {f"twelve_factor.{number:02}": 1.0 for number in range(1, 13)}


@pytest.mark.parametrize(
    ("line", "factor"),
    [
        ("DB = 'postgresql://app@db.internal/app'", "03-config"),
        ("open('data.txt', 'w').write('x')", "06-processes"),
        ("logging.FileHandler('app.log')", "11-logs"),
        ("logging.basicConfig(filename='app.log')", "11-logs"),
    ],
)
def test_broken(look: Look, line: str, factor: str) -> None:
    result = look("twelve-factor", {**WHOLE, "app/main.py": f"{SERVICE}{line}\n"})
    assert [(each.rule, each.path, each.line) for each in result.findings] == [(factor, "app/main.py", 7)]
    assert result.metrics[f"twelve_factor.{factor[:2]}"] == 0.0


def test_signs_that_are_missing_are_notes(look: Look) -> None:
    result = look("twelve-factor", {"app/main.py": "import fastapi\n"})
    assert len(result.metrics) == 12
    assert {each.severity for each in result.findings} == {"note"}


def test_no_service(look: Look) -> None:
    assert look("twelve-factor", {"a.py": "import click\n"}).status is Status.SKIPPED
