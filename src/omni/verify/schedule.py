"""Running checks side by side, the longest first, never more than the CPUs carry.

The lowest tier that is not done always has a check running; what CPUs are left take the longest of any tier, so that
a long check of a later tier does not stand alone at the end. Where the lowest tier has so much to do that it could run
out of time beside others, it has the CPUs to itself (`together` is false). A tier's clock starts with its first check
and stops it hard: what has not ended by then is incomplete.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

from omni.verify.check import Check, Gap, Item
from omni.verify.report import Status

GRACE = 2.5
"""Seconds after the deadline in which a tool may be stopped: kernel.processes takes 2 from SIGTERM to SIGKILL."""


PACE = 8.0
"""CPU seconds that the checks of tier 1 take for a megabyte of source together: measured on Omni itself, 5 MB."""
SHARE = 4
"""A tier that needs more than one part in so many of its time has the CPUs to itself: others may take the rest."""


@dataclass(frozen=True, eq=False)
class Task:
    check: Check
    expected: float
    """Seconds it will probably take."""
    work: Callable[[float], list[Item]]
    """Given the deadline, on `time.monotonic()`'s clock."""


@dataclass(frozen=True)
class Done:
    task: Task
    items: list[Item]
    started: float
    """On `time.monotonic()`'s clock."""
    seconds: float
    on_time: bool = True


@dataclass
class _Running:
    task: Task
    started: float
    deadline: float


@dataclass
class Schedule:
    """`cpus` bounds the sum of the weights that run together."""

    cpus: int
    deadlines: Mapping[int, float]
    """Tier → seconds."""
    on_start: Callable[[Check], None]
    together: bool = True
    """Whether a check of a later tier may run beside those of the lowest."""
    _clocks: dict[int, float] = field(default_factory=dict)
    _running: dict[Future[list[Item]], _Running] = field(default_factory=dict)

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """Each task's outcome as it ends, whatever happens in it."""
        waiting = sorted(tasks, key=lambda task: (-task.expected, task.check.tier, task.check.id))
        while waiting or self._running:
            for task in [task for task in waiting if self._out_of_time(task)]:
                waiting.remove(task)
                yield Done(task, [self._missed(task)], time.monotonic(), 0.0, on_time=False)
            while ready := self._next(waiting):
                waiting.remove(ready)
                self._start(ready)
            yield from self._collect()

    def _next(self, waiting: Sequence[Task]) -> Task | None:
        """The longest that fits; of the lowest tier if nothing of that tier is running."""
        running = [each.task.check.tier for each in self._running.values() if self._weight(each.task)]
        lowest = min((*running, *(task.check.tier for task in waiting)), default=0)
        beside = self.together and lowest in running
        fitting = (task for task in waiting if self._fits(task) and (beside or task.check.tier == lowest))
        return next(fitting, None)

    def _deadline(self, task: Task) -> float:
        tier = task.check.tier
        return self._clocks.get(tier, time.monotonic()) + self.deadlines[tier]

    def _out_of_time(self, task: Task) -> bool:
        return time.monotonic() >= self._deadline(task)

    def _fits(self, task: Task) -> bool:
        busy = sum(self._weight(running.task) for running in self._running.values())
        return busy + self._weight(task) <= self.cpus

    def _weight(self, task: Task) -> int:
        return min(task.check.weight, self.cpus)

    def _start(self, task: Task) -> None:
        now = time.monotonic()
        self._clocks.setdefault(task.check.tier, now)
        future: Future[list[Item]] = Future()
        running = self._running[future] = _Running(task, now, self._deadline(task))
        self.on_start(task.check)
        # A daemon: a check of our own that hangs can't be stopped, and must not keep Omni from ending.
        threading.Thread(target=_fulfil, args=(future, task, running.deadline), daemon=True).start()

    def _collect(self) -> Iterator[Done]:
        """Wait until something ends or runs out of time."""
        if not self._running:
            return
        first = min(running.deadline for running in self._running.values())
        wait(self._running, timeout=max(0.0, first + GRACE - time.monotonic()), return_when=FIRST_COMPLETED)
        now = time.monotonic()
        for future, running in [*self._running.items()]:
            if future.done():
                yield self._outcome(future, running, now)
            elif now >= running.deadline + GRACE:
                yield Done(running.task, [self._missed(running.task)], running.started, now - running.started, False)
            else:
                continue
            del self._running[future]

    def _outcome(self, future: Future[list[Item]], running: _Running, now: float) -> Done:
        problem = future.exception()
        items: list[Item] = [_crash(problem)] if problem else future.result()
        return Done(running.task, items, running.started, now - running.started)

    def _missed(self, task: Task) -> Gap:
        tier = task.check.tier
        return Gap(f"it did not end within the {self.deadlines[tier]:g} s of tier {tier}")


def can_share(tasks: Sequence[Task], source: int, cpus: int, deadlines: Mapping[int, float]) -> bool:
    """Whether the lowest tier ends in time beside others, by what its checks took or by the size of the project.

    `source`: bytes of it. Checks that never ran here are expected to take all that they may, which says little.
    """
    lowest = min((task.check.tier for task in tasks), default=None)
    if lowest is None:
        return True
    known = sum(task.expected for task in tasks if task.check.tier == lowest and task.check.weight)
    return min(known, source / 1e6 * PACE) / cpus <= deadlines[lowest] / SHARE


def _fulfil(future: Future[list[Item]], task: Task, deadline: float) -> None:
    try:
        items = task.work(deadline)
    except BaseException as problem:  # handed to whoever asks the future, as concurrent.futures does
        future.set_exception(problem)
    else:
        future.set_result(items)


def _crash(problem: BaseException) -> Gap:
    """A bug in a check is an error of that check alone."""
    last = problem.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    where = f" ({last.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{last.tb_lineno})" if last else ""
    return Gap(f"the check crashed: {type(problem).__name__}: {problem}{where}", Status.ERROR)
