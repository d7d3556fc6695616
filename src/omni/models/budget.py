"""Budgets: how many tokens a run may use, its children included; kept in the database, so that a crash spends nothing.

A call reserves before it is asked and settles after, each in one transaction over the run and all its parents. A part
is kept for packaging, so that a run that is used up still delivers what it has.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from omni.models.wire import Model

ALERTS = (50, 75, 90)
"""Percent of what the work may use; each is one event `budget.alert`. At 100 the run pauses: `budget.paused`."""


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


class BudgetState(Model):
    """A budget at one moment. Tokens."""

    run: str
    parent: str
    tokens: int | None
    kept: int
    """Of `tokens`: for packaging alone."""
    used: int
    reserved: int
    """By calls that are being answered."""
    paused: bool

    @property
    def percent(self) -> int:
        """Of what the work may use, rounded down; 0 where there is no limit."""
        return 100 * self.used // max(1, self.tokens - self.kept) if self.tokens is not None else 0


@dataclass(frozen=True)
class Budget:
    """The budget of one run."""

    engine: Engine
    run: str

    @classmethod
    def open(cls, engine: Engine, run: str, tokens: int | None, parent: str = "", kept: int | None = None) -> Budget:
        """The budget of `run`, made at the first call; later calls find it as it is.

        A child has `tokens` of its own at most (None: no limit of its own), and shares what its parent has left.
        `kept`: tokens for packaging; by default a twentieth.
        """
        raise NotImplementedError

    def state(self) -> BudgetState: ...

    def raise_to(self, tokens: int | None, by: str) -> BudgetState:
        """A new limit, given by a person; a run that was paused may go on. Never below what is used."""
        raise NotImplementedError
