"""Whatever lies in a folder, a check gives a result: no crash, nothing passed over in silence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.verify import engine
from omni.verify.plan import Options
from omni.verify.report import CheckResult, Report, Status
from omni.verify.tools import Tools

Write = Callable[..., Path]
ODD: dict[str, bytes] = {
    "empty.py": b"",
    "binary.py": b"\x00\x01\x02",
    "latin.py": "x = 'caf\u00e9'\n".encode("latin-1"),
    "broken.py": b"def f(:\n",
    "deep.py": b"x = " + b"(" * 500 + b")" * 500,
    "deep.json": b"[" * 100_000,
    "deep.yaml": b"[" * 2000,
    "-rf.py": b"x = 1\n",
    "a b\tc.sh": b"#!/bin/sh\ncd $1\n",
    "[x].md": b"[a](gone.md)\n```mermaid\n```\n",
    "crlf.toml": b"a = 1\r\n",
    "bom.json": b"\xef\xbb\xbf{}",
    "no-end.sql": b"CREATE TABLE a (b int",
    "Dockerfile": b"FROM\n",
    "package.json": b"[]",
    "pyproject.toml": b"project = 1\n",
    "locales/en.json": b"[]",
    "migrations/versions/a.py": b"revision = 1\n",
    "openapi.yaml": b"openapi: 3.1.0\npaths: []\n",
    "tests/test_a.py": b"def test_a(): pass",
    ".github/workflows/a.yml": b"on: [",
    "long.js": b"a" * 100_000,
}


@pytest.fixture
def examined(write: Write, settings: Settings, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    monkeypatch.setattr("omni.verify.tools.open_tools", lambda *_: tools)

    def run(files: dict[str, bytes]) -> Report:
        home = settings.model_copy(update={"offline": True})
        return engine.verify(write(files), Options(tiers=(1, 2)), home)

    return run


@pytest.mark.slow
def test_all_at_once(examined: Callable[..., Report]) -> None:
    report = examined(ODD)
    failed = {each.check: each.reason for each in report.results if each.status is Status.ERROR}
    assert failed.keys() <= {"ruff-lint", "ruff-format", "workflows"}, "they say why: their own input can't be read"
    assert "crashed" not in " ".join(failed.values())
    assert {"binary.py", "latin.py"} <= report.files.failed.keys()
    syntax = next(each for each in report.results if each.check == "syntax")
    assert {each.path for each in syntax.findings} >= {"broken.py", "deep.json"}


@pytest.mark.slow
def test_nothing(examined: Callable[..., Report]) -> None:
    report = examined({})
    assert report.verdict == "incomplete"
    assert [(each.check, each.reason) for each in report.results if each.status is Status.ERROR] == []


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(examined: Callable[..., Report], root: Path) -> None:
    (root / "a.py").write_text("x = 1\n")
    (root / "a.py").chmod(0)
    assert "a.py" in examined({}).files.failed


@pytest.mark.parametrize(
    "check",
    [
        "authorisation",
        "blocking-calls",
        "database-access",
        "ddd",
        "docstrings",
        "hollow-functions",
        "hollow-tests",
    ],
)
def test_what_can_not_be_parsed_was_not_looked_at(look: Callable[..., CheckResult], check: str) -> None:
    """Each check says so itself: nothing found in such a file is no evidence."""
    result = look(check, {"tests/test_a.py": "def (\n"})
    assert (result.status, list(result.coverage.failed)) == (Status.INCOMPLETE, ["tests/test_a.py"])
