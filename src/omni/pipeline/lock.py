"""One process works on a run at a time. The lock is the system's, so it is gone with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.settings import Settings

RUN_BUSY = declare(
    "P002", "Another process works on this run", Exit.NOT_ALLOWED, "Watch it: omni runs logs RUN --follow"
)


@contextmanager
def working_on(settings: Settings, run_id: str) -> Iterator[None]:
    """Hold the run. Raises OmniError when another process has it."""
    path = _path(settings, run_id)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OmniError(RUN_BUSY, f"process {path.read_text().strip() or '?'} has it", where=run_id) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def deciding(settings: Settings, run_id: str) -> Iterator[None]:
    """One decision about a run at a time."""
    with _path(settings, run_id).with_name("decision").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_worked_on(settings: Settings, run_id: str) -> bool:
    """Whether a process works on the run now."""
    with _path(settings, run_id).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _path(settings: Settings, run_id: str) -> Path:
    folder = settings.home / "runs" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "lock"
