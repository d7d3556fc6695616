"""Seats: how many agents work on a budget at once, its children included; in the database, for all processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection, Engine, delete, insert, select, update

from omni.kernel import clock, events
from omni.kernel.database import writing
from omni.kernel.tables import agents_at_work
from omni.models.budget import agents_of, lineage

LEASE = 60.0
"""Seconds after which the seat of an agent that gives no sign of life is free."""
POLL = 0.5
"""Seconds between two looks at whether a seat is free."""


@contextmanager
def seat(engine: Engine, run: str, agent: str) -> Iterator[None]:
    """Work as one of the agents of a run; waits while as many as its budget allows are at work.

    `agent` is a name of its own: who takes work up after a kill finds its own seat. A run without a budget has as many
    as it likes. Who waits is told of it once, by the event `agent.waiting`.
    """
    told = False
    while busy := _take(engine, run, agent):
        if not told:
            events.append(engine, run, "agent.waiting", {"agent": agent, "at_work": list(busy)})
            told = True
        time.sleep(POLL)
    left = threading.Event()
    renewer = threading.Thread(target=_renew, args=(engine, agent, left), daemon=True, name="seat")
    renewer.start()
    try:
        yield
    finally:
        left.set()
        renewer.join()
        with writing(engine) as connection:
            connection.execute(delete(agents_at_work).where(agents_at_work.c.agent == agent))


def _take(engine: Engine, run: str, agent: str) -> tuple[str, ...]:
    """Who has all the seats of some budget above this agent; empty: it has one now."""
    now = clock.now()
    with writing(engine) as connection:
        budgets = lineage(connection, run)
        for row in budgets:
            if row["parent"] and row["tokens"] is None:
                continue  # a child without a limit of its own shares its parent's seats
            busy = _others(connection, row["run_id"], agent)
            if len(busy) >= agents_of(row["tokens"]):
                return busy
        connection.execute(delete(agents_at_work).where(agents_at_work.c.agent == agent))
        seats = [
            {"run_id": row["run_id"], "agent": agent, "expires_at": now + timedelta(seconds=LEASE)} for row in budgets
        ]
        if seats:
            connection.execute(insert(agents_at_work), seats)
    return ()


def _others(connection: Connection, run: str, agent: str) -> tuple[str, ...]:
    at_work = select(agents_at_work.c.agent).where(
        agents_at_work.c.run_id == run, agents_at_work.c.agent != agent, agents_at_work.c.expires_at > clock.now()
    )
    return tuple(connection.execute(at_work.order_by(agents_at_work.c.agent)).scalars())


def _renew(engine: Engine, agent: str, left: threading.Event) -> None:
    mine = update(agents_at_work).where(agents_at_work.c.agent == agent)
    while not left.wait(LEASE / 3):
        with writing(engine) as connection:
            connection.execute(mine.values(expires_at=clock.now() + timedelta(seconds=LEASE)))
