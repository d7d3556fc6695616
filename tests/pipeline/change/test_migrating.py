"""What a migration declares, and what it says where a person has to."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.pipeline.change.changing import changing, left

from omni.agents.log import Resumed, SessionLog
from omni.models.enabling import Wish, add
from omni.models.script import Call, Record, Reply, Rule, Script, serve
from omni.pipeline.change import asked, hand_over, migrating
from omni.pipeline.change.flow import BASELINE, EDIT, PLAN
from omni.pipeline.change.handoffs import BaselineHandoff, EditHandoff, PlanHandoff, StepHandoff
from omni.pipeline.change.migration import Step
from omni.pipeline.change.suite import Suite, run_safely
from omni.pipeline.change.worker import session_worker
from omni.pipeline.decision import raise_budget
from omni.pipeline.run import RunOptions
from omni.pipeline.stage import Stage, Work
from omni.verify import repository

REQUEST = "migrate from Flask to FastAPI"
OLD, NEW = {"app.py": "from flask import Flask\n\napp = Flask(__name__)\n"}, {"app.py": "from fastapi import FastAPI\n"}
POETRY = '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "^3"\n'
LOCKED = "flask==3.0.3 \\\n    --hash=sha256:00\n"


@pytest.mark.parametrize(("path", "text"), [("pyproject.toml", POETRY), ("requirements.txt", LOCKED)])
def test_what_omni_can_not_declare_a_person_declares_before_anything_is_paid(
    tmp_path: Path, path: str, text: str
) -> None:
    with changing(tmp_path, REQUEST, OLD | {path: text}) as work:
        base = work.workspace.head()
        planned = migrating.plan(work)
        assert work.workspace.head() == base
    why = "declare fastapi, httpx, a2wsgi yourself first, and commit that: Omni writes into no list with hashes and no "
    reasons = (f"{why}table of Poetry's, as in {path}",)
    expected = PlanHandoff(passed=False, reasons=reasons, commit=base, migration="flask-to-fastapi", steps=())
    assert planned == expected


def test_an_older_version_that_is_asked_for_is_a_person_s_to_raise(tmp_path: Path) -> None:
    files = {"app.py": "rows = session.query(Book)\n", "requirements.txt": "sqlalchemy==1.4.52\n"}
    with changing(tmp_path, "migrate to SQLAlchemy 2", files) as work:
        planned = migrating.plan(work)
    said = "declare sqlalchemy>=2 yourself first, and commit that: requirements.txt asks for another version of it"
    assert (planned.passed, planned.reasons, planned.steps) == (False, (said,), ())


@pytest.mark.parametrize("manifest", [{}, {"requirements.txt": "flask\n"}])
def test_what_it_needs_is_declared_where_the_project_declares(tmp_path: Path, manifest: dict[str, str]) -> None:
    with changing(tmp_path, REQUEST, OLD | manifest) as work:
        planned = migrating.plan(work)
        assert (planned.passed, planned.adds, len(planned.steps)) == (True, ("fastapi", "httpx", "a2wsgi"), 2)
        listed = repository.text_at(work.workspace.path, planned.commit, "requirements.txt")
    assert listed == ("flask\nfastapi\nhttpx\na2wsgi\n" if manifest else "")


@pytest.mark.parametrize(("path", "text"), [("pyproject.toml", POETRY), ("requirements.txt", LOCKED)])
def test_what_is_needed_no_more_and_still_declared_is_told(tmp_path: Path, path: str, text: str) -> None:
    with changing(tmp_path, REQUEST, NEW | {path: text}) as work:
        base = work.workspace.head()
        left(work, PLAN, PlanHandoff(commit=base, migration="flask-to-fastapi", steps=()))
        left(work, BASELINE, BaselineHandoff(suite=work.put(Suite())))
        done = migrating.release(work)
    said = f"flask is still declared in {path}: take it out there, of a list with hashes by what made it"
    assert (done.passed, done.reasons, done.commit) == (False, (said,), base)


def step(number: int) -> Stage[StepHandoff]:
    name = f"step-{number}"
    return Stage(name, "4", name, lambda work: migrating.do_step(work, number, session_worker), StepHandoff)


def take(work: Work, number: int, attempt: int) -> StepHandoff:
    done = step(number).run(replace(work, stage=f"step-{number}", attempt=attempt))
    left(work, step(number), done)
    return done


def moves(path: str) -> tuple[Rule, ...]:
    calls = (
        Call(name="read", arguments={"path": path}),
        Call(name="write", arguments={"path": path, "content": "new = 1\n"}),
        Call(name="finish", arguments={"summary": "Moved."}),
    )
    return tuple(Rule(reply=Reply(tool_calls=(call,))) for call in calls)


@pytest.mark.slow
@pytest.mark.host
@pytest.mark.parametrize("killed", [False, True])
def test_steps_that_a_budget_cut_off_go_on_and_take_nothing_back(tmp_path: Path, killed: bool) -> None:
    """The second is asked on the tree with the first, not on the one on which it was cut off; and nobody twice."""
    files = {"a.py": "old = 1\n", "b.py": "old = 1\n", "test_it.py": "def test_it() -> None:\n    assert 1\n"}
    options = RunOptions(model="local", budget="4000", environment=sys.prefix)
    record = Record()
    rules = (*moves("a.py"), *moves("b.py"))
    with changing(tmp_path, REQUEST, files, options) as work, serve(Script(rules=rules), record) as url:
        add(work.settings, Wish(name="local", base_url=url))
        base = work.workspace.head()
        planned = tuple(Step(kind="move", path=path, task="Move it.") for path in ("a.py", "b.py"))
        left(work, PLAN, PlanHandoff(commit=base, migration="flask-to-fastapi", steps=planned))
        left(work, BASELINE, BaselineHandoff(suite=work.put(run_safely(asked.tester_of(work)))))
        first = [take(work, number, 0) for number in (0, 1)]
        assert ([each.passed for each in first], record.chats) == ([False, False], 1)
        raise_budget(work.settings, work.engine, work.run.id, 10_000_000, "ada")
        if killed:
            SessionLog(work.engine, first[0].unfinished).append(Resumed())
        then = [take(work, number, 1) for number in (0, 1)]
        moved = [repository.text_at(work.workspace.path, then[1].commit, path) for path in ("a.py", "b.py")]
    assert ([each.passed for each in then], moved, record.chats) == ([True, True], ["new = 1\n"] * 2, 6)


def test_a_change_of_the_whole_counts_until_a_further_step_stands(tmp_path: Path) -> None:
    with changing(tmp_path, REQUEST, NEW) as work:
        base = work.workspace.head()
        made = EditHandoff(commit=base, changed=True, ended="done", summary="All of it.")
        stands, fails = (
            StepHandoff(passed=passed, commit=base, path="a.py", summary="A step.") for passed in (True, False)
        )
        assert asked.edited(work) is None
        for stage, handoff, expected in ((step(0), stands, None), (EDIT, made, made), (step(1), fails, made)):
            left(work, stage, handoff)
            assert asked.edited(work) == expected
        assert hand_over._summary(work) == "All of it."
        left(work, step(1), stands)
        assert asked.edited(work) is None
        assert hand_over._summary(work) == "a.py: A step. a.py: A step."
