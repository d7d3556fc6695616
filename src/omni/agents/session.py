"""The native engine: a model works on a workspace, turn by turn, until it says that it has finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from omni.agents.limits import Limits
from omni.agents.log import SessionLog
from omni.models.wire import Attribution, Chat, Model, ToolCall, ToolSpec, Usage, Want


class Task(Model):
    """What a session is to do. `system`, the tools, `context` and `instructions` open every request, in this order."""

    session: str
    """Id of the session, as `<run>/implementation#0`: the same id goes on where it was left."""
    system: str
    """The role's prompt; the same for every task of the role."""
    instructions: str
    """What is wanted now; last of the opening, since it varies most."""
    context: tuple[str, ...] = ()
    """Documents, such as the specification: data, never instructions."""
    want: Want = Want(tools=True)
    limits: Limits = Limits()
    attribution: Attribution = Attribution()
    """`call` is set by the session: `<session>:<turn>`."""
    ends_with: Literal["finish", "text"] = "finish"
    """`finish`: the model calls the tool `finish(summary)`, which the session adds to the toolbox's; text without a
    call is answered with a reminder. `text`: the first reply without a call is the result (a document, a verdict)."""
    prices: dict[str, tuple[float, float]] = {}
    """Model → price of a million tokens of prompt and of reply."""


Ended = Literal["done", "limit", "stuck", "refused", "budget"]


class Outcome(Model):
    ended: Ended
    summary: str
    """What the model said at its end; otherwise why the session ended."""
    steps: int
    usage: Usage


class Result(Protocol):
    """What came of a call, as the model is told."""

    @property
    def text(self) -> str: ...

    @property
    def ok(self) -> bool: ...


class Tools(Protocol):
    """The part of a toolbox that a session needs; `omni.agents.tools.Toolbox` has it."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]: ...

    def call(self, call: ToolCall) -> Result:
        """Never raises for what the model wrote: bad arguments and tools not granted are results that are not ok."""
        ...

    def snapshot(self) -> str:
        """Keep the workspace as it is now; returns a name for that."""
        ...

    def restore(self, snapshot: str) -> None:
        """Bring the workspace back to exactly that."""
        ...


def run_session(
    task: Task, chat: Chat, toolbox: Tools, log: SessionLog, on_text: Callable[[str], None] | None = None
) -> Outcome:
    """Work on the task until it ends, or go on where an earlier process was killed.

    Raises OmniError when no model can answer; nothing is lost then, and the same call goes on.
    """
    raise NotImplementedError
