"""Services, servers and steps, performed together in one sandbox."""

from __future__ import annotations

import inspect
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import Field, ValidationError

from omni.verify.check import Context, Failed
from omni.verify.deep import supervisor
from omni.verify.deep.contained import Contained, running
from omni.verify.report import Model, Status

OUTCOME = "omni-deep/outcome.json"
WORK = "/work"
"""Where the workspace is inside."""


@dataclass(frozen=True)
class Server:
    """A process that listens on a port of the sandbox's own loopback."""

    name: str
    start: tuple[str, ...]
    port: int
    prepare: tuple[tuple[str, ...], ...] = ()
    health: str = ""
    """A path that answers below 500; empty: it is enough that it accepts connections."""
    ready: tuple[str, ...] = ()
    """Instead: a command that succeeds when it can be used."""
    seconds: float = 60.0
    """Within which it must answer."""
    env: Mapping[str, str] = field(default_factory=dict)
    """For the server itself."""
    gives: Mapping[str, str] = field(default_factory=dict)
    """For all that starts after it: its URL."""


@dataclass(frozen=True)
class Step:
    name: str
    argv: tuple[str, ...]
    cwd: str = WORK
    env: Mapping[str, str] = field(default_factory=dict)
    out: str = ""
    """A file that gets the standard output; empty: it is only said."""


class Done(Model):
    """A step that ran."""

    name: str
    exit: int
    said: str
    """The end of what it printed."""
    seconds: float


class Outcome(Model):
    service: str = ""
    """The one that did not start; empty when all did."""
    said: str = ""
    steps: tuple[Done, ...] = ()
    logs: dict[str, str] = Field(default_factory=dict)
    """Service → the end of what it printed."""

    def step(self, name: str) -> Done | None:
        return next((step for step in self.steps if step.name == name), None)


def perform(
    context: Context,
    servers: Iterable[Server | Contained],
    steps: Iterable[Step],
    *,
    into: Path,
    collect: Iterable[str] = (),
    workspace: Path | None = None,
    toolset: str = "",
) -> Outcome:
    """Start the servers in order, run the steps until one fails, stop all; `collect` (below /work) comes to `into`.

    `workspace` is instead of the project. Raises `Failed` when a server can't be had or the sandbox ended it all.
    """
    wanted = tuple(servers)
    containers = [server for server in wanted if isinstance(server, Contained)]
    inside = [server for server in wanted if isinstance(server, Server)]
    wall = context.execution.seconds_left(context.check) if containers else 0.0
    placed = replace(context, root=workspace) if workspace else context
    with running(containers, wall) as others:
        argv = ("python3", "-I", "-S", "-c", inspect.getsource(supervisor), _plan(inside, steps, others.gives))
        joined = replace(placed, endpoints=others.ports)
        collected = (OUTCOME, *collect)
        result = joined.run_in_sandbox(argv, toolset=toolset, collect=collected, into=into, **variables(context))
        logs = others.logs()
    outcome = _outcome(into / OUTCOME)
    if outcome is None:
        said = (result.stderr or result.stdout).strip()[-300:] or f"it ended by {result.ended}"
        raise Failed(f"it was stopped before it was done: {said}", Status.INCOMPLETE)
    if outcome.service:
        raise Failed(f"{outcome.service} can't be had: {last_words(outcome.said)}", Status.INCOMPLETE)
    return outcome.model_copy(update={"logs": {**outcome.logs, **logs}})


def _plan(servers: Iterable[Server], steps: Iterable[Step], gives: Mapping[str, str]) -> str:
    """For the supervisor."""
    given, services = dict(gives), []
    for server in servers:
        services.append(
            {
                "name": server.name, "prepare": server.prepare, "start": server.start, "port": server.port,
                "health": server.health, "ready": server.ready, "seconds": server.seconds,
                "env": {**given, **server.env}, "cwd": WORK,
            }
        )  # fmt: skip
        given |= server.gives
    plan = {
        "outcome": f"{WORK}/{OUTCOME}",
        "services": services,
        "steps": [
            {"name": step.name, "argv": step.argv, "cwd": step.cwd, "env": {**given, **step.env}, "out": step.out}
            for step in steps
        ],
    }
    return json.dumps(plan)


def _outcome(path: Path) -> Outcome | None:
    try:
        return Outcome.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def variables(context: Context, at: str = WORK) -> dict[str, str]:
    """Imports work as if the project, which lies in `at`, were installed."""
    roots = context.project.source_roots or (("src",) if (context.root / "src").is_dir() else ())
    path = ":".join([*(f"{at}/{root}" for root in roots), at])
    return {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def last_words(text: str, lines: int = 3) -> str:
    """The last lines of what was said, as one."""
    kept = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(kept[-lines:])[-500:] or "it said nothing"


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for what comes back from the sandbox."""
    return tempfile.TemporaryDirectory(prefix="omni-deep-", ignore_cleanup_errors=True)
