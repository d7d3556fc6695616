"""Approvals: what a run asks of people, and what they said.

The table is the truth: the first answer to a question counts, and it is kept before the run hears of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Row, insert, select, update

from omni.kernel import clock, events
from omni.kernel.database import writing
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.tables import approvals, runs
from omni.pipeline.gates import Answer, Gate, GateName
from omni.pipeline.handoffs import Approval
from omni.pipeline.run import move

NOT_WAITING = declare("P010", "The run waits for nobody", Exit.NOT_ALLOWED, "Look at it: omni runs show RUN")
BY_PEOPLE = ("approved", "revised", "rejected")


@dataclass(frozen=True)
class Request:
    """A question that a run has put to people."""

    id: str
    run_id: str
    gate: str
    deadline: datetime

    @property
    def expired(self) -> bool:
        return clock.now() >= self.deadline


def ask(engine: Engine, run_id: str, gate: GateName, rule: Gate, number: int) -> str:
    """Put the question; returns its id. Asking again (after a kill) finds the same question."""
    approval = f"{run_id}:{gate}:{number}"
    now = clock.now()
    with writing(engine) as connection:
        if connection.execute(select(approvals.c.id).where(approvals.c.id == approval)).first():
            return approval
        deadline = now + timedelta(hours=rule.timeout)
        values = {"id": approval, "run_id": run_id, "gate": gate, "requested_at": now, "deadline": deadline}
        connection.execute(insert(approvals).values(status="waiting", **values))
        move(connection, run_id, "waiting")
        events.record(connection, run_id, "approval.waiting", {"gate": gate, "deadline": deadline.isoformat()})
    return approval


def answer(engine: Engine, approval: str, given: Answer) -> None:
    """Keep the answer to a question. Raises OmniError when it is not open any more."""
    with writing(engine) as connection:
        if not close_within(connection, approval, given.decision, given.by, given.reason):
            raise OmniError(NOT_WAITING, "somebody else was faster", where=approval)


def close(engine: Engine, approval: str) -> str:
    """The answer that counts, as JSON; silence until the deadline is a refusal."""
    with writing(engine) as connection:
        close_within(connection, approval, "expired", "", "nobody answered in time")
        row = connection.execute(select(approvals).where(approvals.c.id == approval)).one()
    return _answer(row.status, row.decided_by, row.reason).model_dump_json()


def pass_by_rule(engine: Engine, run_id: str, gate: GateName, rule: Gate, score: float, number: int) -> str:
    """Record that nobody was asked, and by which rule."""
    approval = f"{run_id}:{gate}:{number}"
    reason = "the profile does not ask here"
    if rule.type == "auto-approve-if-score-above":
        reason = f"score {score:g} is above {rule.threshold:g}"
    now = clock.now()
    values = {"status": "automatic", "requested_at": now, "decided_at": now, "decided_by": "rule", "reason": reason}
    with writing(engine) as connection:
        if not connection.execute(select(approvals.c.id).where(approvals.c.id == approval)).first():
            connection.execute(insert(approvals).values(id=approval, run_id=run_id, gate=gate, **values))
    return approval


def approve_ahead(engine: Engine, run_id: str, gate: GateName, by: str) -> None:
    """Keep a person's approval that was given before the run could ask for it, as its first question."""
    now = clock.now()
    values = {"id": f"{run_id}:{gate}:0", "run_id": run_id, "gate": gate, "requested_at": now, "decided_at": now}
    with writing(engine) as connection:
        connection.execute(insert(approvals).values(status="approved", decided_by=by, reason="", **values))
        events.record(connection, run_id, "approval.approved", {"gate": gate, "by": by})


def question(engine: Engine, run_id: str) -> Request | None:
    """What the run waits for; None when it waits for nobody."""
    query = select(approvals).join(runs).where(approvals.c.run_id == run_id, approvals.c.status == "waiting")
    with engine.connect() as connection:
        row = connection.execute(query.where(runs.c.status == "waiting")).first()
    return Request(row.id, row.run_id, row.gate, row.deadline) if row else None


def waiting(engine: Engine, run_id: str) -> Request:
    """The question that a person may answer now. Raises OmniError when there is none, or its time is over."""
    asked = question(engine, run_id)
    if asked is None:
        raise OmniError(NOT_WAITING, "no gate of this run is open", where=run_id)
    if asked.expired:
        why = f"the time to answer {asked.gate} was over at {asked.deadline:%Y-%m-%d %H:%M} UTC"
        raise OmniError(NOT_WAITING, why, where=run_id, fix=f"Let it end: omni runs resume {run_id}")
    return asked


def answered(engine: Engine, run_id: str) -> tuple[str, ...]:
    """The questions that are closed: people answered, or their time was over."""
    return tuple(row.id for row in _closed(engine, run_id) if row.status != "automatic")


def decided(engine: Engine, run_id: str) -> tuple[Approval, ...]:
    """What was decided so far, oldest first."""
    return tuple(
        Approval(gate=row.gate, decision=row.status, by=row.decided_by, reason=row.reason)
        for row in _closed(engine, run_id)
    )


def revisions(engine: Engine, run_id: str) -> tuple[str, ...]:
    """What people asked to change, oldest first: further sentences of the request."""
    return tuple(row.reason for row in _closed(engine, run_id) if row.status == "revised")


def _answer(status: str, by: str, reason: str) -> Answer:
    given = {"decision": status, "by": by, "reason": reason}
    return Answer.model_validate(given if status in BY_PEOPLE else given | {"decision": "rejected", "by": "the clock"})


def close_within(connection: Connection, approval: str, decision: str, by: str, reason: str) -> bool:
    """Close an open question and let its run go on, as a part of a transaction; False when it was closed before."""
    now = clock.now()
    still_open = update(approvals).where(approvals.c.id == approval, approvals.c.status == "waiting")
    values = {"status": decision, "decided_at": now, "decided_by": by, "reason": reason}
    if not connection.execute(still_open.values(values)).rowcount:
        return False
    row = connection.execute(select(approvals).where(approvals.c.id == approval)).one()
    move(connection, row.run_id, "running")
    events.record(connection, row.run_id, f"approval.{decision}", {"gate": row.gate, "by": by})
    return True


def _closed(engine: Engine, run_id: str) -> list[Row[tuple[object, ...]]]:
    query = select(approvals).where(approvals.c.run_id == run_id, approvals.c.status != "waiting")
    with engine.connect() as connection:
        return list(connection.execute(query.order_by(approvals.c.requested_at, approvals.c.id)))
