"""One role asked by a person: the documents go from one to the next, and wrong citations are dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.agents.replies import FINDINGS, JUDGEMENT, RIGHT

from omni.agents.handoffs import Envelope, decisions
from omni.cli.roles import roles
from omni.kernel.errors import OmniError
from omni.models.script import Match, Record, Reply, Rule, Script, serve

ROUTES = 'from app import app\n\n\n    return {"error": "gone"}, 200\n'
LAX = {"steps": [{"id": "1", "do": "something", "files": [], "criteria": ["C9"]}]}


def said(role: str, *replies: object) -> list[Rule]:
    return [Rule(match=Match(system=f"({role})"), reply=Reply(text=json.dumps(each))) for each in replies]


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def home(tmp_path: Path, record: Record) -> Iterator[Path]:
    rules = (
        *said("P0.1", RIGHT["ProductSpec"]),
        *said("P0.2", RIGHT["ApiContract"]),
        *said("P1.1", LAX, RIGHT["Plan"]),
        *said("P2.1", {"remarks": [FINDINGS["remarks"][0], {**FINDINGS["remarks"][0], "line": 1}]}),  # type: ignore[index,dict-item]
        *said("reviewer", JUDGEMENT),
    )
    with serve(Script(rules=rules), record) as url:
        folder = tmp_path / "home"
        folder.mkdir()
        (folder / "models.toml").write_text(
            f'[[endpoint]]\nname = "own"\nbase_url = "{url}"\nmodels = [{{ wire_name = "m" }}]\n'
        )
        yield folder


def run(home: Path, *argv: str) -> Result:
    return CliRunner().invoke(roles, ["ask", *argv], env={"OMNI_HOME": str(home)}, standalone_mode=False)


def handed(result: Result) -> Envelope:
    assert result.exception is None, result.exception
    return Envelope.model_validate_json(result.stdout)


def test_documents_go_from_role_to_role(home: Path, record: Record) -> None:
    spec = handed(run(home, "P0.1", "a todo app"))
    (home / "spec.json").write_text(spec.model_dump_json())
    assert (spec.kind, spec.prompt, spec.model) == ("ProductSpec", "P0.1@1", "own/m")
    contract = run(home, "P0.2", "the contract", "--given", str(home / "spec.json"), "--openapi")
    assert list(json.loads(contract.stdout)["paths"]) == ["/todos/{id}"]
    plan = handed(run(home, "P1.1", "the plan", "--given", str(home / "spec.json")))
    assert plan.made_from == (spec.digest,)
    assert "no step serves C1; there is no criterion C9" in json.dumps(record.asked[-1].request)
    assert [each.what for each in decisions([spec, plan])] == ["rows belong to their owner"]


def test_claims_about_files_are_looked_up(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "routes.py").write_text(ROUTES)
    monkeypatch.chdir(tmp_path)
    found = run(home, "P2.1", "look", "--file", "app/routes.py")
    assert [each["line"] for each in handed(found).document["remarks"]] == [4]  # type: ignore[index,call-overload,union-attr]
    assert "app/routes.py:1 says something else" in found.stderr
    judged = handed(run(home, "reviewer", "judge", "--file", "app/routes.py"))
    assert [each["dimension"] for each in judged.document["scores"]] == ["api_design"]  # type: ignore[index,call-overload,union-attr]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("P1.2", "x"), "A047"),
        (("P0.2", "x"), "A044"),
        (("P7.7", "x"), "A042"),
        (("P0.2", "x", "--given", "BAD"), "A041"),
    ],
)
def test_what_cannot_be_asked_is_said(home: Path, argv: tuple[str, ...], code: str, record: Record) -> None:
    (home / "bad").write_text("{}")
    problem = run(home, *(str(home / "bad") if word == "BAD" else word for word in argv)).exception
    assert isinstance(problem, OmniError)
    assert (problem.kind.code, record.asked) == (code, [])
