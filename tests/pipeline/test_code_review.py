"""`omni review`: a change of a real repository, reviewed over the real router by scripted models."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from omni.cli.review import review
from omni.models.script import Match, Record, Reply, Rule, Script, serve

OLD = (
    'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/items")\ndef items() -> list[str]:\n    return []\n'
)
NEW = OLD + '\n\n@app.post("/admin/wipe")\ndef wipe() -> str:\n    open("data", "w").close()\n    return "done"\n'
PLACE = {"path": "app.py", "line": 11, "quote": '@app.post("/admin/wipe")'}
REMARK = {
    **PLACE,
    "rule": "POST /admin/wipe",
    "severity": "error",
    "message": "Anybody can wipe the data.",
    "why": "There is no guard on the route.",
    "fix": "Ask for an admin.",
    "replacement": '@app.post("/admin/wipe", dependencies=[Depends(admin)])',
}
SECURITY = {"dimension": "security", "score": 1, "because": "an open route of an admin", "cites": [PLACE]}
GOOD = {"feedback": "It is plain.", "scores": []}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text(OLD)
    (root / "untouched.py").write_text("SECRET_OF_THE_REST = 1\n")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for argv in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "first")):
        subprocess.run(("git", *argv), cwd=root, env=environment, check=True)
    (root / "app.py").write_text(NEW)
    return root


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def home(tmp_path: Path, record: Record) -> Iterator[Path]:
    """An Omni home with one scripted model."""
    security = {"feedback": "Guard it.", "scores": [SECURITY], "remarks": [REMARK, {**REMARK, "line": 2}]}
    rules = [
        said(security, system="(reviewer)", contains="threat surface"),
        said(GOOD, system="(reviewer)"),
        said({"remarks": [REMARK]}, system="(P2.3)"),
        said({"nonsense": 1}, system="(P2.4)"),
        said({}, system="Hand over Findings"),
    ]
    with serve(Script(rules=tuple(rules)), record) as url:
        folder = tmp_path / "home"
        folder.mkdir()
        models = '[{ wire_name = "judge", capability = "heavy" }]'
        (folder / "models.toml").write_text(f'[[endpoint]]\nname = "own"\nbase_url = "{url}"\nmodels = {models}\n')
        yield folder


def said(reply: Mapping[str, object], **match: str) -> Rule:
    return Rule(match=Match.model_validate(match), reply=Reply(text=json.dumps(reply)), times=0)


def run(home: Path, *argv: str) -> Result:
    return CliRunner().invoke(review, argv, env={"OMNI_HOME": str(home)}, standalone_mode=False)


def test_a_change_is_reviewed_with_places_that_are_looked_up(repository: Path, home: Path, record: Record) -> None:
    patch = home / "mends.patch"
    done = run(home, str(repository), "--format", "json", "--patch", str(patch))
    report = json.loads(done.output)
    shown = {
        each["check"]: (each["status"], [(f["line"], f["rule"]) for f in each["findings"]])
        for each in report["results"]
    }
    assert shown == {
        "review-code": ("pass", []),
        "review-security": ("fail", [(11, "POST /admin/wipe")]),
        "review-api-correctness": ("pass", []),
        "review-auth-permissions": ("fail", []),
        "review-error-handling": ("incomplete", []),
        "review-ux-dx-auditor": ("pass", []),
    }
    assert done.return_value == 1
    by_check = {each["check"]: each for each in report["results"]}
    assert by_check["review-security"]["metrics"] == {"review-security.dropped": 1.0, "review-security.security": 1.0}
    assert by_check["review-security"]["tool"] == "own/judge"
    assert "own/judge, twice" in by_check["review-error-handling"]["reason"]
    asked = json.dumps(record.asked[0].request)
    assert "app.py:12 wipe added" in asked
    assert "SECRET_OF_THE_REST" not in asked
    assert '+@app.post(\\"/admin/wipe\\", dependencies' in json.dumps(patch.read_text())
    applied = subprocess.run(("git", "apply", "--check", str(patch)), cwd=repository, capture_output=True, text=True)
    assert applied.returncode == 0, applied.stderr


def test_it_becomes_a_comment_of_a_pull_request(repository: Path, home: Path) -> None:
    done = run(home, str(repository), "--format", "comment")
    assert "Anybody can wipe the data." in done.output
    assert "app.py:11" in done.output


def test_who_wrote_it_can_fail_it_and_not_pass_it(repository: Path, home: Path) -> None:
    done = run(home, str(repository), "--format", "json", "--author", "own/judge")
    results = {each["check"]: (each["status"], each["reason"]) for each in json.loads(done.output)["results"]}
    assert results["review-code"] == ("incomplete", "own/judge wrote this itself")
    assert results["review-security"][0] == "fail"


def test_nothing_changed_and_nobody_there_are_said(repository: Path, home: Path, record: Record) -> None:
    (repository / "app.py").write_text(OLD)
    done = run(home, str(repository), "--format", "json")
    assert {(each["status"], each["reason"]) for each in json.loads(done.output)["results"]} == {
        ("skipped", "nothing changed")
    }
    assert (done.return_value, record.asked) == (3, [])
    (repository / "app.py").write_text(NEW)
    (home / "models.toml").unlink()
    done = run(home, str(repository), "--format", "json")
    assert done.return_value == 3
    assert all(each["status"] == "incomplete" for each in json.loads(done.output)["results"])
