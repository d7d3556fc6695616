"""A new service in a repository that is there: built and proved like any other, then left on a branch, in a folder."""

from __future__ import annotations

from pathlib import Path

from omni.pipeline.change import checkout
from omni.pipeline.handoffs import Handoff, ImplementationHandoff
from omni.pipeline.stage import Stage, Work
from omni.pipeline.workspace import Workspace
from omni.verify import repository

NEIGHBOURS = ("services", "apps", "packages")
"""Folders in which monorepos keep their parts: the first that is there takes the new one."""


class PlaceHandoff(Handoff):
    branch: str
    """In the repository."""
    folder: str
    """Where it lies there, as `services/todo`."""


def place(work: Work) -> PlaceHandoff:
    """Commit the app below a folder of the repository, on a new branch; nothing else of it is touched."""
    source = Path(work.run.options.repository)
    base = repository.commit(source, "HEAD")
    own = Workspace(work.folder / "placed", work.run.created_at)
    checkout.clone(source, base, own)
    folder = _free(own.path, work.handoff(ImplementationHandoff, "implementation").package)
    repository.export(work.workspace.path, work.workspace.head(), own.path / folder)
    message = f"feat: {folder}, a new service\n\n{work.run.request}"
    tip = own.commit(message, work.trailers("package") | {"Omni-Model": _models(work)})
    branch = checkout.hand_over(own, source, base, tip, checkout.branch_name(work.run.request))
    return PlaceHandoff(branch=branch, folder=folder)


def _free(root: Path, name: str) -> str:
    """A path that nothing has yet."""
    above = next((f"{each}/" for each in NEIGHBOURS if (root / each).is_dir()), "")
    paths = (f"{above}{name}{number}" for number in ("", *range(2, 1000)))
    return next(path for path in paths if not (root / path).exists())


def _models(work: Work) -> str:
    return ", ".join(work.handoff(ImplementationHandoff, "implementation").models) or "none"


STAGE = Stage("place", "10", "In the repository", place, PlaceHandoff)
