"""Other hands than Omni's own: a change by an engine from outside, and what is kept of how hands did."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.agents.engines.here import SMALL, require
from tests.pipeline.change.test_change import LOGIN, shop

from omni.agents.engines import results
from omni.agents.log import Closed, Replied, SessionLog
from omni.agents.transcript import transcript
from omni.kernel import events
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.database import open_database
from omni.kernel.settings import Settings, load_settings
from omni.models.enabling import Wish, add
from omni.models.script import Call, Record, Reply, Rule, Script, serve
from omni.models.script_rules import Match
from omni.models.wire import ChatReply, Message, Usage
from omni.pipeline.change.checkout import clone
from omni.pipeline.change.handoffs import EditHandoff, JudgedHandoff, ProofHandoff
from omni.pipeline.change.worker import Assignment, session_worker
from omni.pipeline.handoffs import Handoff, ImplementationHandoff, VerificationHandoff
from omni.pipeline.hands import hands_of
from omni.pipeline.measured import keep_result
from omni.pipeline.run import Run, RunOptions, create, end_stage, start_stage
from omni.pipeline.stage import Stage, Work
from omni.pipeline.workspace import Workspace
from omni.sandbox import choose
from omni.server.models import app, served
from omni.verify import repository

__all__ = ["shop"]  # a fixture
REQUEST = "fix the login of people who type capitals"
MEND = "sed -i 's/USERS.get(email)/USERS.get(email.lower())/' src/shop/login.py; rm tests/test_login.py"
TRY = "PYTHONPATH=src python -m pytest -q tests"
"""By the project's own interpreter, with what its tests need."""
DONE = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"


@dataclass
class Home:
    settings: Settings
    engine: Engine

    def work(self, run: Run, folder: Path, endpoint: str = "") -> Work:
        """A stage of a run, as the runner would give it."""
        store, workspace = ArtifactStore(self.settings.home / "artifacts"), Workspace(folder, run.created_at)
        driver = choose(self.settings)
        return Work(run, "change", 0, self.settings, self.engine, store, workspace, lambda: driver, endpoint)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    shared = load_settings().home / "envs"
    shared.mkdir(parents=True, exist_ok=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "envs").symlink_to(shared)
    settings = load_settings({"home": str(tmp_path / "home")})
    engine = open_database(settings)
    yield Home(settings, engine)
    engine.dispose()


@pytest.mark.slow
@pytest.mark.host
def test_an_engine_from_outside_changes_a_repository(shop: Path, home: Home, tmp_path: Path) -> None:
    require(SMALL)
    calls = (Call(name="bash", arguments={"command": command}) for command in (TRY, MEND, DONE))
    script, record = Script(rules=tuple(Rule(reply=Reply(tool_calls=(call,))) for call in calls)), Record()
    options = RunOptions(model="auto", engine=SMALL, repository=str(shop), environment=sys.prefix)
    run = create(home.engine, REQUEST, options)
    assignment = Assignment(role="developer", instructions="Mend the fault.", protected=("tests/test_login.py",))
    with serve(script, record) as url:
        add(home.settings, Wish(name="local", base_url=url))
        with served(app(home.settings, home.engine)) as endpoint:
            work = home.work(run, tmp_path / "copy", endpoint)
            clone(shop, repository.commit(shop, "HEAD"), work.workspace)
            done = session_worker(work, assignment)
            assert session_worker(work, assignment) == done  # what has ended is not asked again
    assert (done.ended, done.prompt, record.chats) == ("done", f"of {SMALL}", 3)
    assert done.model.startswith("local/")
    assert done.summary.startswith(f"{SMALL} ")
    changed = (tmp_path / "copy" / "src/shop/login.py").read_text()
    assert changed == LOGIN.replace("USERS.get(email)", "USERS.get(email.lower())")
    assert (tmp_path / "copy" / "tests/test_login.py").exists()
    assert "2 passed" in json.dumps(record.asked[-2].request)
    page = transcript("", SessionLog(home.engine, f"{run.id}/change#0").lines())
    assert f"### ✓ {SMALL}" in page


def test_who_did_a_part_of_a_change_is_one_of_its_authors(shop: Path, home: Home, tmp_path: Path) -> None:
    part = Call(name="delegate", arguments={"instructions": "Do it.", "complexity": "simple"})
    ended = Call(name="finish", arguments={"summary": "Done."})
    rules = (
        Rule(match=Match(model="large", turn=1), reply=Reply(tool_calls=(part,))),
        Rule(reply=Reply(tool_calls=(ended,)), times=0),
    )
    run = create(home.engine, REQUEST, RunOptions(model="auto", repository=str(shop), environment=sys.prefix))
    with serve(Script(rules=rules)) as url:
        secret = home.settings.home / "models.toml"
        sizes = (("small", "fast"), ("large", "heavy"))
        models = ", ".join(f'{{ wire_name = "{name}", capability = "{size}" }}' for name, size in sizes)
        secret.write_text(f'[[endpoint]]\nname = "local"\nbase_url = "{url}"\nmodels = [{models}]\n')
        secret.chmod(0o600)
        work = home.work(run, tmp_path / "copy")
        clone(shop, repository.commit(shop, "HEAD"), work.workspace)
        done = session_worker(work, Assignment(role="developer", instructions="Mend the fault."))
    assert (done.ended, done.model) == ("done", "local/large, local/small")


def test_auto_is_chosen_once_for_a_run_and_says_why(home: Home, tmp_path: Path) -> None:
    run = create(home.engine, REQUEST, RunOptions(model="local", engine="auto", repository=str(tmp_path)))
    work = home.work(run, tmp_path)
    assert [hands_of(work), hands_of(work)] == ["native", "native"]
    why = "bugfix, local: no results yet; nobody has 5 results and more than 50% proved"
    told = [
        (event.kind, event.data.get("why") or event.data["text"]) for event in events.replay(home.engine, run.id)[1:]
    ]
    assert told == [("engine.chosen", why), ("note", f"engine: native; {why}")]


def _worked(home: Home, run: Run, session: str, model: str = "m") -> None:
    """A session of the run's hands that took 110 tokens."""
    log = SessionLog(home.engine, f"{run.id}/{session}")
    usage = Usage(prompt=100, completion=10)
    message = Message(role="assistant", content="Done.")
    reply = ChatReply(message=message, finish="stop", usage=usage, provider="local", model=model)
    log.append(Replied(turn=1, reply=reply))
    log.append(Closed(turn=1, ended="done", summary="It works."))


def _left(home: Home, run: Run, name: str, handoff: Handoff) -> None:
    stage = Stage(name, "2", name, lambda _: handoff, type(handoff))
    start_stage(home.engine, run.id, stage, 0)
    digest = ArtifactStore(home.settings.home / "artifacts").put(handoff.model_dump_json().encode())
    end_stage(home.engine, run.id, stage, 0, digest, handoff)


EDITED = EditHandoff(commit="c", changed=True, ended="done", summary="")
FAILED = EDITED.model_copy(update={"passed": False})
PROVED = ProofHandoff(suite="s", commit="c")
DOUBTED = JudgedHandoff(commit="c", record="r", passed=False, reasons=("it is said to be wrong",))
SHOWN = DOUBTED.model_copy(update={"shown": ("shown to be wrong",)})
MADE = ImplementationHandoff(
    spec="s", commit="c", changed=True, files=1, lines=1, package="p", trace={}, undelivered={}
)
DEEP = VerificationHandoff(tier=3, verdict="pass", report="r", seconds=1)
WRONG = DEEP.model_copy(update={"passed": False, "verdict": "fail"})
BLIND = DEEP.model_copy(update={"passed": False, "verdict": "incomplete"})


@pytest.mark.parametrize(
    ("repository", "left", "kept"),
    [
        ("/shop", {"change": EDITED, "proof": PROVED}, ("bugfix", True)),
        ("/shop", {"change": EDITED, "proof": PROVED.model_copy(update={"passed": False})}, ("bugfix", False)),
        ("/shop", {"change": EDITED, "proof": PROVED, "change-review": DOUBTED}, ("bugfix", True)),
        ("/shop", {"change": EDITED, "proof": PROVED, "change-review": SHOWN}, ("bugfix", False)),
        ("/shop", {"change": FAILED}, ("bugfix", False)),
        ("/shop", {"change": EDITED}, None),
        ("/shop", {"step-0": FAILED, "change": EDITED, "proof": PROVED}, ("bugfix", False)),
        ("/shop", {}, None),
        ("", {"implementation": MADE, "deep": DEEP}, ("new-service", True)),
        (
            "",
            {"implementation": MADE.model_copy(update={"undelivered": {"AC1": "no"}}), "deep": DEEP},
            ("new-service", False),
        ),
        ("", {"implementation": MADE, "instant": WRONG}, ("new-service", False)),
        ("", {"implementation": MADE, "instant": BLIND}, None),
    ],
)
def test_what_is_kept_is_what_was_proved(
    repository: str, left: dict[str, Handoff], kept: tuple[str, bool] | None, home: Home
) -> None:
    run = create(home.engine, REQUEST, RunOptions(model="auto", repository=repository))
    session = "change#0" if repository else "implementation#0"
    _worked(home, run, session)
    _worked(home, run, f"{session}+call_1_0", "of-a-part")
    _worked(home, run, f"{session}/P3.1", "of-a-specialist")
    for name, handoff in left.items():
        _left(home, run, name, handoff)
    for _ in range(2):  # as after a kill
        keep_result(run, home.settings, home.engine)
    found = [
        (each.engine, each.model, each.kind, each.runs, each.passed, each.tokens)
        for each in results.figures(home.engine)
    ]
    assert found == ([("native", "local/m, local/of-a-part", kept[0], 1, int(kept[1]), 110)] if kept else [])


def test_a_run_without_hands_keeps_nothing(home: Home) -> None:
    run = create(home.engine, REQUEST, RunOptions(model="auto"))
    _left(home, run, "implementation", MADE)
    _left(home, run, "deep", DEEP)
    keep_result(run, home.settings, home.engine)
    assert results.figures(home.engine) == []
