"""What a session may use. The run's budget stands above it: a session ends at whichever comes first."""

from __future__ import annotations

from omni.models.wire import Model, Usage


class Limits(Model):
    """None: no limit of its own. Checked before each turn, so that a session goes over by one reply at most."""

    steps: int = 60
    """Turns: replies of the model."""
    tokens: int | None = None
    """Of all prompts and replies together."""
    cost: float | None = None
    """In the currency of `Task.prices`."""
    seconds: float = 3600
    """From the first turn's start, over all processes that worked on the session, without the time between them."""
    idle: float = 600
    """Seconds without a sign of life of the model. The router's own time-out comes first; this one stays."""
    window: int = 96_000
    """Tokens that a request may hold; what grows beyond three quarters of it is compacted."""


class Spent(Model):
    """What a session has used so far."""

    steps: int = 0
    usage: Usage = Usage()
    cost: float = 0.0
    seconds: float = 0.0


def exceeded(limits: Limits, spent: Spent) -> str:
    """Which limit is reached, in words; empty: none."""
    if spent.steps >= limits.steps:
        return f"{limits.steps} turns"
    if limits.tokens is not None and spent.usage.total >= limits.tokens:
        return f"{limits.tokens} tokens"
    if limits.cost is not None and spent.cost >= limits.cost:
        return f"a cost of {limits.cost:g}"
    if spent.seconds >= limits.seconds:
        return f"{limits.seconds:g} seconds"
    return ""
