"""Budgets: how many tokens a run may use, its children included; kept in the database, so that a crash overspends
nothing.

A call reserves before it is asked and settles after, each in one transaction over the run and all its parents
(`omni.models.ledger`). A part is kept for packaging, so that a run that is used up still delivers what it has.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, RowMapping, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from omni.kernel import events
from omni.kernel.database import writing
from omni.kernel.errors import OmniError
from omni.kernel.tables import budgets
from omni.models.errors import BAD_BUDGET, BUDGET_USED_UP
from omni.models.wire import Model

ALERTS = (50, 75, 90)
"""Percent of what the work may use; each is one event `budget.alert`. At 100 the run pauses: `budget.paused`."""
PACKAGING = "package"
"""The stage that may use what is kept."""
KEPT_SHARE = 20
"""One part in so many is kept for packaging."""
USUAL_REPLY = 8_192
"""Tokens that are reserved for a reply, and the most it may have, where the request sets no limit."""
SMALLEST_REPLY = 256
"""A call that can't have this many is not made."""

# Built once: to build and to hash a statement takes longer than to run it.
_FIND = select(budgets).where(budgets.c.run_id == bindparam("run")).with_for_update()
_CHANGE = update(budgets).where(budgets.c.run_id == bindparam("of_run"))


class Preset(Model):
    tokens: int | None
    """None: unlimited, which takes a person's approval."""
    agents: int
    """How many may work at once."""


PRESETS = {
    "simple": Preset(tokens=50_000, agents=1),
    "medium": Preset(tokens=200_000, agents=2),
    "complex": Preset(tokens=1_000_000, agents=4),
    "unlimited": Preset(tokens=None, agents=6),
}


def agents_of(tokens: int | None) -> int:
    """How many agents may work at once on a limit: as many as on the smallest preset that holds it."""
    if tokens is None:
        return PRESETS["unlimited"].agents
    limited = [preset for preset in PRESETS.values() if preset.tokens is not None]
    return next((each.agents for each in limited if tokens <= (each.tokens or 0)), limited[-1].agents)


def tokens_of(name: str) -> int | None:
    """Tokens of a budget given as a preset's name or as a number; None: unlimited. Raises ValueError."""
    return PRESETS[name].tokens if name in PRESETS else int(name)


class BudgetState(Model):
    """A budget at one moment. Tokens."""

    run: str
    parent: str
    tokens: int | None
    kept: int
    """Of `tokens`: for packaging alone."""
    used: int
    """By the run and its children."""
    reserved: int
    """By calls that are being answered."""
    paused: bool
    """Nothing more is asked until the budget is raised; packaging may still use what is kept."""

    @property
    def percent(self) -> int:
        """Of what the work may use, rounded down; 0 where there is no limit."""
        return percent(self.used, self.tokens, self.kept)

    def refuse(self, tokens: int | None) -> None:
        """Raises OmniError (M007) when `tokens` as its limit would leave nothing to spend."""
        if tokens is not None and tokens - self.kept <= self.used:
            raise OmniError(BAD_BUDGET, f"{tokens} tokens are not more than the {self.used} used", where=self.run)


class UsedUpError(OmniError):
    """M002, with the budget that it is."""

    def __init__(self, run: str, unspent: int, least: int) -> None:
        super().__init__(BUDGET_USED_UP, f"{max(0, unspent)} tokens are left, the next call takes {least}", where=run)
        self.run = run


@dataclass(frozen=True)
class Budget:
    """The budget of one run."""

    engine: Engine
    run: str

    @classmethod
    def open(cls, engine: Engine, run: str, tokens: int | None, parent: str = "", kept: int | None = None) -> Budget:
        """The budget of `run`, made at the first call; later calls find it as it is.

        A child has `tokens` of its own at most (None: no limit of its own), and shares what its parent has left.
        `kept`: tokens for packaging; by default a twentieth, of a child none. Raises OmniError (M007).
        """
        share = tokens // KEPT_SHARE if tokens is not None and not parent else 0
        held = share if kept is None else kept
        row = {"run_id": run, "parent": parent, "tokens": tokens, "kept": held}
        if not run or parent == run or (tokens is not None and not 0 <= held < tokens):
            raise OmniError(BAD_BUDGET, f"{tokens} tokens, {held} of them kept", where=run)
        make = insert_on_postgresql if engine.dialect.name == "postgresql" else insert_on_sqlite
        with writing(engine) as connection:
            if parent and not lineage(connection, parent):
                raise OmniError(BAD_BUDGET, f"its parent {parent} has none", where=run)
            fresh = make(budgets).values(**row, used=0, reserved=0, alerted=0).on_conflict_do_nothing()
            connection.execute(fresh)
        return cls(engine, run)

    def state(self) -> BudgetState:
        """Raises OmniError (M007) for a run without a budget."""
        found = budget_of(self.engine, self.run)
        if found is None:
            raise OmniError(BAD_BUDGET, "it has none", where=self.run)
        return found

    def raise_to(self, tokens: int | None, by: str) -> BudgetState:
        """A new limit, given by a person; a run that was paused may go on.

        Raises OmniError (M007) when that is not more than is used up and kept.
        """
        with writing(self.engine) as connection:
            raise_limit(connection, self.run, tokens, by)
        return self.state()


def budget_of(engine: Engine, run: str) -> BudgetState | None:
    """The budget of a run; None where it has none."""
    with engine.connect() as connection:
        row = connection.execute(select(budgets).where(budgets.c.run_id == run)).mappings().first()
    return _state(row) if row is not None else None


def raise_limit(connection: Connection, run: str, tokens: int | None, by: str) -> None:
    """`Budget.raise_to` as a part of a transaction."""
    row = next(iter(lineage(connection, run)), None)
    if row is None:
        raise OmniError(BAD_BUDGET, "it has none", where=run)
    _state(row).refuse(tokens)
    _change(connection, run, tokens=tokens, alerted=_level(percent(row["used"], tokens, row["kept"])))
    events.record(connection, run, "budget.raised", {"from": row["tokens"], "to": tokens, "by": by})


def percent(used: int, tokens: int | None, kept: int) -> int:
    return 100 * used // max(1, tokens - kept) if tokens is not None else 0


def lineage(connection: Connection, run: str) -> list[RowMapping]:
    """The budgets that a call of `run` counts against: its own, then its parent's, … ; locked until the end."""
    rows: list[RowMapping] = []
    while run:
        row = connection.execute(_FIND, {"run": run}).mappings().first()
        if row is None:
            break
        rows.append(row)
        run = row["parent"]
    return rows


def reserve(connection: Connection, run: str, stage: str, prompt: int, reply: int | None) -> int | None:
    """Tokens set aside for a call of `run`: those of the prompt, and as many of the reply as it may have.

    None: others hold what would do; try again when they have settled. 0: nobody counts. Raises OmniError (M002).
    """
    rows = lineage(connection, run)
    limits = [
        (row, row["tokens"] - (0 if stage == PACKAGING else row["kept"])) for row in rows if row["tokens"] is not None
    ]
    wanted, least = prompt + (reply or USUAL_REPLY), prompt + min(reply or SMALLEST_REPLY, SMALLEST_REPLY)
    if limits:
        unspent, tightest = min(
            ((limit - row["used"], row["run_id"]) for row, limit in limits), key=lambda each: each[0]
        )
        if unspent < least:
            raise UsedUpError(tightest, unspent, least)
        wanted = min(wanted, unspent)
        if wanted > min(limit - row["used"] - row["reserved"] for row, limit in limits):
            return None
    for row in rows:
        _change(connection, row["run_id"], reserved=row["reserved"] + wanted)
    return wanted if rows else 0


def settle(connection: Connection, run: str, released: int, used: int) -> None:
    """Give back what was reserved, count what was used, and tell of each alert that is passed."""
    for row in lineage(connection, run):
        total = row["used"] + used
        level = _level(percent(total, row["tokens"], row["kept"]))
        _change(
            connection,
            row["run_id"],
            used=total,
            reserved=row["reserved"] - released,
            alerted=max(level, row["alerted"]),
        )
        for passed in (each for each in (*ALERTS, 100) if row["alerted"] < each <= level):
            _tell(connection, row["run_id"], passed, total, row["tokens"])


def pause(engine: Engine, run: str) -> None:
    """The next call does not fit: the run waits for a person."""
    with writing(engine) as connection:
        row = next(iter(lineage(connection, run)))
        if row["alerted"] < 100:
            _change(connection, run, alerted=100)
            _tell(connection, run, 100, row["used"], row["tokens"])


def _state(row: RowMapping) -> BudgetState:
    return BudgetState(
        run=row["run_id"],
        parent=row["parent"],
        tokens=row["tokens"],
        kept=row["kept"],
        used=row["used"],
        reserved=row["reserved"],
        paused=row["alerted"] == 100,
    )


def _tell(connection: Connection, run: str, passed: int, used: int, tokens: int | None) -> None:
    kind = "budget.paused" if passed == 100 else "budget.alert"
    events.record(connection, run, kind, {"percent": passed, "used": used, "tokens": tokens})


def _level(reached: int) -> int:
    """The highest alert that is passed; 100: the end; 0: none yet."""
    return max((each for each in (*ALERTS, 100) if each <= reached), default=0)


def _change(connection: Connection, run: str, **values: int | None) -> None:
    connection.execute(_CHANGE, {"of_run": run, **values})
