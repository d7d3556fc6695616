"""The folder in which a model's work is done: on the host, written by Omni alone.

What a model wants run works on a copy in the sandbox; what it changed there is brought back here. No path is followed
through a link: a hostile repository, or a command in the sandbox, may have made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from omni.kernel.artifacts import ArtifactStore
from omni.models.wire import Model
from omni.sandbox.job import Driver, Job, JobResult


RefusalKind = Literal["tool", "arguments", "path", "protected", "edit"]
"""A tool that is unknown or not granted; arguments that can't be read; a path that leads out or through a link; a path
that the task protects; an edit that fits nowhere, or in several places."""


class Refused(Exception):  # noqa: N818 - an answer to the model, not a failure of Omni
    """Something that a model asked for and does not get. `why` is told to it, and kept as the event `agent.refused`."""

    def __init__(self, kind: RefusalKind, why: str) -> None:
        super().__init__(why)
        self.kind: RefusalKind = kind
        self.why = why


class Changes(Model):
    """What a command changed in the host folder. Paths are relative, with forward slashes, sorted."""

    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """What it changed and what was not brought back, as `path: why`."""


@dataclass(frozen=True)
class AgentWorkspace:
    """`protected`: globs (`*` within a folder, `**` any number) of paths that may be read and run but not changed."""

    root: Path
    protected: tuple[str, ...] = ()

    def files(self) -> Iterator[str]:
        """Every regular file, sorted; `.git`, `__pycache__`, virtual environments and links are left out."""
        raise NotImplementedError

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises Refused for what is not a regular file inside, reached without links."""
        raise NotImplementedError

    def write(self, path: str, data: bytes) -> None:
        """Make or replace a file; its mode stays. Raises Refused: outside, through a link, `.git`, protected."""
        raise NotImplementedError

    def run(self, driver: Driver, job: Job) -> tuple[JobResult, Changes]:
        """Run a job on a copy of the folder (`job.workspace` must be `root`) and bring back what it changed.

        Raises OmniError when the sandbox can't run it.
        """
        raise NotImplementedError

    def snapshot(self, store: ArtifactStore) -> str:
        """Keep every file (not `.git`) in the store; returns the digest of the list. Same content, same digest."""
        raise NotImplementedError

    def restore(self, store: ArtifactStore, snapshot: str) -> None:
        """Bring the folder back to exactly that, `.git` untouched. Raises OmniError when something is missing."""
        raise NotImplementedError
