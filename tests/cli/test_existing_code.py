"""`omni analyse`, `omni blame`, and what `omni build --repo` refuses before anything is made."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from omni.cli.analyse import analyse
from omni.cli.blame import blame
from omni.cli.build import build


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text('"""An app."""\n\n\ndef main():\n    return 1\n')
    for argv in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first\n\nOmni-Run: r1\nOmni-Model: local/m")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=tmp_path, check=True)
    return tmp_path


def run(command: click.Command, *argv: str) -> str:
    return CliRunner().invoke(command, argv, catch_exceptions=False).output


def test_the_page_goes_to_docs_unless_told_otherwise(project: Path) -> None:
    assert "| `app.py` | 5 | An app. |" in run(analyse, str(project), "--output", "-")
    assert not (project / "docs").exists()
    assert run(analyse, str(project)).startswith("1 files, 0 entry points, ")
    assert (project / "docs" / "codebase-analysis.md").read_text().startswith(f"# {project.name}: what it is\n")
    assert json.loads(run(analyse, str(project), "--json"))["files"][0]["purpose"] == "An app."


def test_blame_names_model_and_run_of_each_line(project: Path) -> None:
    first = json.loads(run(blame, str(project / "app.py"), "--json").splitlines()[0])
    assert {name: first[name] for name in ("line", "text", "run", "model", "role")} == {
        "line": 1,
        "text": '"""An app."""',
        "run": "r1",
        "model": "local/m",
        "role": "",
    }


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("--template", "web-app", "--repo", "."), "--template goes with --type new-service"),
        (("--type", "bugfix"), "needs --repo: what is to be changed?"),
        (("--environment", "."), "needs --repo: what is to be changed?"),
    ],
)
def test_options_that_contradict_each_other_are_said_to(argv: tuple[str, ...], why: str) -> None:
    done = CliRunner().invoke(build, ["fix it", *argv])
    assert done.exit_code == 2
    assert why in " ".join(done.output.replace("│", " ").split())
