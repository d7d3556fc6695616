"""Approvals: what a run asks of people, and what they said. A decision is audited before it is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, Row, insert, select, update

from omni.kernel import clock, events
from omni.kernel.database import writing
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.tables import approvals, runs
from omni.pipeline.gates import Answer, Gate, GateName
from omni.pipeline.handoffs import Approval

NOT_WAITING = declare("P010", "The run waits for nobody", Exit.NOT_ALLOWED, "Look at it: omni runs show RUN")


@dataclass(frozen=True)
class Request:
    """A question that a run has put to people."""

    id: str
    run_id: str
    gate: str
    status: str
    deadline: datetime


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
        connection.execute(update(runs).where(runs.c.id == run_id).values(status="waiting", updated_at=now))
    events.append(engine, run_id, "approval.waiting", {"gate": gate, "deadline": deadline.isoformat()})
    return approval


def close(engine: Engine, approval: str, answer: Answer | None) -> str:
    """Record the answer, or that none came in time; returns the decision."""
    decision = answer.decision if answer else "expired"
    now = clock.now()
    with writing(engine) as connection:
        row = connection.execute(select(approvals).where(approvals.c.id == approval)).one()
        values: dict[str, object] = {"status": decision, "decided_at": now}
        if answer:
            values |= {"decided_by": answer.by, "reason": answer.reason}
        connection.execute(update(approvals).where(approvals.c.id == approval).values(values))
        connection.execute(update(runs).where(runs.c.id == row.run_id).values(status="running", updated_at=now))
    events.append(engine, row.run_id, f"approval.{decision}", {"gate": row.gate, "by": answer.by if answer else ""})
    return decision


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


def waiting(engine: Engine, run_id: str) -> Request:
    """The question that the run waits on. Raises OmniError when there is none."""
    query = select(approvals).where(approvals.c.run_id == run_id, approvals.c.status == "waiting")
    with engine.connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise OmniError(NOT_WAITING, "no gate of this run is open", where=run_id)
    return Request(row.id, row.run_id, row.gate, row.status, row.deadline)


def decided(engine: Engine, run_id: str) -> tuple[Approval, ...]:
    """What was decided so far, oldest first."""
    return tuple(
        Approval(gate=row.gate, decision=row.status, by=row.decided_by, reason=row.reason)
        for row in _closed(engine, run_id)
    )


def revisions(engine: Engine, run_id: str) -> tuple[str, ...]:
    """What people asked to change, oldest first: further sentences of the request."""
    return tuple(row.reason for row in _closed(engine, run_id) if row.status == "revised")


def _closed(engine: Engine, run_id: str) -> list[Row[tuple[object, ...]]]:
    query = select(approvals).where(approvals.c.run_id == run_id, approvals.c.status != "waiting")
    with engine.connect() as connection:
        return list(connection.execute(query.order_by(approvals.c.requested_at, approvals.c.id)))
