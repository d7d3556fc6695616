"""The native engine: a model works on a workspace, turn by turn, until it says that it has finished.

What to do next is read from the log alone, so that a process that takes the session up after `kill -9` does what the
one before it would have done. A reply is kept before its tools run, a tool's result before the next tool runs; the
workspace is put back to how the newest of these entries left it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import Literal, Protocol

from pydantic import Field

from omni.agents.asking import SILENT, ask
from omni.agents.compaction import CHARACTERS, Digest, compact
from omni.agents.conversation import arguments, messages
from omni.agents.delegation import BEGIN, DELEGATE, read_part
from omni.agents.limits import Limits, exceeded, remaining, spent
from omni.agents.log import PART, Began, Called, Closed, Ended, Entry, Failed, Line, Replied, Resumed, SessionLog
from omni.agents.next import cut_off, ending, pending, remark, turns
from omni.agents.summary import PROMPT, by_model
from omni.kernel.errors import OmniError
from omni.models.wire import Attribution, Chat, ChatReply, ChatRequest, Message, Model, ToolCall, ToolSpec, Usage, Want

FINISH = ToolSpec(
    name="finish",
    description="End your work: everything asked for is done and its tests pass, or you can't go on and say why.",
    parameters={
        "type": "object",
        "properties": {
            "summary": {"type": "string", "description": "What was done, and what was not, in a few lines."}
        },
        "required": ["summary"],
    },
)
SIDE_BY_SIDE = 4
OVERFLOW = re.compile(
    r"context.{0,20}(length|window|size)|(prompt|input|request).{0,20}too (long|large)", re.IGNORECASE
)
"""How servers say that a request does not fit."""
MOST_HALVINGS = 3
FAILURES = 3
"""So many asks in a row without a usable reply, in one process; then the error is the caller's."""


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
    delegates: bool = False
    """Whether the model may hand parts of it to sessions of their own (`delegation`), on the same limits."""
    prices: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Model → price of a million tokens of prompt and of reply."""


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

    def writes(self, name: str) -> bool:
        """Whether a call of this tool may change the workspace; those that may not run side by side."""
        ...

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
    session = _Session(task, chat, toolbox, log, on_text)
    while not (closed := session.closed()):
        session.step()
    used = spent(session.lines)
    return Outcome(ended=closed.ended, summary=closed.summary, steps=used.steps, usage=used.usage)


class _Session:
    def __init__(
        self, task: Task, chat: Chat, toolbox: Tools, log: SessionLog, on_text: Callable[[str], None] | None
    ) -> None:
        self.task, self.chat, self.toolbox, self.log, self.on_text = task, chat, toolbox, log, on_text
        self.lines: list[Line] = list(log.lines())
        self.failures = 0
        if not self.lines:
            own = (*([DELEGATE] if task.delegates else []), *([FINISH] if task.ends_with == "finish" else []))
            self.keep(Began(opening=_opening(task), tools=(*toolbox.specs, *own), snapshot=toolbox.snapshot()))
            return
        toolbox.restore(_newest_snapshot(self.lines))
        if not self.closed():
            self.keep(Resumed())

    def keep(self, entry: Entry) -> None:
        self.lines.append(self.log.append(entry))

    def closed(self) -> Closed | None:
        last = self.lines[-1].entry
        return last if isinstance(last, Closed) else None

    def step(self) -> None:
        """One thing: run what was called, end, say a word, make room, or ask."""
        turn = turns(self.lines)
        if calls := pending(self.lines):
            self.run_calls(turn, calls)
        elif end := ending(self.lines, self.task.ends_with) or self.at_limit():
            self.keep(Closed(turn=turn, ended=end[0], summary=end[1]))
        elif told := remark(self.lines, self.task.ends_with):
            self.keep(told)
        elif compacted := compact(self.lines, self.window(), turn, self.summariser(turn)):
            self.keep(compacted)
        else:
            self.ask(turn + 1)

    def window(self) -> int:
        """The window that was told, or half of it for each time that a server said that it was less."""
        failures = [line.entry.why for line in self.lines if isinstance(line.entry, Failed)]
        return self.task.limits.window >> min(sum(bool(OVERFLOW.search(why)) for why in failures), MOST_HALVINGS)

    def summariser(self, turn: int) -> Callable[[Sequence[Line], int], Digest]:
        """Who sums older turns up: the session's model. Asked again after a kill, it is answered from the ledger."""
        call = {"call": f"{self.task.session}:{turn}:{PROMPT}", "prompt": PROMPT}
        attribution = self.task.attribution.model_copy(update=call)
        prices, idle = self.task.prices, self.task.limits.idle
        return by_model(self.chat, self.task.want, attribution, idle, lambda reply: _cost(reply, prices))

    def at_limit(self) -> tuple[Ended, str] | None:
        reached = exceeded(self.task.limits, spent(self.lines))
        return ("limit", f"The limit of {reached} is reached.") if reached else None

    def ask(self, turn: int) -> None:
        """Ask for the next reply. The same turn asked again, after a kill, is answered from the ledger."""
        began = next(line.entry for line in self.lines if isinstance(line.entry, Began))
        request = ChatRequest(messages=messages(self.lines), tools=began.tools)
        attribution = self.task.attribution.model_copy(update={"call": f"{self.task.session}:{turn}"})
        try:
            reply = ask(self.chat, request, self.task.want, attribution, self.on_text, self.task.limits.idle)
        except OmniError as error:
            self.failed(turn, error)
            return
        self.failures = 0
        reply = _with_ids(reply, turn)
        self.keep(Replied(turn=turn, reply=reply, cost=_cost(reply, self.task.prices)))

    def failed(self, turn: int, error: OmniError) -> None:
        """A used-up budget ends the session, silence too; another failure is the caller's after a few in a row."""
        if error.kind.code == "M002":
            self.keep(Closed(turn=turn - 1, ended="budget", summary=error.why))
            return
        if error.kind.code not in {"M001", "M003", SILENT.code}:
            raise error
        self.failures += 1
        self.keep(Failed(turn=turn, why=str(error)))
        if self.failures >= FAILURES or error.kind is SILENT:
            raise error

    def run_calls(self, turn: int, calls: tuple[ToolCall, ...]) -> None:
        """Run the next calls of a reply: those that change nothing side by side, any other alone."""
        reading = tuple(takewhile(lambda call: not self.changes(call), calls))
        if not reading:
            self.keep(self.run_call(turn, calls[0]))
            return
        with ThreadPoolExecutor(min(len(reading), SIDE_BY_SIDE)) as pool:
            for called in pool.map(lambda call: self.run_call(turn, call), reading):
                self.keep(called)

    def changes(self, call: ToolCall) -> bool:
        """Whether the workspace, or the session's end, hangs on this call."""
        return call.name == FINISH.name or self.toolbox.writes(call.name)

    def run_call(self, turn: int, call: ToolCall) -> Called | Closed:
        began = time.monotonic()
        if call.name == DELEGATE.name and self.task.delegates:
            return self.delegate(turn, call)
        if call.name == FINISH.name and self.task.ends_with == "finish":
            text, ok = self.finish(call)
        else:
            result = self.toolbox.call(call)
            text, ok = result.text, result.ok
        # Reading in pieces is up to the tools; this is the last wall before a window that one result would fill.
        text = _clipped(text, self.task.limits.window * CHARACTERS // 4)
        snapshot = self.toolbox.snapshot() if call.name != FINISH.name and self.toolbox.writes(call.name) else ""
        seconds = round(time.monotonic() - began, 3)
        return Called(turn=turn, call=call, text=text, ok=ok, snapshot=snapshot, seconds=seconds)

    def delegate(self, turn: int, call: ToolCall) -> Called | Closed:
        """Let another session do a part. Its log is its own: after a kill it goes on where it was.

        A budget that ends the part ends this session too, with the call still open: so the part goes on once it is
        raised.
        """
        part = read_part(call)
        if isinstance(part, str):
            return Called(turn=turn, call=call, text=part, ok=False)
        task, used = self.task, spent(_before_breaks(self.lines))
        given = task.model_copy(
            update={
                "session": f"{task.session}{PART}{call.id}",
                "instructions": f"{BEGIN}{part.instructions}",
                "want": task.want.model_copy(update={"capability": part.capability}),
                "limits": remaining(task.limits, used),
                "delegates": False,
                "ends_with": "finish",
            }
        )
        log = SessionLog(self.log.engine, given.session)
        if cut_off(log.lines()):
            log.append(Resumed())
        outcome = run_session(given, self.chat, self.toolbox, log, self.on_text)
        took, left = spent(log.lines()), self.toolbox.snapshot()
        if outcome.ended == "budget":
            return Closed(
                turn=turn,
                ended="budget",
                summary=outcome.summary,
                snapshot=left,
                turns=took.steps,
                usage=took.usage,
                cost=took.cost,
            )
        done = outcome.ended == "done"
        return Called(
            turn=turn,
            call=call,
            text=outcome.summary if done else f"Not done, it ended by {outcome.ended}: {outcome.summary}",
            ok=done,
            snapshot=left,
            seconds=round(took.seconds, 3),
            turns=took.steps,
            usage=took.usage,
            cost=took.cost,
        )

    def finish(self, call: ToolCall) -> tuple[str, bool]:
        """To end is granted unless a call beside it failed: its result has to be seen first."""
        turn = turns(self.lines)
        beside = [line.entry for line in self.lines if isinstance(line.entry, Called) and line.entry.turn == turn]
        if not all(called.ok for called in beside):
            return "Not finished: a call in the same answer failed. See to it, then call finish alone.", False
        return str((arguments(call) or {}).get("summary") or call.arguments), True


def _opening(task: Task) -> tuple[Message, ...]:
    """What does not vary first, so that the server has most of each request at hand from the one before."""
    told = (*task.context, task.instructions)
    return (Message(role="system", content=task.system), Message(role="user", content="\n\n".join(told)))


def _before_breaks(lines: list[Line]) -> list[Line]:
    """Up to the newest reply or result: a part that goes on is given what it was given when it began."""
    last = max(number for number, line in enumerate(lines, 1) if isinstance(line.entry, Replied | Called))
    return lines[:last]


def _newest_snapshot(lines: list[Line]) -> str:
    entries = (line.entry for line in reversed(lines))
    return next(entry.snapshot for entry in entries if isinstance(entry, Began | Called | Closed) and entry.snapshot)


def _with_ids(reply: ChatReply, turn: int) -> ChatReply:
    """Each call with an id that no other of the session has; some servers send none, or the same ones again."""
    calls = tuple(
        call.model_copy(update={"id": f"call_{turn}_{number}"}) for number, call in enumerate(reply.message.tool_calls)
    )
    return reply.model_copy(update={"message": reply.message.model_copy(update={"tool_calls": calls})})


def _cost(reply: ChatReply, prices: dict[str, tuple[float, float]]) -> float:
    prompt, completion = prices.get(reply.model, (0.0, 0.0))
    return 0.0 if reply.cached else (reply.usage.prompt * prompt + reply.usage.completion * completion) / 1e6


def _clipped(text: str, length: int) -> str:
    """The beginning and the end of a text that is longer than `length` characters."""
    if len(text) <= length:
        return text
    half = length // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters are left out …\n{text[-half:]}"
