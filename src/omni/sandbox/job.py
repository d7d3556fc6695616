"""What a driver is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Literal, Protocol

Isolation = Literal["full", "reduced"]


@dataclass(frozen=True)
class Limits:
    """Caps of one job. Time in seconds, sizes in MiB."""

    wall: float = 120
    """Of a service: its longest life."""
    memory: int = 2048
    """Of all processes together, and of the files that they write, since these live in memory too."""
    disk: int = 1024
    """Of `/work` and of `/tmp` each."""
    processes: int = 256
    output: int = 4
    """Of stdout and of stderr each; beyond it the middle is cut and `truncated` says so."""


@dataclass(frozen=True)
class Mount:
    """A host folder or file, read-only inside. `target` defaults to the same path."""

    source: Path
    target: str = ""


@dataclass(frozen=True)
class Job:
    """One command on a copy of `workspace`.

    The copy is at `/work` inside, size-limited, writable, and gone afterwards; the host's folder is never written.
    Not copied: `.git`, `__pycache__`, virtual environments, special files.
    `collect` names paths beneath `/work` (files or folders, globs allowed) that are brought back to `into`.
    """

    argv: tuple[str, ...]
    workspace: Path
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    limits: Limits = Limits()
    collect: tuple[str, ...] = ()
    into: Path | None = None
    stdin: bytes = b""
    endpoints: tuple[int, ...] = ()
    """Ports, 1024 or higher, of the host's loopback: inside, 127.0.0.1 at the same port leads there, and no other
    address leads anywhere. Of `run` only; needs a `python3` on the job's PATH.
    """
    stop: Event | None = None
    """Once it is set the job is asked to end, and killed a second later."""


@dataclass(frozen=True)
class JobResult:
    exit_code: int | None
    """None when it did not exit by itself."""
    ended: Literal["exited", "timeout", "memory", "signal", "refused"]
    stdout: str
    stderr: str
    truncated: bool
    seconds: float
    isolation: Isolation
    collected: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """Paths that were to be collected and were not (links, devices, too large), each with why."""


@dataclass(frozen=True)
class Probe:
    """What a driver can do here. `problems` says, in order, what failed and what to type to mend it."""

    driver: str
    isolation: Isolation | None
    """None: it can't run at all."""
    problems: tuple[str, ...] = ()
    checks: Mapping[str, bool] = field(default_factory=dict)
    """Escape attempts of the self-test: name → held."""


class Service(Protocol):
    """A long-running job that listens on TCP `port` inside; reachable at `url` on the host's loopback."""

    url: str

    def logs(self) -> str: ...

    def alive(self) -> bool: ...

    def stop(self) -> JobResult: ...


class Driver(Protocol):
    """`trusted` code is what Omni rendered from its own templates: the only code that reduced isolation may run."""

    name: str

    def probe(self) -> Probe: ...

    def run(self, job: Job, *, trusted: bool = False) -> JobResult: ...

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> Service: ...
