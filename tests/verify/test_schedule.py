from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from omni.verify.check import Check, Gap, Item, Metric
from omni.verify.report import Status
from omni.verify.schedule import Done, Schedule, Task, can_share

DEADLINES = {1: 5.0, 2: 10.0}


def task(
    name: str, work: Callable[[float], list[Item]], *, tier: int = 1, expected: float = 1, weight: int = 1
) -> Task:
    check = Check.model_validate({"id": name, "title": name, "tier": tier, "weight": weight})
    return Task(check, expected, work)


def run(*tasks: Task, cpus: int = 2, deadlines: dict[int, float] = DEADLINES) -> tuple[list[str], dict[str, Done]]:
    started: list[str] = []
    schedule = Schedule(cpus, deadlines, lambda check: started.append(check.id))
    return started, {done.task.check.id: done for done in schedule.run(tasks)}


def quick(_deadline: float) -> list[Item]:
    return [Metric("m", 1)]


def test_on_one_cpu_lower_tiers_come_first_and_the_longest_of_a_tier() -> None:
    tasks = [task("late", quick, tier=2, expected=9), task("short", quick), task("long", quick, expected=3)]
    assert run(*tasks, cpus=1)[0] == ["long", "short", "late"]


def test_other_cpus_take_the_longest_of_any_tier() -> None:
    def slow(_deadline: float) -> list[Item]:
        time.sleep(0.2)
        return []

    tasks = [task("late", slow, tier=2, expected=9), task("short", quick), task("long", slow, expected=3)]
    assert run(*tasks, cpus=2)[0] == ["long", "late", "short"]


def test_a_tier_with_much_to_do_has_the_cpus_to_itself() -> None:
    def slow(_deadline: float) -> list[Item]:
        time.sleep(0.2)
        return []

    started: list[str] = []
    schedule = Schedule(2, DEADLINES, lambda check: started.append(check.id), together=False)
    done = schedule.run([task("late", slow, tier=2, expected=9), task("short", quick), task("long", slow, expected=3)])
    assert [each.task.check.id for each in done] == ["short", "long", "late"]
    assert started == ["long", "short", "late"]


@pytest.mark.parametrize(
    ("expected", "source", "cpus", "shared"),
    [
        (60, 600_000, 2, True),  # nothing ran here yet, and it is small
        (60, 5_000_000, 2, False),  # the same, and it is large
        (60, 5_000_000, 32, True),
        (3, 5_000_000, 2, True),  # it is known that little is left to do
        (3, 100, 2, True),
    ],
)
def test_a_tier_shares_the_cpus_when_it_has_time_to_spare(
    expected: float, source: int, cpus: int, shared: bool
) -> None:
    tasks = [
        task("a", quick, expected=expected),
        task("waits", quick, expected=600, weight=0),
        task("b", quick, tier=2, expected=600),
    ]
    assert can_share(tasks, source, cpus, {1: 30.0, 2: 300.0}) is shared


def test_nothing_shares_with_nothing() -> None:
    assert can_share([], 0, 2, DEADLINES)


def test_what_runs_together_weighs_no_more_than_the_cpus() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_deadline: float) -> list[Item]:
        nonlocal running, most
        with lock:
            running += 2
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 2
        return []

    run(*(task(f"t{number}", work, weight=2) for number in range(6)), cpus=4)
    assert most == 4


def test_what_mostly_waits_takes_no_place() -> None:
    release = threading.Event()

    def waiting(_deadline: float) -> list[Item]:
        release.wait(5)
        return [Metric("released", release.is_set())]

    def freeing(_deadline: float) -> list[Item]:
        release.set()
        return []

    done = run(task("waits", waiting, expected=9, weight=0), task("works", freeing), cpus=1)[1]
    assert done["waits"].items == [Metric("released", 1)]
    assert done["waits"].seconds < 5


def test_what_mostly_waits_does_not_stand_for_its_tier() -> None:
    release = threading.Event()

    def waiting(_deadline: float) -> list[Item]:
        release.wait(5)
        return []

    def freeing(_deadline: float) -> list[Item]:
        release.set()
        return []

    tasks = [
        task("waits", waiting, expected=9, weight=0),
        task("long", waiting, tier=2, expected=9),
        task("longer", waiting, tier=2, expected=8),
        task("short", freeing),
    ]
    started, done = run(*tasks, cpus=2)
    assert set(started[:3]) == {"waits", "long", "short"}
    assert all(each.seconds < 5 for each in done.values())


def test_a_check_heavier_than_the_machine_runs_alone() -> None:
    assert run(task("heavy", quick, weight=64), cpus=1)[1]["heavy"].items == [Metric("m", 1)]


def test_free_cpus_take_the_next_tier() -> None:
    release = threading.Event()

    def slow(_deadline: float) -> list[Item]:
        release.wait(5)
        return []

    def next_tier(_deadline: float) -> list[Item]:
        release.set()
        return [Metric("overlapped", 1)]

    _, done = run(task("slow", slow, expected=9), task("next", next_tier, tier=2))
    assert done["next"].items == [Metric("overlapped", 1)]


def test_a_crash_is_an_error_of_that_check_alone() -> None:
    def crash(_deadline: float) -> list[Item]:
        raise RuntimeError("boom")

    _, done = run(task("crash", crash), task("fine", quick))
    assert done["fine"].items == [Metric("m", 1)]
    (gap,) = done["crash"].items
    assert isinstance(gap, Gap)
    assert gap.status is Status.ERROR
    assert gap.why.startswith("the check crashed: RuntimeError: boom (test_schedule.py:")


def test_a_check_that_hangs_is_given_up_at_its_deadline(monkeypatch: object) -> None:
    stop = threading.Event()

    def hang(_deadline: float) -> list[Item]:
        stop.wait(60)
        return []

    started = time.monotonic()
    _, done = run(task("hang", hang), task("fine", quick), deadlines={1: 0.1})
    stop.set()
    assert done["hang"].items == [Gap("it did not end within the 0.1 s of tier 1")]
    assert not done["hang"].on_time
    assert done["fine"].on_time
    assert time.monotonic() - started < 4


def test_what_does_not_get_its_turn_in_time_is_incomplete() -> None:
    def slow(_deadline: float) -> list[Item]:
        time.sleep(0.3)
        return []

    _, done = run(task("first", slow, expected=9), task("second", quick), cpus=1, deadlines={1: 0.2})
    assert done["second"].items == [Gap("it did not end within the 0.2 s of tier 1")]
    assert (done["second"].seconds, done["second"].on_time) == (0.0, False)
    assert done["second"].started >= done["first"].started + 0.3


def test_what_takes_equally_long_runs_by_tier_and_name() -> None:
    tasks = [task("d", quick, tier=2), task("b", quick), task("c", quick, tier=2), task("a", quick)]
    assert run(*tasks, cpus=1)[0] == ["a", "b", "c", "d"]


def test_the_clock_of_a_tier_starts_with_its_first_check() -> None:
    deadlines: dict[str, float] = {}

    def noting(name: str, until: float = 0.0) -> Callable[[float], list[Item]]:
        def work(deadline: float) -> list[Item]:
            deadlines[name] = deadline
            time.sleep(until)
            return []

        return work

    tasks = [task("first", noting("first", 0.1), expected=9), task("second", noting("second"))]
    _, done = run(*tasks, task("later", noting("later"), tier=2), cpus=1)
    assert deadlines["first"] == done["first"].started + 5
    assert deadlines["second"] == deadlines["first"]
    assert deadlines["later"] == done["later"].started + 10
    assert done["second"].started >= done["first"].started + 0.1
    assert 0.1 <= done["first"].seconds <= done["second"].started - done["first"].started


def test_a_tool_may_be_stopped_in_the_grace_and_still_say_what_it_saw() -> None:
    def late(deadline: float) -> list[Item]:
        time.sleep(max(0.0, deadline - time.monotonic()) + 0.1)
        return [Metric("m", 1)]

    _, done = run(task("late", late), deadlines={1: 0.1})
    assert (done["late"].items, done["late"].on_time) == ([Metric("m", 1)], True)
    assert done["late"].seconds >= 0.2


def test_a_crash_is_told_from_where_it_happened() -> None:
    def deep(_deadline: float) -> list[Item]:
        return [Metric("m", int("no number"))]

    _, done = run(task("crash", deep))
    line = deep.__code__.co_firstlineno + 1
    why = "the check crashed: ValueError: invalid literal for int() with base 10: 'no number'"
    assert done["crash"].items == [Gap(f"{why} (test_schedule.py:{line})", Status.ERROR)]
    assert done["crash"].on_time


def test_nothing_to_run_ends_at_once() -> None:
    assert run() == ([], {})
