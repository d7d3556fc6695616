"""One command from the copy of its workspace to the collection of its artifacts, whatever holds it."""

from __future__ import annotations

import math
import os
import select
import subprocess
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from omni.kernel.errors import OmniError
from omni.sandbox.collect import Collection
from omni.sandbox.errors import NOT_STARTED
from omni.sandbox.job import Isolation, Job, JobResult
from omni.sandbox.supervise import Control, Supervisor
from omni.sandbox.workspace import Copy

NOBODY = 65534
"""The uid and gid that guests have on the host when Omni is root; otherwise they have Omni's own."""
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "TZ": "UTC"}  # noqa: S108
START = 20.0
"""Seconds within which an empty sandbox must stand."""
_READY = b"omni: ready\n"
# The guest's first process: sets its caps, says that the sandbox stands, and becomes the command when told to.
# When Omni dies in between, `read` meets the end of its input and the command never runs.
_GATE = """ulimit -c 0; ulimit -n 4096; ulimit -f {blocks}; ulimit -t {seconds}
ulimit -u {processes} 2>/dev/null || ulimit -p {processes}
echo 'omni: ready'; read -r word && [ "$word" = go ] || exit 125
exec "$@"
"""


class Box(Control, Protocol):
    """What holds one command: made, and waiting behind the gate."""

    @property
    def process(self) -> subprocess.Popen[bytes]: ...

    @property
    def work(self) -> int:
        """The guest's workspace, an open folder. Its files are there as long as it is open, also when all are dead."""


def gated(job: Job) -> tuple[str, ...]:
    """The job's command behind the gate."""
    limits = job.limits
    # Two more processes than asked for: the gate and the sandbox's own pid 1 count too. Blocks have 512 bytes.
    seconds = math.ceil(limits.wall * (os.cpu_count() or 1)) + 5
    script = _GATE.format(blocks=limits.disk * 2048, seconds=seconds, processes=limits.processes + 2)
    return ("/bin/sh", "-c", script, "omni", *job.argv)


def await_gate(process: subprocess.Popen[bytes]) -> None:
    """Until the gate says that it stands. Raises OmniError with what was said instead."""
    stdout, said = process.stdout, b""
    while stdout and not said.endswith(_READY) and select.select([stdout], [], [], START)[0]:
        if not (data := os.read(stdout.fileno(), len(_READY) - len(said))):
            break
        said += data
    if said != _READY:
        raise not_started(process)


def not_started(process: subprocess.Popen[bytes]) -> OmniError:
    """The error for a sandbox that did not come up, with the last words of `process`, which is killed."""
    process.kill()
    _, stderr = process.communicate()
    return OmniError(NOT_STARTED, stderr.decode(errors="replace").strip() or f"no answer within {START:.0f} s")


class Guest:
    """Owns a sandbox through a thread of its own: a private mount namespace and the parent's death signal
    belong to the thread that starts a process, so it must live as long as the process does.
    """

    def __init__(self, job: Job, box: Callable[[], AbstractContextManager[Box]], isolation: Isolation) -> None:
        self._job, self._box, self._isolation = job, box, isolation
        self._future: Future[JobResult] = Future()
        self._started = Event()
        self._supervisor: Supervisor | None = None
        self._stop_with: float | None = None
        Thread(target=self._live, name="omni-sandbox", daemon=True).start()

    def result(self) -> JobResult:
        """Wait for the end. Raises OmniError when the sandbox did not start. Ctrl-C kills the guest."""
        try:
            return self._future.result()
        except KeyboardInterrupt:
            self.stop(0)
            self._future.exception(timeout=START)
            raise

    def wait_until_started(self) -> None:
        """Until the command runs. Raises OmniError when it can't."""
        self._started.wait()
        if self._future.done():
            self._future.result()

    def alive(self) -> bool:
        return not self._future.done()

    def logs(self) -> str:
        """What it has said so far, standard output first."""
        return self._supervisor.stdout.text() + self._supervisor.stderr.text() if self._supervisor else ""

    def stop(self, grace: float) -> None:
        """Ask it to end, kill it `grace` seconds later. Does not wait."""
        self._stop_with = grace
        if self._supervisor:
            self._supervisor.stop(grace)

    def _live(self) -> None:
        try:
            with self._box() as box:
                result = self._run(box)
        except BaseException as error:  # not swallowed: raised again where somebody waits
            self._future.set_exception(error)
        else:
            self._future.set_result(result)
        finally:
            self._started.set()

    def _run(self, box: Box) -> JobResult:
        job = self._job
        owner = (NOBODY, NOBODY) if os.geteuid() == 0 else None
        unread = Copy(job.workspace, box.work, owner).run()
        supervisor = self._supervisor = Supervisor(box.process, box, job.limits, job.stop)
        if self._stop_with is not None:  # it came while the sandbox was made
            supervisor.stop(self._stop_with)
        self._started.set()
        outcome = supervisor.run(b"go\n" + job.stdin)
        collection = Collection(box.work, job.into or Path(), job.limits.disk << 20)
        if job.into is not None:
            collection.take(job.collect)
        return JobResult(
            outcome.exit_code,
            outcome.ended,
            supervisor.stdout.text(),
            supervisor.stderr.text(),
            supervisor.stdout.truncated or supervisor.stderr.truncated,
            outcome.seconds,
            self._isolation,
            tuple(collection.collected),
            (*unread, *collection.refused),
        )
