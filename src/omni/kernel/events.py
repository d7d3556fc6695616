"""Append-only events of runs, in one order for everybody, readable again from any id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, text

from omni.kernel import clock
from omni.kernel.canonical import JsonValue
from omni.kernel.tables import events

_ORDER_LOCK = 0x65766E74


@dataclass(frozen=True)
class Event:
    id: int
    run_id: str
    """Empty for what belongs to no run."""
    at: datetime
    kind: str
    """What happened, as `stage.started`."""
    data: Mapping[str, JsonValue]


def append(engine: Engine, run_id: str, kind: str, data: Mapping[str, JsonValue]) -> int:
    """Record an event; returns its id, which is greater than that of every event visible before it."""
    with engine.begin() as connection:
        return record(connection, run_id, kind, data)


def record(connection: Connection, run_id: str, kind: str, data: Mapping[str, JsonValue]) -> int:
    """The same as a part of a transaction: what happened and the event of it are there together, or neither is."""
    if connection.dialect.name == "postgresql":
        # Ids are given out before a transaction commits: without this, a reader at id 8 could miss a late 7.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ORDER_LOCK})
    row = {"run_id": run_id, "at": clock.now(), "kind": kind, "data": data}
    number: int = connection.execute(insert(events).values(row).returning(events.c.id)).scalar_one()
    return number


def replay(engine: Engine, run_id: str | None = None, after: int = 0, limit: int = 1000) -> list[Event]:
    """Up to `limit` events with ids greater than `after`, oldest first; of one run, or of all."""
    query = select(events).where(events.c.id > after).order_by(events.c.id).limit(limit)
    if run_id is not None:
        query = query.where(events.c.run_id == run_id)
    with engine.connect() as connection:
        return [Event(row.id, row.run_id, row.at, row.kind, row.data) for row in connection.execute(query)]
