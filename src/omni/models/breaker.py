"""Whether an endpoint is asked: the circuit breaker, how fast it usually is, and how much may be asked again.

Pure: the time comes in as a number of seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

FIRST_COOLDOWN = 0.5
LONGEST_COOLDOWN = 60.0
"""Seconds. Each failure in a row doubles the first."""
SAMPLES = 64
FEW = 8


@dataclass
class Breaker:
    """Open after a failure, for longer after each one in a row; then one question probes whether it is over."""

    failures: int = 0
    """In a row."""
    why: str = ""
    _until: float = 0.0
    _probing: bool = False

    def state(self, now: float) -> Literal["closed", "open", "half-open"]:
        if not self.failures:
            return "closed"
        return "open" if now < self._until else "half-open"

    def ready_in(self, now: float) -> float:
        """Seconds until it may be asked; while a probe is under way, until somebody should look again."""
        state = self.state(now)
        if state == "half-open" and self._probing:
            return 0.05
        return self._until - now if state == "open" else 0.0

    def ask(self, now: float) -> None:
        self._probing = self.state(now) == "half-open"

    def succeed(self) -> None:
        self.failures, self.why, self._probing = 0, "", False

    def fail(self, now: float, why: str) -> None:
        """Many questions that were under way together and fail together count as one failure."""
        self._probing = False
        if self.state(now) != "open":
            self.failures += 1
            self._until = now + min(LONGEST_COOLDOWN, FIRST_COOLDOWN * 2 ** min(self.failures - 1, 16))
        self.why = why

    def leave(self) -> None:
        """The question was taken back: nothing was learnt."""
        self._probing = False


@dataclass
class Pulse:
    """How long an endpoint takes until the first piece of an answer, measured on the last answers."""

    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def p95(self) -> float | None:
        """Nearest rank; None before the first answer."""
        ordered = sorted(self._seconds)
        return ordered[-(-95 * len(ordered) // 100) - 1] if ordered else None

    def slow(self) -> float | None:
        """What is slow for this endpoint: beyond its p95, twice of it while few answers are known."""
        usual = self.p95()
        return usual * (2 if len(self._seconds) < FEW else 1) if usual is not None else None


@dataclass
class RetryBudget:
    """How many questions may be asked again or twice: a fifth of all, and ten at once.

    What is down is not brought back by more questions (gRPC's retry throttling, A6).
    """

    share: float = 0.2
    most: float = 10.0
    _left: float = 10.0

    def earn(self) -> None:
        self._left = min(self.most, self._left + self.share)

    @property
    def left(self) -> bool:
        return self._left >= 1

    def spend(self) -> bool:
        """Whether one may be asked again; if so, it is spent."""
        if not self.left:
            return False
        self._left -= 1
        return True
