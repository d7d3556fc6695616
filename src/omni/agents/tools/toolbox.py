"""The tools that a session was granted, and the one door through which a model's calls reach them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omni.agents.tools.tool import Tool, ToolResult
from omni.agents.workspace import AgentWorkspace
from omni.kernel.canonical import JsonValue
from omni.kernel.settings import Settings
from omni.models.wire import ToolCall, ToolSpec
from omni.sandbox.job import Driver
from omni.spec.model import Question, Specification

Tell = Callable[[str, Mapping[str, JsonValue]], None]
"""Keeps an event: kind and data. `agent.refused` (tool, kind, why), `agent.asked` (question, answer, assumed)."""

TOOLS: dict[str, Tool] = {}
"""bash, read, search, edit, write, verify, spec, ask."""


def _nobody(_kind: str, _data: Mapping[str, JsonValue]) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Toolbox:
    workspace: AgentWorkspace
    driver: Driver
    settings: Settings
    spec: Specification | None = None
    allowed: tuple[str, ...] = ("bash", "read", "search", "edit", "write", "verify", "spec", "ask")
    """Names of the tools that are granted; a call of another one is refused."""
    environment: Path | None = None
    """Virtual environment with the project's dependencies, for `bash` and `verify`."""
    tell: Tell = _nobody
    person: Callable[[Question], str] | None = None
    """Puts a question to a person and returns the answer; None: nobody is there, the default is assumed."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told of the granted tools, in the order of `TOOLS`."""
        raise NotImplementedError

    def writes(self, name: str) -> bool:
        """Whether a call of this tool may change the workspace."""
        raise NotImplementedError

    def call(self, call: ToolCall) -> ToolResult:
        """Carry out one call. Whatever the model wrote, the answer is a result; each refusal is an event.

        Raises OmniError when Omni itself can't go on: the sandbox is not there.
        """
        raise NotImplementedError

    def calls(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Carry out several, results in the same order: reading ones side by side, writing ones alone, in order."""
        raise NotImplementedError

    def snapshot(self) -> str:
        """Keep the workspace as it is now; returns a name for that."""
        raise NotImplementedError

    def restore(self, snapshot: str) -> None:
        """Bring the workspace back to exactly that."""
        raise NotImplementedError
