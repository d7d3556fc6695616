"""A model adapts code to a new version of a package, where the suite fails with it. The tests stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from omni.kernel import clock
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.typed import quoted
from omni.pipeline.change.changelog import Changes
from omni.pipeline.change.dependencies import environment_with
from omni.pipeline.change.prompts import MOST, texts
from omni.pipeline.change.proof import is_test_file
from omni.pipeline.change.worker import Assignment, Done, session_worker
from omni.pipeline.run import CHANGE, Run, RunOptions
from omni.pipeline.stage import Work
from omni.pipeline.workspace import Workspace
from omni.sandbox.job import Driver
from omni.verify.repository import listed_files

NOT_THERE = (
    "The new version could not be put into your sandbox ({why}); the suite is run with it when you have finished."
)


@dataclass(frozen=True)
class Case:
    """What has to be adapted to."""

    title: str
    """`upgrade flask 2.3 → 3.0`"""
    against: tuple[str, ...]
    """What the suite says with the new version."""
    changes: Changes
    files: tuple[str, ...]
    """Those with the version: they are right already."""
    by_hand: str
    """How the tests are run."""

    @property
    def told(self) -> str:
        parts = (
            self.title,
            quoted("what the suite says with it", "\n".join(f"- {each}" for each in self.against[:MOST])),
            quoted("what its changelog says of it", "\n".join(self.changes.breaks)) if self.changes.breaks else "",
            f"Tests are run so: {self.by_hand}",
        )
        return "\n\n".join(filter(None, parts))


@dataclass(frozen=True)
class Adapter:
    """Who adapts, on whose account: `run` names the sessions and the budget."""

    run: str
    model: str
    budget: str
    settings: Settings
    engine: Engine
    driver: Callable[[], Driver]

    def adapt(self, workspace: Workspace, environment: Path, package: str, wanted: tuple[str, ...], case: Case) -> Done:
        """Let a session change the workspace until the suite passes with `wanted` (`name==version`) installed.

        Raises OmniError when no model can be asked.
        """
        note = ""
        try:
            environment = environment_with(environment, wanted, (), self.settings, lambda _: None)
        except OmniError as problem:
            note = NOT_THERE.format(why=problem.why[:200])
        options = RunOptions(
            repository=str(workspace.path), model=self.model, budget=self.budget, environment=str(environment)
        )
        now = clock.now().replace(microsecond=0)
        work = Work(
            Run(self.run, f"upgrade {package}", options, "running", "", CHANGE, now, now),
            f"upgrade-{package}",
            0,
            self.settings,
            self.engine,
            ArtifactStore(self.settings.home / "artifacts"),
            workspace,
            self.driver,
        )
        tests = tuple(path for path in listed_files(workspace.path) or () if is_test_file(path))
        assignment = Assignment(
            role="developer",
            instructions="\n\n".join(filter(None, (texts().adapt.strip(), case.told, note, texts().rules.strip()))),
            protected=(*tests, *case.files),
        )
        return session_worker(work, assignment)
