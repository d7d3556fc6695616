"""What a migration declares, and what it says where a person has to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipeline.change.changing import changing, left

from omni.pipeline.change import migrating
from omni.pipeline.change.flow import BASELINE, PLAN
from omni.pipeline.change.handoffs import BaselineHandoff, PlanHandoff
from omni.pipeline.change.suite import Suite
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
