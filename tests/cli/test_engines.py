"""`omni engines`: what a person, and a program, sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as Ran

from omni.agents.engines.registry import adapters
from omni.agents.engines.results import Result, keep
from omni.cli.engines import engines
from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import load_settings
from omni.models.script import Call, Reply, Rule, Script, serve


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OMNI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def url() -> Iterator[str]:
    edits = [{"old": "one", "new": "two"}]
    calls = (
        Call(name="edit", arguments={"path": "a.txt", "edits": edits}),
        Call(name="finish", arguments={"summary": "."}),
    )
    with serve(Script(rules=tuple(Rule(reply=Reply(tool_calls=(call,))) for call in calls))) as served:
        yield served


def run(*arguments: str) -> Ran:
    return CliRunner().invoke(engines, arguments, catch_exceptions=False)


def test_the_list_says_of_each_engine_where_it_is_how_it_is_proved_and_how_to_get_it() -> None:
    rows = {row["name"]: row for row in map(json.loads, run("list", "--json").stdout.splitlines())}
    assert rows.keys() == {"native", *adapters()}
    aider, roo = rows["aider"], rows["roo-code"]
    assert (aider["type"], aider["version"], aider["state"], aider["proof"]) == ("engine", "0.86.2", "not here", "run")
    assert aider["get"] == "Type: omni engines install aider"
    assert (roo["state"], roo["proof"]) == ("not here", "recorded")
    assert rows["native"]["state"] == "here"
    assert "omni engines install aider" in run("list").stdout


def test_results_are_shown_with_what_auto_makes_of_them() -> None:
    database = open_database(load_settings({}))
    for passed in (True, True, False, True, True):
        row = Result(
            engine="native",
            version="1",
            kind="bugfix",
            model="local/m",
            passed=passed,
            ended="done",
            tokens=900,
            seconds=3,
        )
        keep(database, "", row)
    database.dispose()
    why = "bugfix, local: native passed 4 of 5, 38% proved; nobody has 5 results and more than 50% proved"
    assert list(map(json.loads, run("results", "--model", "local", "--json").stdout.splitlines())) == [
        {
            "type": "result",
            "engine": "native",
            "kind": "bugfix",
            "model": "local/m",
            "runs": 5,
            "passed": 4,
            "tokens": 900,
            "seconds": 3.0,
            "proved": 0.376,
        },
        {"type": "choice", "kind": "bugfix", "engine": "native", "why": why},
    ]
    shown = run("results", "--model", "local").stdout
    assert shown.splitlines()[0].split() == ["bugfix", "native", "local/m", "4", "of", "5", "38%", "900", "3"]
    assert f"auto takes native: {why}" in shown


def test_an_engine_works_on_a_project(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "secret-canary")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/a.txt").write_text("one\n")
    monkeypatch.chdir(tmp_path / "project")
    result = run("run", "native", "Say two.", "--endpoint", url, "--model", "scripted", "--key", "A_KEY")
    assert result.exit_code == 0
    assert result.stdout.startswith("diff --git a/a.txt b/a.txt\n")
    assert "native" in result.stderr
    assert "secret-canary" not in result.output
    assert (tmp_path / "project/a.txt").read_text() == "two\n"


def test_what_can_not_be_used_is_one_clear_error() -> None:
    given = ("--endpoint", "http://127.0.0.1:1/v1", "--model", "m")
    with pytest.raises(OmniError, match="There is no such engine"):
        run("install", "nobody")
    with pytest.raises(OmniError, match="Roo Code can't be installed by Omni here") as problem:
        run("install", "roo-code")
    assert problem.value.fix.startswith("Install the Roo Code CLI")
    with pytest.raises(OmniError, match="The models' endpoint does not answer"):
        run("run", "aider", "x", *given)
    assert "there is no variable and no file NOT_THERE" in run("run", "aider", "x", *given, "--key", "NOT_THERE").stderr
