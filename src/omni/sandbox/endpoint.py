"""Ports of the host's loopback, within reach of a job that has no network."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from omni.kernel.errors import OmniError
from omni.sandbox import listener
from omni.sandbox.errors import NOT_STARTED
from omni.sandbox.guest import START, Guest
from omni.sandbox.job import Job, JobResult


def listening(job: Job, control: str) -> Job:
    """The job with the listener before its command. `control`: a descriptor that it inherits, or a path inside."""
    source, ports = inspect.getsource(listener), ",".join(map(str, job.endpoints))
    return replace(job, argv=("python3", "-I", "-S", "-c", source, control, ports, *job.argv))


def result(guest: Guest, control: Callable[[], socket.socket], ports: Sequence[int]) -> JobResult:
    """Wait for the end of a `listening` job, and join what it connects to with these ports of the host meanwhile.

    `control` is asked once the guest runs. Raises OmniError when the sandbox did not start. Ctrl-C kills the guest.
    """
    from omni.sandbox.relay import out_of_guest  # brings asyncio, which jobs that reach nothing need not wait for

    with ExitStack() as relays:
        try:
            guest.wait_until_started()
            with control() as ours:
                ours.settimeout(START)
                for port in ports:
                    relay = out_of_guest(ours, port)
                    if relay is None:  # it ended before it listened, and its output says why
                        break
                    relays.callback(relay.close)
        except TimeoutError:
            guest.stop(0)
            raise OmniError(NOT_STARTED, f"it opened no port {port} within {START:.0f} s") from None
        except BaseException:
            guest.stop(0)
            raise
        return guest.result()
