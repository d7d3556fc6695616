"""Whose hands do a session of a run: Omni's own engine, or one from outside with the same task, told in the same log.

An engine from outside asks models at the run's endpoint, and so through the router, on the run's budget. It keeps its
own counsel, so that one which is killed begins anew. One that has ended is not asked again.
"""

from __future__ import annotations

from pydantic import SecretStr
from sqlalchemy import Engine, select

from omni.agents.engines.contract import Ended, EngineResult, EngineTask, Turn
from omni.agents.engines.registry import AUTO, NATIVE, adapter
from omni.agents.engines.running import pick, run_engine
from omni.agents.limits import spent
from omni.agents.log import Began, Called, Closed, Replied, SessionLog
from omni.agents.log import Ended as SessionEnded
from omni.agents.next import turns
from omni.agents.session import Outcome, Task, run_session
from omni.agents.tools import Toolbox
from omni.kernel.errors import OmniError
from omni.kernel.tables import events as table
from omni.models.errors import NO_ANSWER
from omni.models.ledger import usage
from omni.models.tokens import mint
from omni.models.wire import Chat, ChatReply, Message, ToolCall
from omni.pipeline.budget import session
from omni.pipeline.change.kinds import kind_asked
from omni.pipeline.run import Run
from omni.pipeline.stage import Work

CHOSEN = "engine.chosen"
"""Event: which engine `auto` stands for in this run, and why."""
ENDED: dict[Ended, SessionEnded] = {"done": "done", "budget": "budget", "timeout": "limit", "memory": "limit"}
"""How an engine ended → how a session would have; any other is `stuck`."""


def check_engine(name: str) -> None:
    """Raises OmniError (A060) when there is no such engine."""
    if name not in ("", NATIVE, AUTO):
        adapter(name)


def work_on(work: Work, task: Task, chat: Chat, tools: Toolbox, log: SessionLog) -> Outcome:
    """Let the run's hands work on a task in the workspace, or go on where an earlier process was killed.

    Raises OmniError when the engine is not installed, or when no model answers; the same call goes on then.
    """
    hands = hands_of(work)
    if hands == NATIVE:
        return session(work, log, lambda: run_session(task, chat, tools, log))
    return session(work, log, lambda: _by_engine(work, hands, task, tools, log))


def kind_of_work(run: Run) -> str:
    """What engines are compared by."""
    return kind_asked(run.options.change, run.request) if run.options.changes else "new-service"


def hands_of(work: Work) -> str:
    """The engine that this run named; of `auto`, what was chosen when it was first asked, once for the whole run."""
    if known := chosen(work.run, work.engine):
        return known
    choice = pick(kind_of_work(work.run), work.run.options.model, work.settings, work.engine)
    work.emit(CHOSEN, engine=choice.engine, why=choice.why)
    work.emit("note", text=f"engine: {choice.engine}; {choice.why}")
    return choice.engine


def chosen(run: Run, database: Engine) -> str:
    """The same as far as it is known; empty: it is `auto`, and nobody has asked yet."""
    if (named := run.options.engine or NATIVE) != AUTO:
        return named
    query = select(table.c.data).where(table.c.run_id == run.id, table.c.kind == CHOSEN).order_by(table.c.id)
    with database.connect() as connection:
        data = connection.execute(query.limit(1)).scalar_one_or_none()
    return str(data["engine"]) if data else ""


def prompt_of(work: Work, prompt: str) -> str:
    """The version of the prompt for a commit: an engine from outside has one of its own."""
    hands = hands_of(work)
    return prompt if hands == NATIVE else f"of {hands}"


def _by_engine(work: Work, hands: str, task: Task, tools: Toolbox, log: SessionLog) -> Outcome:
    lines = log.lines()
    if not lines:
        opening = (Message(role="user", content=_told(task)),)
        log.append(Began(opening=opening, tools=(), snapshot=tools.snapshot()))
    if not lines or not isinstance(lines[-1].entry, Closed):
        _run(work, hands, task, tools, log)
    lines = log.lines()
    closed = next(line.entry for line in reversed(lines) if isinstance(line.entry, Closed))
    tools.restore(next(line.entry.snapshot for line in reversed(lines) if isinstance(line.entry, Called)))
    used = spent(lines)
    return Outcome(ended=closed.ended, summary=closed.summary, steps=used.steps, usage=used.usage)


def _run(work: Work, hands: str, task: Task, tools: Toolbox, log: SessionLog) -> None:
    key = SecretStr(mint(work.settings, task.attribution, task.want))
    url, model = f"{work.endpoint}/v1", task.want.model or "auto"
    given = EngineTask(tools.workspace, _told(task), url, model, key, environment=tools.environment)
    result = run_engine(hands, given, work.settings, work.engine)
    if result.ended == "endpoint":
        raise OmniError(NO_ANSWER, _once(result.why))
    provider, model = _who_answered(work)
    before = turns(log.lines())
    for number, turn in enumerate(result.transcript, before + 1):
        log.append(Replied(turn=number, reply=_reply(turn, provider, model)))
    last = before + len(result.transcript)
    call = ToolCall(id=f"call_{last}_engine", name=result.engine, arguments="{}")
    text = result.output[-4000:] or "(It printed nothing.)"
    log.append(Called(turn=last, call=call, text=text, ok=result.ok, snapshot=tools.snapshot()))
    log.append(Closed(turn=last, ended=ENDED.get(result.ended, "stuck"), summary=_summary(result)))


def _once(why: str) -> str:
    """Why, without the words of the same error that Omni's endpoint has put around it."""
    return why.replace(f"{NO_ANSWER.title} [{NO_ANSWER.code}]: ", "").replace(f". {NO_ANSWER.fix}", "")


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
