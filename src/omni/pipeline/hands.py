"""Stage 2 by an engine from outside: the same task, other hands; what they did is told in the same log.

An engine keeps its own counsel, so that one which is killed begins anew. One that has ended is not asked again.
"""

from __future__ import annotations

from omni.agents.engines.contract import Ended, EngineResult, EngineTask, Turn
from omni.agents.engines.registry import adapter
from omni.agents.engines.running import run_engine
from omni.agents.limits import spent
from omni.agents.log import Began, Called, Closed, Replied, SessionLog
from omni.agents.log import Ended as SessionEnded
from omni.agents.session import Outcome, Task
from omni.agents.tools import Toolbox
from omni.kernel.settings import Settings
from omni.models.catalog import CatalogModel, Enabled, load_catalog
from omni.models.keys import read_key
from omni.models.wire import ChatReply, Message, ToolCall
from omni.pipeline.stage import Work

NATIVE = ("", "native")
"""Omni's own: sessions of `omni.agents.session`."""
ENDED: dict[Ended, SessionEnded] = {"done": "done", "budget": "budget", "timeout": "limit", "memory": "limit"}
"""How an engine ended → how a session would have; any other is `stuck`."""


def check_engine(name: str) -> None:
    """Raises OmniError (A060) when there is no such engine."""
    if name not in (*NATIVE, "auto"):
        adapter(name)


def by_engine(work: Work, task: Task, tools: Toolbox, log: SessionLog, tokens: int | None) -> Outcome:
    """Let the run's engine work on a task in the workspace.

    Raises OmniError when it is not installed, or when its endpoint does not answer.
    """
    lines = log.lines()
    if not any(isinstance(line.entry, Closed) for line in lines):
        if not lines:
            opening = (Message(role="user", content=_told(task)),)
            log.append(Began(opening=opening, tools=(), snapshot=tools.snapshot()))
        _run(work, task, tools, log, tokens)
        lines = log.lines()
    tools.restore(next(line.entry.snapshot for line in reversed(lines) if isinstance(line.entry, Called)))
    closed = next(line.entry for line in lines if isinstance(line.entry, Closed))
    used = spent(lines)
    return Outcome(ended=closed.ended, summary=closed.summary, steps=used.steps, usage=used.usage)


def _run(work: Work, task: Task, tools: Toolbox, log: SessionLog, tokens: int | None) -> None:
    name, (place, model) = work.run.options.engine, _endpoint(work.settings, task.want.model)
    key = next((found for each in place.keys if (found := read_key(work.settings.home, each))), None)
    given = EngineTask(tools.workspace, _told(task), place.base_url, model.wire_name, key, tokens, kind="new-service")
    result = run_engine(name, given, work.settings, work.engine)
    for number, turn in enumerate(result.transcript, 1):
        log.append(Replied(turn=number, reply=_reply(turn, place, model)))
    turns = len(result.transcript)
    call = ToolCall(id=f"call_{turns}_engine", name=result.engine, arguments="{}")
    text = result.output[-4000:] or "(It printed nothing.)"
    log.append(Called(turn=turns, call=call, text=text, ok=result.ok, snapshot=tools.snapshot()))
    log.append(Closed(turn=turns, ended=ENDED.get(result.ended, "stuck"), summary=_summary(result)))


def _endpoint(settings: Settings, model: str) -> tuple[Enabled, CatalogModel]:
    """Where the model is that was named; of none, the first that is enabled. `check_model` saw that there is one."""
    catalog = load_catalog(settings)
    return next(iter(catalog.find(model) if model else catalog.offers()))


def _told(task: Task) -> str:
    return "\n\n".join((*task.context, task.instructions))


def _reply(turn: Turn, place: Enabled, model: CatalogModel) -> ChatReply:
    message = Message(role="assistant", content=turn.said, tool_calls=turn.calls)
    return ChatReply(
        message=message, finish="unknown", usage=turn.usage, provider=place.name, model=model.id, seconds=turn.seconds
    )


def _summary(result: EngineResult) -> str:
    changed = f"{len(result.written)} files written, {len(result.deleted)} deleted"
    return f"{result.engine} {result.version}: {result.why or result.ended}; {changed}"
