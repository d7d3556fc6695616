"""One question: to the best endpoint, to the next one when it fails, and to a second one when it is slow.

Whoever brings the first piece of an answer wins, and the others are left. What was asked in vain is noted and counted.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from secrets import SystemRandom

from omni.models.breaker import RetryBudget
from omni.models.choice import Need, Station, in_order, rank
from omni.models.client import Answer, Endpoint, EndpointError, Pace

ASKS_OF_ONE = 5
"""How often a call asks an endpoint that fails."""
SENT = ("silent", "unusable")
"""Failures after which a provider may have worked, and may want to be paid."""

Hold = Callable[[Endpoint], AbstractAsyncContextManager[None] | None]
"""What has to be held while an endpoint is asked; None: nothing."""
Ask = Callable[[Station, Callable[[str], None]], Coroutine[None, None, Answer]]
"""Takes what it needs of a station at once, before anybody else can."""


@dataclass
class Waste:
    """What was asked in vain: whoever gives it to a race knows that, however the race ends."""

    tokens: int = 0


@dataclass(eq=False)
class Attempt:
    station: Station
    began: float
    task: asyncio.Task[Answer] | None = None
    heard: int = 0
    """Characters."""
    queued: bool = False
    """It waits for what its endpoint runs on; nothing has been sent."""


class LostError(Exception):
    """Nobody answered."""


class Race:
    def __init__(self, ask: Ask, stations: list[Station], need: Need, pace: Pace, retries: RetryBudget) -> None:
        self._ask = ask
        self._stations = stations
        self._need = need
        self._pace = pace
        self._retries = retries
        self.notes: list[str] = []
        """Who was to answer and did not, and why."""
        self.waste = Waste()
        self.kinds: set[str] = set()
        """Kinds of the failures."""
        self.on_text: Callable[[str], None] = lambda _: None
        self.on_restart: Callable[[], None] = lambda: None
        self.hold: Hold = lambda _: None
        self._running: list[Attempt] = []
        self._chosen: Attempt | None = None
        self._passed_on = False
        self._failed: Counter[Station] = Counter()
        self._began = time.monotonic()

    async def run(self) -> tuple[Station, Answer]:
        """The winner and its answer. Raises LostError, or what `on_text` raises."""
        try:
            while True:
                if not self._running and not self._start():
                    await self._wait()
                    continue
                ended = [(attempt.station, self._result(attempt)) for attempt in await self._news()]
                for station, answer in ended:
                    if answer:
                        self._note_better(station)
                        return station, answer
        finally:
            await self._leave_all()

    def _start(self, hedge: bool = False) -> bool:
        """Ask the best that may be asked now; whether there was one."""
        station = self._next(hedge)
        if station is None:
            return False
        attempt = Attempt(station, time.monotonic())
        station.breaker.ask(attempt.began)
        station.in_flight += 1
        attempt.task = asyncio.create_task(self._asking(attempt))
        self._running.append(attempt)
        return True

    def _asking(self, attempt: Attempt) -> Coroutine[None, None, Answer]:
        def ask() -> Coroutine[None, None, Answer]:
            return self._ask(attempt.station, lambda piece: self._heard(attempt, piece))

        held = self.hold(attempt.station.endpoint)
        attempt.queued = held is not None
        return ask() if held is None else self._in_turn(attempt, held, ask)

    async def _in_turn(
        self,
        attempt: Attempt,
        held: AbstractAsyncContextManager[None],
        ask: Callable[[], Coroutine[None, None, Answer]],
    ) -> Answer:
        async with held:
            attempt.queued, attempt.began = False, time.monotonic()
            return await ask()

    def _next(self, hedge: bool = False) -> Station | None:
        now, busy = time.monotonic(), {attempt.station for attempt in self._running}
        for station in self._left():
            substitute = bool(self._need.pinned) and station.endpoint.name not in self._need.pinned
            if station not in busy and not station.ready_in(now) and not (hedge and substitute):
                return station
        return None

    def _left(self) -> list[Station]:
        return [each for each in in_order(self._stations, self._need) if self._failed[each] < ASKS_OF_ONE]

    def _heard(self, attempt: Attempt, piece: str) -> None:
        """A piece of an answer: the first one decides who wins."""
        attempt.heard += len(piece)
        if self._chosen is None:
            self._chosen = attempt
            for other in self._running:
                if other is not attempt and other.task:
                    other.task.cancel()
        if self._chosen is attempt and piece:
            self._passed_on = True
            self.on_text(piece)

    async def _news(self) -> list[Attempt]:
        """Attempts that have ended; asks one more when the time has come for it."""
        tasks = [attempt.task for attempt in self._running if attempt.task]
        hedge_at = self._hedge_at()
        timeout = None if hedge_at is None else max(0.0, hedge_at - time.monotonic())
        done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if not done and self._chosen is None and self._retries.spend():
            self._start(hedge=True)
        ended = [attempt for attempt in self._running if attempt.task in done]
        self._running = [attempt for attempt in self._running if attempt.task not in done]
        return ended

    def _hedge_at(self) -> float | None:
        """When another endpoint is asked too; None: never, since somebody is answering or nobody is left."""
        if self._chosen or not self._retries.left or self._next(hedge=True) is None:
            return None
        newest = self._running[-1]
        if newest.queued:
            return None
        slow = newest.station.pulse.slow()
        return newest.began + (self._pace.unmeasured if slow is None else max(self._pace.soonest, slow))

    def _result(self, attempt: Attempt) -> Answer | None:
        """The answer of an attempt that has ended, or None and a note."""
        assert attempt.task is not None  # noqa: S101 - it was waited for
        attempt.station.in_flight -= 1
        if attempt.task.cancelled():
            self._left_behind(attempt)
            return None
        error = attempt.task.exception()
        if isinstance(error, EndpointError):
            self._failure(attempt, error)
            return None
        if error is not None:
            self._left_behind(attempt)
            raise error
        answer = attempt.task.result()
        self._chosen = attempt
        attempt.station.breaker.succeed()
        attempt.station.pulse.add(answer.first_piece)
        return answer

    def _failure(self, attempt: Attempt, error: EndpointError) -> None:
        station = attempt.station
        self.notes.append(f"{station.endpoint.name}: {error.why}")
        self.kinds.add(error.kind)
        if error.kind in SENT or error.heard:
            self.waste.tokens += self._need.tokens + error.heard
        if error.kind == "rejected":
            station.breaker.leave()
            self._failed[station] = ASKS_OF_ONE
        elif error.kind in ("limited", "key"):
            station.breaker.leave()
        else:
            station.breaker.fail(time.monotonic(), error.why)
            self._failed[station] += 1
        if self._chosen is attempt:
            self._chosen = None
            if self._passed_on:
                self._passed_on = False
                self.on_restart()

    def _left_behind(self, attempt: Attempt) -> None:
        """Somebody else was faster, or the asker left. Who had been asked before the faster one is slow today."""
        if not attempt.queued:
            self.waste.tokens += self._need.tokens + -(-attempt.heard // 4)
        if self._chosen and attempt.began < self._chosen.began:
            why = f"slow: nothing for {time.monotonic() - attempt.began:.2f} s"
            self.notes.append(f"{attempt.station.endpoint.name}: {why}")
            attempt.station.breaker.fail(time.monotonic(), why)
        else:
            attempt.station.breaker.leave()

    async def _wait(self) -> None:
        """Until somebody may be asked again. Raises LostError where that is too long."""
        now, left = time.monotonic(), self._left()
        if not left:
            raise LostError
        limited = any(not station.breaker.ready_in(now) for station in left)
        until = self._began + (self._pace.queue if limited else self._pace.patience)
        wait = min(station.ready_in(now) for station in left) * SystemRandom().uniform(1.0, 1.1)
        if now + wait > until or (self._failed and not self._retries.spend()):
            self.notes += [f"{each.endpoint.name}: {each.why_not(now)}" for each in left if not self._failed[each]]
            raise LostError
        await asyncio.sleep(wait)

    def _note_better(self, winner: Station) -> None:
        """Who would have been asked before the winner, had it been well."""
        now, noted = time.monotonic(), {note.partition(": ")[0] for note in self.notes}
        for station in in_order(self._stations, self._need):
            if rank(station.endpoint, self._need) >= rank(winner.endpoint, self._need):
                break
            if station.endpoint.name not in noted and (why := station.why_not(now)):
                self.notes.append(f"{station.endpoint.name}: {why}")

    async def _leave_all(self) -> None:
        running, self._running = self._running, []
        tasks = [attempt.task for attempt in running if attempt.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for attempt in running:
            attempt.station.in_flight -= 1
            self._left_behind(attempt)
