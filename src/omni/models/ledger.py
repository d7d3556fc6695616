"""The ledger: every call of a model with who asked, who answered, what it took, and the reply itself.

A named call (`Attribution.run` and `.call`) is paid for once: its reply is stored in the transaction that settles it,
before anybody sees it, and the same name gets the stored reply.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import Engine

from omni.models.wire import Model

By = Literal["run", "project", "stage", "role", "model", "provider", "day"]


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


def usage(
    engine: Engine, by: tuple[By, ...] = ("model",), run: str = "", project: str = "", since: datetime | None = None
) -> list[UsageRow]:
    """What was used, by run, stage, role, … ; largest first."""
    raise NotImplementedError
