"""What every engine is given and what it gives back, whoever made it.

An engine is a pair of hands: it works on a workspace by a model that it asks at one endpoint. Omni keeps the workspace,
the endpoint, the budget and the time; the engine keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from omni.agents.workspace import AgentWorkspace
from omni.kernel.errors import Exit, declare
from omni.models.wire import Model, ToolCall, Usage

NO_ENGINE = declare("A060", "There is no such engine", Exit.USAGE, "Type: omni engines list")
ABSENT = declare("A061", "The engine is not here", Exit.INCOMPLETE, "Type: omni engines list")
BAD_TASK = declare("A062", "The engine can't be given this", Exit.USAGE, "Give the engine another task.")
BAD_ENGINE = declare("A063", "An engine can't be loaded", Exit.USAGE, "Correct its declaration, or remove it.")
NO_ENDPOINT = declare(
    "A064", "The models' endpoint does not answer", Exit.INCOMPLETE, "Start it: omni serve models. Then try again."
)

LONGEST = 100_000
"""Bytes of instructions: they go on a command line."""

Ended = Literal["done", "budget", "endpoint", "timeout", "memory", "stopped", "failed"]
"""done: it says that it has finished. budget: the tokens are used up. endpoint: the models stopped answering. timeout,
memory: a limit. stopped: somebody stopped it. failed: it gave up; `why` has its last words."""


class EngineLimits(Model):
    seconds: float = 1800
    memory: int = 6144
    """MiB, of all its processes and of the files that they write."""
    disk: int = 2048
    """MiB, of its copy of the workspace and of what it writes elsewhere, each."""
    processes: int = 512
    """Threads count too."""


@dataclass(frozen=True)
class EngineTask:
    """One piece of work. The engine gets a copy of `workspace`; what it changed comes back when it is done."""

    workspace: AgentWorkspace
    instructions: str
    endpoint_url: str
    """Base URL of an OpenAI-compatible endpoint, such as `http://127.0.0.1:8372/v1`. The engine never sees it."""
    model: str
    """As the endpoint names it."""
    key: SecretStr | None = None
    """For the endpoint; added outside of the sandbox."""
    budget: int | None = None
    """Tokens of prompts and replies together; the reply that goes over it is the last one."""
    limits: EngineLimits = field(default_factory=EngineLimits)
    kind: str = ""
    """Of the task, as `bugfix`: what engines are compared by."""
    environment: Path | None = None
    """Virtual environment with the project's dependencies, so that its tests can be run."""


class Turn(Model):
    """One question to the model and what came back, as the endpoint saw it."""

    asked: str
    """The last message, cut to 2,000 characters."""
    said: str = ""
    calls: tuple[ToolCall, ...] = ()
    status: int
    """Of HTTP."""
    usage: Usage = Usage()
    estimated: bool = False
    """The endpoint did not say the usage: about four characters a token."""
    seconds: float


class EngineResult(Model):
    engine: str
    version: str
    ended: Ended
    why: str = ""
    """For a person, when it did not end well."""
    diff: str = ""
    """What it changed, in the format of `diff -u` with git's headers; also when it was not taken over."""
    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """What it changed and does not come back, as `path: why`."""
    transcript: tuple[Turn, ...] = ()
    output: str = ""
    """What it printed."""
    usage: Usage = Usage()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.ended == "done"


class Adapter(Model):
    """An engine from outside, as data: `engines/<name>.toml`. Texts may hold `$program`, `$instructions`, `$model`,
    `$key` (a word that opens nothing), `$home` (inside), of the endpoint `$url`, or without its path `$host`.
    """

    name: str = ""
    """The file's name."""
    title: str
    source: str
    """Where its command line is described."""
    proof: Literal["run", "recorded"]
    """run: the conformance suite runs the real program. recorded: its command line and its way of asking are written
    down from its documentation, and the suite plays them."""
    looked: str = ""
    """Of `recorded`: when it was last tried to run it, and why it could not be."""
    install: Literal["pypi", "npm", "machine"]
    """From which registry, by `locks/`; machine: it has to be on PATH."""
    package: str = ""
    """Whose version in the lock is the engine's."""
    program: str
    """Below the environment, or below `node_modules`; of the machine: its name."""
    pythons: tuple[int, int] = (11, 14)
    """Minor versions of Python 3 for which it installs, the first and the last."""
    get: str = ""
    """How to get it, when it has to be on PATH."""
    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    env: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)
    """Path below its home → content."""
    litter: tuple[str, ...] = ()
    """Globs of what it leaves in the workspace for itself."""
    failures: tuple[str, ...] = ()
    """What it prints (regular expressions) when it has failed and exits with 0 all the same."""
