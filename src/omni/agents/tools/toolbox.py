"""The tools that a session was granted, and the one door through which a model's calls reach them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pydantic import JsonValue

from omni.agents.folder import printable
from omni.agents.tools import ask, bash, edit, read, search, spec, verify, write
from omni.agents.tools.tool import Tool, ToolResult
from omni.agents.workspace import AgentWorkspace, RefusalKind, Refused
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.canonical import JsonObject
from omni.kernel.settings import Settings
from omni.models.wire import ToolCall, ToolSpec
from omni.sandbox.job import Driver
from omni.spec.asked import Question
from omni.spec.model import Specification

Tell = Callable[[str, JsonObject], None]
"""Keeps an event: kind and data. `agent.refused` (tool, refusal, why), `agent.asked` (question, answer, assumed)."""

TOOLS: Mapping[str, Tool] = {
    each.spec.name: each
    for each in (bash.TOOL, read.TOOL, search.TOOL, edit.TOOL, write.TOOL, verify.TOOL, spec.TOOL, ask.TOOL)
}
_AT_ONCE = 4
_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)


def _nobody(_kind: str, _data: JsonObject) -> None:
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
        return tuple(tool.spec for name, tool in TOOLS.items() if name in self.allowed)

    def writes(self, name: str) -> bool:
        """Whether a call of this tool may change something, and so runs alone; also of one that nobody knows."""
        return name not in TOOLS or TOOLS[name].writes

    def call(self, call: ToolCall) -> ToolResult:
        """Carry out one call. Whatever the model wrote, the answer is a result; each refusal is an event.

        Raises OmniError when Omni itself can't go on: the sandbox is not there.
        """
        try:
            result = self._granted(call.name).run(arguments(call), self)
        except Refused as refused:
            self.refuse(call.name, refused.kind, refused.why)
            return ToolResult(text=readable(refused.why), ok=False)
        return ToolResult(text=readable(result.text), ok=result.ok)

    def calls(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """Carry out several, results in the same order: reading ones side by side, writing ones alone, in order."""
        results: list[ToolResult] = []
        for writes, group in groupby(calls, key=lambda call: self.writes(call.name)):
            if writes:
                results += map(self.call, group)
            else:
                with ThreadPoolExecutor(_AT_ONCE, "omni-tool") as pool:
                    results += pool.map(self.call, group)
        return tuple(results)

    def snapshot(self) -> str:
        """Keep the workspace as it is now; returns a name for that."""
        return self.workspace.snapshot(self._store)

    def restore(self, snapshot: str) -> None:
        """Bring the workspace back to exactly that."""
        self.workspace.restore(self._store, snapshot)

    def refuse(self, tool: str, kind: RefusalKind, why: str) -> None:
        """Keep the event of a refusal."""
        self.say("agent.refused", {"tool": tool[:80], "refusal": kind, "why": why[:500]})

    def say(self, kind: str, data: JsonObject) -> None:
        """Keep an event, its texts as every database takes them."""
        self.tell(kind, {name: readable(value) if isinstance(value, str) else value for name, value in data.items()})

    @property
    def _store(self) -> ArtifactStore:
        return ArtifactStore(self.settings.home / "artifacts")

    def _granted(self, name: str) -> Tool:
        granted = ", ".join(each for each in TOOLS if each in self.allowed) or "none"
        if name not in TOOLS:
            raise Refused("tool", f"There is no tool `{name[:80]}`. Yours: {granted}.")
        if name not in self.allowed:
            raise Refused("tool", f"The tool `{name}` is not granted for this task. Yours: {granted}.")
        return TOOLS[name]


def arguments(call: ToolCall) -> JsonValue:
    """The arguments as JSON, read leniently: none, in a code fence, written as text, with bare line ends in strings.

    Raises Refused for what can't be read.
    """
    text = call.arguments.strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    try:
        given: JsonValue = json.loads(text or "{}", strict=False)
        if isinstance(given, str) and given.lstrip().startswith("{"):
            given = json.loads(given, strict=False)
    except json.JSONDecodeError as problem:
        raise Refused("arguments", _explained(call, problem)) from problem
    except (ValueError, RecursionError) as problem:
        raise Refused("arguments", f"The arguments of `{call.name[:80]}` can't be read: {problem}.") from problem
    if not isinstance(given, dict):
        raise Refused("arguments", f"The arguments of `{call.name[:80]}` must be one JSON object: {{…}}.")
    return given


def _explained(call: ToolCall, problem: json.JSONDecodeError) -> str:
    at = problem.pos
    said = f"The arguments of `{call.name[:80]}` are no JSON: {problem.msg} at character {at}"
    if not problem.doc[at:].strip() or problem.msg.startswith("Unterminated string"):
        return f"{said}: they end too early. If they were cut for their length, do it in several smaller calls."
    near = problem.doc[max(0, at - 30) : at] + "⟪here⟫" + problem.doc[at : at + 30]
    rules = r"Inside strings, write \" for a quote, \n for a line end, \\ for a backslash."
    return f"{said}: …{near}… {rules}"


def readable(text: str) -> str:
    """Without what a database or a wire can't take: half characters, control characters but tab and line end."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))
