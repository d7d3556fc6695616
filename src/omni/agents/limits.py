"""What a session may use. The run's budget stands above it: a session ends at whichever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from omni.agents.log import Called, Closed, Compacted, Entry, Failed, Line, Replied, Resumed
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
    """Seconds without a sign of life of the model. The router's own time-out comes first; this one is the last."""
    window: int = 96_000
    """Tokens that a request may hold; what grows beyond three quarters of it is compacted."""


class Spent(Model):
    """What a session has used so far."""

    steps: int = 0
    usage: Usage = Usage()
    cost: float = 0.0
    seconds: float = 0.0


def spent(lines: Sequence[Line]) -> Spent:
    """What the log tells was used: also of replies that led nowhere."""
    entries = [line.entry for line in lines if not isinstance(line.entry, Closed) or line is lines[-1]]
    asked = [entry for entry in entries if isinstance(entry, Replied | Compacted | Called | Closed)]
    usages = [entry.reply.usage if isinstance(entry, Replied) else entry.usage for entry in asked]
    worked = [b.at - a.at for a, b in pairwise(lines) if not isinstance(b.entry, Resumed)]
    return Spent(
        steps=sum(map(_turns, entries)),
        usage=Usage(
            prompt=sum(usage.prompt for usage in usages),
            cached=sum(usage.cached for usage in usages),
            completion=sum(usage.completion for usage in usages),
        ),
        cost=sum(entry.cost for entry in asked),
        seconds=sum(time.total_seconds() for time in worked),
    )


def remaining(limits: Limits, spent: Spent) -> Limits:
    """What is left of them for a part of the work; a session that gets nothing ends at once."""
    return limits.model_copy(
        update={
            "steps": max(0, limits.steps - spent.steps),
            "tokens": None if limits.tokens is None else max(0, limits.tokens - spent.usage.total),
            "cost": None if limits.cost is None else max(0.0, limits.cost - spent.cost),
            "seconds": max(0.0, limits.seconds - spent.seconds),
        }
    )


def _turns(entry: Entry) -> int:
    match entry:
        case Replied() | Failed():
            return 1
        case Called() | Closed():
            return entry.turns
        case _:
            return 0


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
