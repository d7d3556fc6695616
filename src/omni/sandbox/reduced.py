"""The driver for machines where full isolation can't be had: a copy, a clean environment, caps; no walls.

It runs only what Omni rendered from its own templates (`trusted`); everything else is refused.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from omni.kernel.errors import OmniError
from omni.kernel.ids import uuid7
from omni.sandbox import cgroup
from omni.sandbox.errors import NOT_STARTED, PORT, UNTRUSTED
from omni.sandbox.guest import ENVIRONMENT, NOBODY, Guest, await_gate, gated
from omni.sandbox.job import Job, JobResult, Probe
from omni.sandbox.service import STOP_GRACE
from omni.sandbox.supervise import Ended

_MARK = "OMNI_JOB"
WHY = "Full isolation is not available here, and without it only code from Omni's own templates may run."


class Reduced:
    """Runs trusted jobs in a copy on disk, beside everything else that runs on the machine."""

    name = "reduced"

    def probe(self) -> Probe:
        return Probe(self.name, "reduced", (f"{WHY} {UNTRUSTED.fix}",))

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:
        """Run a trusted command to its end; refuse any other. The workspace is the current folder, not `/work`.

        Raises OmniError when the command can't be started.
        """
        if not trusted:
            return JobResult(None, "refused", "", f"{WHY} {UNTRUSTED.fix}\n", False, 0.0, "reduced")
        return Guest(job, lambda: _copy(job), "reduced").result()

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> ReducedService:
        """Start a trusted service on the host's own 127.0.0.1:`port`. Raises OmniError for any other, and when the
        port is taken.
        """
        if not trusted:
            raise OmniError(UNTRUSTED, WHY)
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError as error:
                raise OmniError(PORT, error.strerror or "it can't be used", where=f"127.0.0.1:{port}") from error
        return ReducedService(Guest(job, lambda: _copy(job), "reduced"), port)


class ReducedService:
    """A service on the host's loopback. A context manager: leaving it stops it."""

    def __init__(self, guest: Guest, port: int) -> None:
        guest.wait_until_started()
        self._guest = guest
        self.url = f"http://127.0.0.1:{port}"

    def logs(self) -> str:
        """Standard output so far, then standard error."""
        return self._guest.logs()

    def alive(self) -> bool:
        return self._guest.alive()

    def stop(self) -> JobResult:
        """Ask it to end (SIGTERM), kill it after ten seconds."""
        self._guest.stop(STOP_GRACE)
        return self._guest.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True)
class Processes:
    """The command's process group, and whatever left it: the job's mark is still in its environment."""

    process: subprocess.Popen[bytes]
    work: int
    mark: bytes
    group: cgroup.Group | None

    def excess(self) -> Ended | None:
        return "memory" if self.group and self.group.out_of_memory() else None

    def terminate(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        while strays := [int(each.name) for each in Path("/proc").glob("[0-9]*") if self._ours(each)]:
            for pid in strays:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)

    def _ours(self, process: Path) -> bool:
        try:
            return self.mark in (process / "environ").read_bytes()  # empty once it is dead
        except OSError:
            return False


@contextmanager
def _copy(job: Job) -> Iterator[Processes]:
    """An empty folder with the command waiting in it behind the gate."""
    for mount in job.mounts:
        if mount.target and Path(mount.target).resolve() != mount.source.resolve():
            raise OmniError(NOT_STARTED, f"without bubblewrap {mount.source} can't be shown at {mount.target}")
    owner = NOBODY if os.geteuid() == 0 else None
    mark = f"{_MARK}={uuid7()}"
    # The guest may have made what its uid alone can delete, so errors at the end are not ours to raise.
    with tempfile.TemporaryDirectory(prefix="omni-reduced-", ignore_cleanup_errors=True) as base:
        work, home = Path(base, "work"), Path(base, "home")
        for folder in (Path(base), work, home):
            folder.mkdir(exist_ok=True)
            if owner is not None:
                os.chown(folder, owner, owner)
        env = ENVIRONMENT | {"HOME": str(home), "TMPDIR": str(home)} | dict(job.env)
        process = subprocess.Popen(
            gated(job),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=env | dict([mark.split("=", 1)]),
            cwd=work,
            user=owner,
            group=owner,
            extra_groups=None if owner is None else (),
            start_new_session=True,
        )
        group = cgroup.create(job.limits)
        opened = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        box = Processes(process, opened, mark.encode(), group)
        try:
            if group:
                group.add(process.pid)
            await_gate(process)
            yield box
        finally:
            box.kill()
            process.wait()
            os.close(opened)
            if group:
                group.remove()
