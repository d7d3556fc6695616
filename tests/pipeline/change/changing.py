"""A repository of a person's, and a run that changes it, as far as a test says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from omni.kernel.artifacts import ArtifactStore
from omni.kernel.database import open_database
from omni.kernel.settings import load_settings
from omni.pipeline.change.flow import COMPREHENSION
from omni.pipeline.handoffs import Handoff
from omni.pipeline.run import RunOptions, create, end_stage, stage_records, start_stage
from omni.pipeline.stage import Stage, Work
from omni.pipeline.workspace import Workspace
from omni.sandbox import choose


@contextmanager
def changing(folder: Path, request: str, files: Mapping[str, str], options: RunOptions | None = None) -> Iterator[Work]:
    """A run that has understood a repository with these files."""
    source = folder / "shop"
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=source, check=True)
    settings = load_settings({"home": str(folder / "home")})
    engine = open_database(settings)
    chosen = (options or RunOptions()).model_copy(update={"repository": str(source)})
    run = create(engine, request, chosen)
    workspace = Workspace(settings.home / "runs" / run.id / "workspace", run.created_at)
    store = ArtifactStore(settings.home / "artifacts")
    work = Work(run, "change-review", 0, settings, engine, store, workspace, lambda: choose(settings))
    left(work, COMPREHENSION, COMPREHENSION.run(work))
    try:
        yield work
    finally:
        engine.dispose()


def left(work: Work, stage: Stage[Handoff], handoff: Handoff) -> None:
    """A stage has left something, once more."""
    attempt = sum(each.name == stage.name for each in stage_records(work.engine, work.run.id))
    start_stage(work.engine, work.run.id, stage, attempt)
    end_stage(work.engine, work.run.id, stage, attempt, work.put(handoff), handoff)


def committed(work: Work, files: Mapping[str, str]) -> str:
    """One more commit, with these files."""
    work.workspace.write({path: (text.encode(), False) for path, text in files.items()})
    return work.workspace.commit("feat: so", work.trailers("developer"))
