"""The ledger: every call of a model with who asked, who answered, what it took, and the reply itself.

A named call (`Attribution.run` and `.call`) is paid for once: its reply is stored in the transaction that settles it,
before anybody sees it, and the same name gets the stored reply. A call whose process died is settled by whoever comes
next: at all that was reserved, since nobody knows what it took.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, bindparam, case, func, insert, select, update

from omni.kernel import clock
from omni.kernel.database import writing
from omni.kernel.ids import uuid7
from omni.kernel.tables import model_calls
from omni.models import budget
from omni.models.wire import Attribution, ChatReply, Model

LEASE = 60.0
"""Seconds after which a call that nobody renews is lost."""

By = Literal["run", "project", "stage", "role", "model", "provider"]

_COLUMNS: dict[By, ColumnElement[str]] = {
    "run": model_calls.c.run_id,
    "project": model_calls.c.project,
    "stage": model_calls.c.stage,
    "role": model_calls.c.role,
    "model": model_calls.c.model,
    "provider": model_calls.c.provider,
}
_SUMS = {
    "prompt": model_calls.c.prompt_tokens,
    "cached": model_calls.c.cached_tokens,
    "completion": model_calls.c.completion_tokens,
    "wasted": model_calls.c.wasted_tokens,
    "gpu_seconds": model_calls.c.gpu_seconds,
    "price": model_calls.c.price,
    "unpriced": case((model_calls.c.price.is_(None), 1), else_=0),
}

# Built once: to build and to hash a statement takes longer than to run it.
_NAMED = (
    select(model_calls)
    .where(model_calls.c.run_id == bindparam("run"), model_calls.c.call == bindparam("name"))
    .order_by(model_calls.c.id)
    .with_for_update()
)
_ONE = select(model_calls).where(model_calls.c.id == bindparam("id")).with_for_update()
_INSERT = insert(model_calls)
_CHANGE = update(model_calls).where(model_calls.c.id == bindparam("of_id"))
_END = _CHANGE.where(model_calls.c.status == "asked")


class Asked(Model):
    """A call that has been written down and may be made."""

    id: str
    run: str
    most: int | None
    """Tokens of the reply, as the budget allows; None: no budget."""
    reserved: int
    """Tokens set aside for it until it is settled."""


class Cost(Model):
    """What a call took, beside what its reply says."""

    wasted: int = 0
    gpu_seconds: float = 0.0
    price: float | None = None
    """US dollars."""
    estimated: bool = False
    """The server did not say its usage."""


class UsageRow(Model):
    """What all calls of one run, stage, … took together."""

    key: tuple[str, ...]
    """One value for each of `by`."""
    calls: int
    prompt: int
    cached: int
    """Of `prompt`: tokens that the server had at hand."""
    completion: int
    wasted: int
    """Tokens of questions that were asked and left: hedges that lost, streams that broke, calls that a crash ended."""
    gpu_seconds: float
    """Wall seconds of calls on one's own machines."""
    price: float
    """US dollars, where the model's price is known."""
    unpriced: int
    """Calls of models without a known price."""

    @property
    def at_hand(self) -> float:
        """Share of the questions' tokens that the servers had at hand, 0 to 1; 0 too where they do not tell."""
        return self.cached / self.prompt if self.prompt else 0.0


def begin(engine: Engine, attribution: Attribution, prompt: int, reply: int | None) -> ChatReply | Asked | None:
    """Write a call down and reserve its tokens; or the reply that is stored under its name.

    None: others of this budget hold what it takes; try again soon. Raises OmniError (M002).
    """
    try:
        with writing(engine) as connection:
            if attribution.call:
                rows = _named(connection, attribution)
                stored = next((row["reply"] for row in rows if row["reply"] is not None), None)
                if stored is not None:
                    return ChatReply.model_validate(stored)
                _lose(connection, rows)
            reserved = budget.reserve(connection, attribution.run, attribution.stage, prompt, reply)
            if reserved is None:
                return None
            most = reserved - prompt if reserved else None
            asked = Asked(id=uuid7(), run=attribution.run, most=most, reserved=reserved)
            connection.execute(_INSERT, _fresh(asked, attribution))
            return asked
    except budget.UsedUpError as error:
        budget.pause(engine, error.run)
        raise


def renew(engine: Engine, ids: Iterable[str]) -> None:
    """These calls are still being answered."""
    expires = clock.now() + timedelta(seconds=LEASE)
    with writing(engine) as connection:
        alive = model_calls.c.id.in_(list(ids)) & (model_calls.c.status == "asked")
        connection.execute(update(model_calls).where(alive).values(expires_at=expires))


def answered(engine: Engine, asked: Asked, reply: ChatReply, cost: Cost, *, keep: bool) -> None:
    """Settle a call; with `keep`, its reply is stored under its name in the same transaction."""
    values = {
        "status": "answered",
        "provider": reply.provider,
        "model": reply.model,
        "prompt_tokens": reply.usage.prompt,
        "cached_tokens": reply.usage.cached,
        "completion_tokens": reply.usage.completion,
        "wasted_tokens": cost.wasted,
        "seconds": reply.seconds,
        "first_token": reply.first_token,
        "gpu_seconds": cost.gpu_seconds,
        "price": cost.price,
        "estimated": cost.estimated,
        "reply": reply.model_dump(mode="json") if keep else None,
    }
    _settle(engine, asked, values, reply.usage.total + cost.wasted)


def failed(engine: Engine, asked: Asked, why: str, wasted: int) -> None:
    """Settle a call that nobody answered."""
    values = {"status": "failed", "error": why.replace("\0", "")[:1000], "wasted_tokens": wasted, "price": 0.0}
    _settle(engine, asked, values, wasted)


def settle_lost(engine: Engine) -> None:
    """Settle what nobody renews: its process has died."""
    gone = (model_calls.c.status == "asked") & (model_calls.c.expires_at < clock.now())
    with engine.connect() as connection:
        if connection.execute(select(model_calls.c.id).where(gone).limit(1)).first() is None:
            return
    with writing(engine) as connection:
        _lose(connection, connection.execute(select(model_calls).where(gone).with_for_update()).mappings().all())


def usage(
    engine: Engine, by: tuple[By, ...] = ("model",), run: str = "", project: str = "", since: datetime | None = None
) -> list[UsageRow]:
    """What was used, by run, stage, role, … ; most tokens first. Calls that are being answered count from their end."""
    keys = [_COLUMNS[each] for each in by]
    sums = [func.coalesce(func.sum(column), 0).label(name) for name, column in _SUMS.items()]
    query = select(*keys, func.count().label("calls"), *sums).where(model_calls.c.status != "asked").group_by(*keys)
    if run:
        query = query.where(model_calls.c.run_id == run)
    if project:
        query = query.where(model_calls.c.project == project)
    if since is not None:
        query = query.where(model_calls.c.asked_at >= since)
    with engine.connect() as connection:
        found = connection.execute(query).all()
    rows = [
        UsageRow.model_validate(
            {"key": tuple(row[: len(by)]), **dict(zip(("calls", *_SUMS), row[len(by) :], strict=True))}
        )
        for row in found
    ]
    return sorted(rows, key=lambda each: (-each.prompt - each.completion - each.wasted, each.key))


def _named(connection: Connection, attribution: Attribution) -> list[RowMapping]:
    name = {"run": attribution.run, "name": attribution.call}
    return list(connection.execute(_NAMED, name).mappings())


def _fresh(asked: Asked, attribution: Attribution) -> dict[str, object]:
    now = clock.now()
    return {
        "id": asked.id,
        "run_id": attribution.run,
        "call": attribution.call,
        "project": attribution.project,
        "stage": attribution.stage,
        "role": attribution.role,
        "prompt_version": attribution.prompt,
        "provider": "",
        "model": "",
        "status": "asked",
        "asked_at": now,
        "expires_at": now + timedelta(seconds=LEASE),
        "reserved": asked.reserved,
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "completion_tokens": 0,
        "wasted_tokens": 0,
        "seconds": 0.0,
        "first_token": 0.0,
        "gpu_seconds": 0.0,
        "estimated": False,
        "error": "",
    }


def _lose(connection: Connection, rows: Iterable[RowMapping]) -> None:
    """Settle those of the calls that are being answered at what they reserved."""
    for row in rows:
        if row["status"] == "asked":
            lost = {"status": "lost", "wasted_tokens": row["reserved"], "estimated": True}
            connection.execute(_CHANGE, {"of_id": row["id"], **lost})
            budget.settle(connection, row["run_id"], row["reserved"], row["reserved"])


def _settle(engine: Engine, asked: Asked, values: dict[str, object], used: int) -> None:
    with writing(engine) as connection:
        if connection.execute(_END, {"of_id": asked.id, **values}).rowcount:
            budget.settle(connection, asked.run, asked.reserved, used)
        else:  # somebody took us for dead; what was charged then is given back
            row = connection.execute(_ONE, {"id": asked.id}).mappings().one()
            connection.execute(_CHANGE, {"of_id": asked.id, **values})
            budget.settle(connection, asked.run, 0, used - row["wasted_tokens"])
