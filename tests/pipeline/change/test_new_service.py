"""A new service is left in a folder of a repository, on a branch, and touches nothing else there."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omni.kernel.artifacts import ArtifactStore
from omni.kernel.database import open_database
from omni.kernel.settings import load_settings
from omni.pipeline.change.new_service import PlaceHandoff, place
from omni.pipeline.handoffs import ImplementationHandoff
from omni.pipeline.run import RunOptions, create, end_stage, stage_records, start_stage
from omni.pipeline.runner import Runner, call_plainly
from omni.pipeline.stage import Stage, Work
from omni.pipeline.stages import s02_implementation
from omni.pipeline.workspace import Workspace
from omni.sandbox import choose
from omni.verify import repository


@pytest.mark.parametrize(("there", "folder"), [("services/old/app.py", "services/todo"), ("todo/app.py", "todo2")])
def test_it_lies_beside_its_neighbours(there: str, folder: str, tmp_path: Path) -> None:
    source = tmp_path / "shop"
    (source / there).parent.mkdir(parents=True)
    (source / there).write_text("print('here before')\n")
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=source, check=True)
    settings = load_settings({"home": str(tmp_path / "home")})
    engine = open_database(settings)
    run = create(engine, "a todo app", RunOptions(repository=str(source), change="new-service"))
    assert not run.options.changes
    made = Workspace(settings.home / "runs" / run.id / "workspace", datetime(2026, 1, 1, tzinfo=UTC))
    made.create()
    made.write({"src/todo/app.py": (b"print('todo')\n", True)})
    commit = made.commit("feat: all", {})
    store = ArtifactStore(settings.home / "artifacts")
    work = Work(run, "place", 0, settings, engine, store, made, lambda: choose(settings))
    handoff = ImplementationHandoff(
        spec="", commit=commit, changed=True, files=1, lines=1, package="todo", trace={}, undelivered={}
    )
    stage: Stage[ImplementationHandoff] = s02_implementation.STAGE
    start_stage(engine, run.id, stage, 0)
    end_stage(engine, run.id, stage, 0, work.put(handoff), handoff)
    assert place(work) == place(work) == PlaceHandoff(branch="omni/a-todo-app", folder=folder)  # twice is once
    engine.dispose()
    tip = repository.commit(source, "omni/a-todo-app")
    assert set(repository.blobs(source, tip)) == {there, f"{folder}/src/todo/app.py"}
    assert repository.commit(source, "omni/a-todo-app^") == repository.commit(source, "work")
    assert not (source / folder).exists()


def test_a_thin_request_ends_incomplete_and_leaves_nothing_there(tmp_path: Path) -> None:
    source = tmp_path / "shop"
    source.mkdir()
    (source / "app.py").write_text("print('here before')\n")
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=source, check=True)
    settings = load_settings({"home": str(tmp_path / "home")})
    engine = open_database(settings)
    run = create(engine, "something nice", RunOptions(repository=str(source), change="new-service"))
    assert call_plainly(Runner(run, settings, engine)) == "incomplete"
    assert [each.name for each in stage_records(engine, run.id)] == ["specification"]
    engine.dispose()
    assert repository.branches(source) == {"work"}
