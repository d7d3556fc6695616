from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.checks import twelve_factor
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
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


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("DB = 'redis://cache.internal:6379'", "03-config the address of a service stands in the code"),
        ("DB = 'postgresql+psycopg://a@b'", "03-config the address of a service stands in the code"),
        ("DB = 'redis://localhost:6379'", ""),
        ("DB = 'redis://127.0.0.1'", ""),
        ("DB = 'see redis://cache'", ""),
        ("DB = 'redis://{host}/0'", ""),
        ("io.open('a', 'a')", "06-processes a file beside the program is written: a"),
        ("open('a', mode='x')", "06-processes a file beside the program is written: a"),
        ("open('a', 'r+')", "06-processes a file beside the program is written: a"),
        ("open('a', 'rb')", ""),
        ("open('a')", ""),
        ("open(a, 'w')", ""),
        ("open(mode='w')", ""),
        ("open('a', mode)", ""),
        ("open('/tmp/a', 'w')", ""),
        ("open('/dev/null', 'w')", ""),
        ("open('/proc/self/a', 'w')", ""),
        ("store.open('a', 'w')", ""),
        *(
            (f"handlers.{name}('a')", "11-logs the log goes to a file")
            for name in ("FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler")
        ),
        ("basicConfig(filename='a')", "11-logs the log goes to a file"),
        ("logging.basicConfig(level=1)", ""),
        ("logging.StreamHandler('a')", ""),
        ("other(filename='a')", ""),
    ],
)
def test_what_binds_a_program_to_its_place(line: str, said: str) -> None:
    found = [f"{at} {rule.name} {message}" for rule, at, message in twelve_factor._judge(ast.parse(f"\n{line}\n"))]
    assert found == ([f"2 {said}"] if said else [])


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"files": ("*.lock",)}, True),
        ({"files": ("*.toml",)}, False),
        ({"says": "inside"}, True),
        ({"says": "around"}, True),
        ({"says": "nowhere"}, False),
        ({"never": "inside"}, False),
        ({"never": "around"}, True),
        ({"files": ("*.toml",), "says": "nowhere", "never": "nothing"}, True),
        ({}, False),
    ],
)
def test_the_signs_of_a_factor(fields: dict[str, object], kept: bool) -> None:
    factor = twelve_factor.Factor.model_validate({"number": 1, "name": "a", "why": "w", "fix": "f", **fields})
    assert factor.kept(["a.py", "b.lock"], "inside", "around") is kept
    assert (factor.rule.name, factor.rule.severity) == ("01-a", "note")


def test_only_the_program_is_judged(write: Write) -> None:
    files = {
        "app.py": "import flask.views\n",
        "tests/a.py": "open('a', 'w')\n",
        "b.py": "x = (\n",
        "c.md": "import a\n",
    }
    said = told(twelve_factor.run(context_of(write(files), "twelve-factor")))
    assert [each for each in said if "tests/" in each or "b.py" in each] == []
    assert said[0] == "twelve_factor.01 = 0.0"
    beside = {"app.py": "import click\n", "tests/test_a.py": "import flask\n"}
    for path in files:
        (write({}) / path).unlink()
    assert told(twelve_factor.run(context_of(write(beside), "twelve-factor"))) == [
        "skipped: no Python here imports a web framework, and services in other languages are not looked at"
    ]
