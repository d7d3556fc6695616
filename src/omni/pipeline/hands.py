"""Stage 2 by an engine from outside: the same task, other hands; what they did is told in the same log.

It asks models at the run's endpoint, and so through the router, on the run's budget. An engine keeps its own counsel,
so that one which is killed begins anew. One that has ended is not asked again.
"""

from __future__ import annotations

from pydantic import SecretStr

from omni.agents.engines.contract import Ended, EngineResult, EngineTask, Turn
from omni.agents.engines.registry import adapter
from omni.agents.engines.running import run_engine
from omni.agents.limits import spent
from omni.agents.log import Began, Called, Closed, Replied, SessionLog
from omni.agents.log import Ended as SessionEnded
from omni.agents.session import Outcome, Task
from omni.agents.tools import Toolbox
from omni.kernel.errors import OmniError
from omni.models.errors import NO_ANSWER
from omni.models.ledger import usage
from omni.models.tokens import mint
from omni.models.wire import ChatReply, Message, ToolCall
from omni.pipeline.run import NATIVE
from omni.pipeline.stage import Work

ENDED: dict[Ended, SessionEnded] = {"done": "done", "budget": "budget", "timeout": "limit", "memory": "limit"}
"""How an engine ended → how a session would have; any other is `stuck`."""


def check_engine(name: str) -> None:
    """Raises OmniError (A060) when there is no such engine."""
    if name not in (*NATIVE, "auto"):
        adapter(name)


def by_engine(work: Work, task: Task, tools: Toolbox, log: SessionLog) -> Outcome:
    """Let the run's engine work on a task in the workspace.

    Raises OmniError when it is not installed, or when its endpoint does not answer.
    """
    lines = log.lines()
    if not any(isinstance(line.entry, Closed) for line in lines):
        if not lines:
            opening = (Message(role="user", content=_told(task)),)
            log.append(Began(opening=opening, tools=(), snapshot=tools.snapshot()))
        _run(work, task, tools, log)
        lines = log.lines()
    tools.restore(next(line.entry.snapshot for line in reversed(lines) if isinstance(line.entry, Called)))
    closed = next(line.entry for line in lines if isinstance(line.entry, Closed))
    used = spent(lines)
    return Outcome(ended=closed.ended, summary=closed.summary, steps=used.steps, usage=used.usage)


def _run(work: Work, task: Task, tools: Toolbox, log: SessionLog) -> None:
    key = SecretStr(mint(work.settings, task.attribution, task.want))
    model = task.want.model or "auto"
    given = EngineTask(tools.workspace, _told(task), f"{work.endpoint}/v1", model, key, kind="new-service")
    result = run_engine(work.run.options.engine, given, work.settings, work.engine)
    if result.ended == "endpoint":
        raise OmniError(NO_ANSWER, result.why)
    provider, model = _who_answered(work)
    for number, turn in enumerate(result.transcript, 1):
        log.append(Replied(turn=number, reply=_reply(turn, provider, model)))
    turns = len(result.transcript)
    call = ToolCall(id=f"call_{turns}_engine", name=result.engine, arguments="{}")
    text = result.output[-4000:] or "(It printed nothing.)"
    log.append(Called(turn=turns, call=call, text=text, ok=result.ok, snapshot=tools.snapshot()))
    log.append(Closed(turn=turns, ended=ENDED.get(result.ended, "stuck"), summary=_summary(result)))


def _who_answered(work: Work) -> tuple[str, str]:
    """Provider and model, by the ledger; where several answered, the one with most of the tokens."""
    rows = usage(work.engine, ("stage", "provider", "model"), run=work.run.id)
    stage = (row.key for row in rows if row.key[0] == work.stage)
    _, provider, model = next(stage, ("", "none", "none"))
    return provider, model


def _told(task: Task) -> str:
    return "\n\n".join((*task.context, task.instructions))


def _reply(turn: Turn, provider: str, model: str) -> ChatReply:
    message = Message(role="assistant", content=turn.said, tool_calls=turn.calls)
    return ChatReply(
        message=message, finish="unknown", usage=turn.usage, provider=provider, model=model, seconds=turn.seconds
    )


def _summary(result: EngineResult) -> str:
    changed = f"{len(result.written)} files written, {len(result.deleted)} deleted"
    return f"{result.engine} {result.version}: {result.why or result.ended}; {changed}"
