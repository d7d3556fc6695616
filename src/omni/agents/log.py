"""The log of a session: everything that happened, in order, never changed; all else is computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from sqlalchemy import Engine, func, insert, or_, select

from omni.kernel import clock, events
from omni.kernel.canonical import JsonValue
from omni.kernel.database import writing
from omni.kernel.tables import agent_log
from omni.models.wire import ChatReply, Message, Model, ToolCall, ToolSpec, Usage

PART = "+"
"""In a session's id: what stands before it is the session that handed it its work."""


class Began(Model):
    """The opening of every request: the same to the byte from the first turn to the last."""

    kind: Literal["began"] = "began"
    opening: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    snapshot: str
    """Of the workspace."""


class Resumed(Model):
    """Another process took the session up. The workspace was put back to the newest snapshot."""

    kind: Literal["resumed"] = "resumed"


class Replied(Model):
    kind: Literal["replied"] = "replied"
    turn: int
    reply: ChatReply
    cost: float = 0.0


class Failed(Model):
    """No usable reply came: nobody answered, the stream stalled, what came could not be read."""

    kind: Literal["failed"] = "failed"
    turn: int
    why: str


class Called(Model):
    """A tool ran, or was refused, and this is what the model is told of it."""

    kind: Literal["called"] = "called"
    turn: int
    call: ToolCall
    text: str
    ok: bool
    snapshot: str = ""
    """Of the workspace afterwards; empty where the call can't have changed it."""
    seconds: float = 0.0
    turns: int = 0
    usage: Usage = Usage()
    cost: float = 0.0
    """What a part took that another session did."""


Reason = Literal["failure", "refusal", "empty", "cut", "monologue", "stuck"]


class Told(Model):
    """What Omni says to the model of its own accord."""

    kind: Literal["told"] = "told"
    turn: int
    reason: Reason
    text: str


class Compacted(Model):
    """From here on `digest` stands for the entries up to `upto`, which stay in the log."""

    kind: Literal["compacted"] = "compacted"
    turn: int
    upto: int
    digest: str
    by: str = "rule"
    """Who wrote it: `rule`, or `provider/model`."""
    why: str = ""
    """Why a model's was not taken, where one was asked."""
    usage: Usage = Usage()
    """What asking took."""
    cost: float = 0.0
    before: int = 0
    after: int = 0
    """Tokens of the next request without it, and with it."""


Ended = Literal["done", "limit", "stuck", "refused", "budget"]


class Closed(Model):
    kind: Literal["closed"] = "closed"
    turn: int
    ended: Ended
    summary: str
    """What the model said at its end; otherwise why the session ended."""
    snapshot: str = ""
    """Of the workspace as a part left it that the budget cut off; empty where none was."""
    turns: int = 0
    usage: Usage = Usage()
    cost: float = 0.0
    """What that part took. Counts as long as it is the log's last word: later the part's result holds all of it."""


Entry = Annotated[Began | Resumed | Replied | Failed | Called | Told | Compacted | Closed, Field(discriminator="kind")]
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


@dataclass(frozen=True)
class Line:
    number: int
    """From 1, without gaps."""
    at: datetime
    entry: Entry


class SessionLog:
    """Append-only; what is in it is read, never changed. What stands before the `/` of a session's id is its run."""

    def __init__(self, engine: Engine, session: str) -> None:
        self.engine = engine
        self.session = session

    def append(self, entry: Entry) -> Line:
        """Keep an entry, with an event of the run: once this returns, both survive a kill."""
        run = self.session.partition("/")[0]
        with writing(self.engine) as connection:
            newest = select(func.max(agent_log.c.number)).where(agent_log.c.session == self.session)
            line = Line((connection.execute(newest).scalar() or 0) + 1, clock.now(), entry)
            connection.execute(
                insert(agent_log).values(
                    session=self.session,
                    number=line.number,
                    at=line.at,
                    kind=entry.kind,
                    data=entry.model_dump(mode="json"),
                )
            )
            events.record(connection, run, f"agent.{entry.kind}", {"session": self.session, **_brief(entry)})
        return line

    def lines(self) -> tuple[Line, ...]:
        """Everything so far, oldest first."""
        query = select(agent_log).where(agent_log.c.session == self.session).order_by(agent_log.c.number)
        with self.engine.connect() as connection:
            return tuple(
                Line(row.number, row.at, _ENTRY.validate_python(row.data)) for row in connection.execute(query)
            )


def _brief(entry: Entry) -> dict[str, JsonValue]:
    """What whoever watches the run is told; the log has the rest."""
    match entry:
        case Replied():
            tokens, model = entry.reply.usage.total, f"{entry.reply.provider}/{entry.reply.model}"
            return {"turn": entry.turn, "tokens": tokens, "cached": entry.reply.usage.cached, "model": model}
        case Called():
            return {"turn": entry.turn, "tool": entry.call.name, "ok": entry.ok, "seconds": round(entry.seconds, 3)}
        case Told():
            return {"turn": entry.turn, "reason": entry.reason}
        case Failed():
            return {"turn": entry.turn, "why": entry.why}
        case Compacted():
            told = {"turn": entry.turn, "tokens": entry.usage.total, "before": entry.before, "after": entry.after}
            return {**told, "by": entry.by, "why": entry.why}
        case Closed():
            return {"turn": entry.turn, "ended": entry.ended}
        case _:
            return {}


def is_part(session: str) -> bool:
    """Whether its work was handed to it by another session, in whose log is told, too, what it took."""
    return PART in session


def sessions(engine: Engine, run: str) -> tuple[str, ...]:
    """The sessions of a run, in the order in which they began."""
    query = (
        select(agent_log.c.session)
        .where(agent_log.c.session.startswith(f"{run}/", autoescape=True))
        .group_by(agent_log.c.session)
        .order_by(func.min(agent_log.c.at), agent_log.c.session)
    )
    with engine.connect() as connection:
        return tuple(connection.execute(query).scalars())


def answered_by(engine: Engine, session: str) -> frozenset[str]:
    """All who answered in a session and in its parts, as `provider/model`: the authors of what it wrote."""
    whose = agent_log.c.session
    found = or_(whose == session, whose.startswith(f"{session}{PART}", autoescape=True))
    query = select(agent_log.c.data).where(found, agent_log.c.kind == "replied")
    with engine.connect() as connection:
        entries = [Replied.model_validate(data) for data in connection.execute(query).scalars()]
    return frozenset(f"{entry.reply.provider}/{entry.reply.model}" for entry in entries)
