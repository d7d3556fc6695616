"""Jobs of the gate engine: a folder each, so that a restart at any instant loses nothing.

`job.json` says what is asked for and how far it is; `events.ndjson` grows while it runs; `report.json` is the result.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from omni.kernel.clock import now
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import write_atomic
from omni.kernel.ids import uuid7
from omni.verify.gate import Reason
from omni.verify.report import Model

QUEUE_FULL = declare("G003", "The queue is full", Exit.INCOMPLETE, "Try again in a minute.")
NO_JOB = declare("G004", "There is no such job", Exit.USAGE, "Take the id from the answer to POST /v1/verify.")

KEPT = 500
"""Jobs that are over and still known."""
ATTEMPTS = 3
"""How often a job is started that ends the server each time."""


class Source(Model):
    """Where the files are."""

    kind: Literal["archive", "path", "repository"]
    place: str = ""
    """The path or the URL; empty for an archive."""
    commit: str = ""
    """Empty: the work tree of a path, or the default branch of a repository."""


class Origin(Model):
    """The forge that asked, to answer it."""

    host: str
    repository: str
    """`owner/name`"""
    pull_request: int | None = None


class Job(Model):
    id: str
    source: Source
    tier: Annotated[int, Field(ge=1, le=3)]
    gate: str
    created: datetime
    state: Literal["queued", "running", "done"] = "queued"
    verdict: Literal["pass", "fail", "incomplete", ""] = ""
    passed: bool | None = None
    """The gate's answer; None until there is one."""
    reasons: tuple[Reason, ...] = ()
    """Why it did not pass, and what to do."""
    seconds: float = 0.0
    attempts: int = 0
    origin: Origin | None = None
    key: str = ""
    """Of the webhook's body: the same one again is the same job."""


class Jobs:
    """All of them; used from any thread."""

    def __init__(self, folder: Path, waiting: int) -> None:
        self._folder = folder
        self._most = waiting
        self._lock = threading.Lock()
        self.ready = threading.Event()
        """Set when something waits."""
        folder.mkdir(parents=True, exist_ok=True)
        self._jobs = {job.id: job for job in self._stored()}
        if self._next():
            self.ready.set()

    def _stored(self) -> Iterator[Job]:
        """What a former process left; what ran then waits again."""
        for path in sorted(self._folder.glob("*/job.json")):
            job = Job.model_validate_json(path.read_bytes())
            if job.state == "running":
                job = job.model_copy(update={"state": "queued"})
            yield job
        for folder in self._folder.iterdir():
            if not (folder / "job.json").exists():  # killed before it was accepted
                shutil.rmtree(folder, ignore_errors=True)

    def folder(self, job_id: str) -> Path:
        return self._folder / job_id

    def reserve(self) -> tuple[str, Path]:
        """A new id and its folder, to put an upload into. Raises `G003`."""
        with self._lock:
            if sum(job.state == "queued" for job in self._jobs.values()) >= self._most:
                raise OmniError(QUEUE_FULL, f"{self._most} jobs wait already")
        job_id = uuid7()
        self.folder(job_id).mkdir()
        return job_id, self.folder(job_id)

    def release(self, job_id: str) -> None:
        """Give back what was reserved and not added."""
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def add(self, job: Job) -> Job:
        """Accept it: from now on it survives everything. The same webhook again is answered with the job it has."""
        with self._lock:
            for other in self._jobs.values():
                if job.key and other.key == job.key:
                    self.release(job.id)
                    return other
            self._keep(job)
            self._forget()
            self.ready.set()
            return job

    def get(self, job_id: str) -> Job:
        """Raises `G004`."""
        with self._lock:
            if job_id not in self._jobs:
                raise OmniError(NO_JOB, f"“{job_id[:64]}”")
            return self._jobs[job_id]

    def update(self, job: Job, **fields: object) -> Job:
        with self._lock:
            changed = Job.model_validate(job.model_dump() | fields)
            self._keep(changed)
            return changed

    def take(self) -> Job | None:
        """The oldest that waits, now running; None when none does."""
        with self._lock:
            job = self._next()
            if job is None:
                self.ready.clear()
                return None
            taken = job.model_copy(update={"state": "running", "attempts": job.attempts + 1})
            self._keep(taken)
            return taken

    def tell(self, job_id: str, kind: str, **data: object) -> None:
        """One more event."""
        row = json.dumps({"kind": kind, "at": now().isoformat(), **data}, default=str)
        with (self.folder(job_id) / "events.ndjson").open("a", encoding="utf-8") as stream:
            stream.write(row + "\n")

    def events(self, job_id: str, after: int = 0) -> list[tuple[int, str]]:
        """(number, JSON) of each event after a number."""
        path = self.folder(job_id) / "events.ndjson"
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        return [
            (number, text.strip()) for number, text in enumerate(lines, 1) if number > after and text.endswith("\n")
        ]

    def all(self) -> tuple[Job, ...]:
        with self._lock:
            return tuple(self._jobs.values())

    def _next(self) -> Job | None:
        return min((job for job in self._jobs.values() if job.state == "queued"), key=lambda job: job.id, default=None)

    def _keep(self, job: Job) -> None:
        write_atomic(self.folder(job.id) / "job.json", job.model_dump_json(indent=1), 0o600)
        self._jobs[job.id] = job

    def _forget(self) -> None:
        over = sorted(job.id for job in self._jobs.values() if job.state == "done")
        for job_id in over[: max(0, len(over) - KEPT)]:
            del self._jobs[job_id]
            shutil.rmtree(self.folder(job_id), ignore_errors=True)
