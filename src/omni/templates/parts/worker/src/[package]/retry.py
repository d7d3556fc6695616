"""When to try again: exponential back-off with full jitter (Brooker, Exponential Backoff And Jitter, AWS 2015)."""

from __future__ import annotations

import random


def delay(attempt: int, base: float, limit: float) -> float:
    """Seconds to wait after the failed attempt number `attempt` (from 1): evenly from zero to base·2^(attempt-1)."""
    ceiling = min(limit, base * 2.0 ** min(attempt - 1, 60))
    return random.uniform(0, ceiling)  # noqa: S311 - it spreads load and protects no secret
