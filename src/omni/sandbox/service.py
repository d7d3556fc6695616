"""A service in a sandbox without network, made reachable on the host's loopback."""

from __future__ import annotations

import inspect
import socket
from dataclasses import replace
from typing import Self

from omni.sandbox import dialer
from omni.sandbox.guest import Guest
from omni.sandbox.job import Job, JobResult

STOP_GRACE = 10.0
"""Seconds between the polite signal and the kill."""


def dialled(job: Job, port: int, control: str) -> Job:
    """The job with the dialer beside its command. `control`: a descriptor that it inherits, or a path inside."""
    return replace(job, argv=("python3", "-I", "-S", "-c", inspect.getsource(dialer), control, str(port), *job.argv))


class RelayedService:
    """Reachable at `url` until it is stopped. A context manager: leaving it stops it."""

    def __init__(self, guest: Guest, control: socket.socket) -> None:
        from omni.sandbox.relay import into_guest  # brings asyncio, which jobs that serve nothing need not wait for

        self._guest = guest
        try:
            guest.wait_until_started()
        except BaseException:
            control.close()
            raise
        self._relay = into_guest(control)
        self.url = f"http://127.0.0.1:{self._relay.port}"

    def logs(self) -> str:
        """Standard output so far, then standard error."""
        return self._guest.logs()

    def alive(self) -> bool:
        return self._guest.alive()

    def stop(self) -> JobResult:
        """Ask it to end (SIGTERM), kill it after ten seconds; no process of it is left."""
        self._guest.stop(STOP_GRACE)
        result = self._guest.result()
        self._relay.close()
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
