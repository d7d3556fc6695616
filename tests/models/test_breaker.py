from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.models.breaker import LONGEST_COOLDOWN, Breaker, Pulse, RetryBudget


def test_a_breaker_opens_probes_once_and_closes() -> None:
    breaker = Breaker()
    assert (breaker.state(0), breaker.ready_in(0)) == ("closed", 0)
    breaker.fail(0, "HTTP 500")
    assert (breaker.state(0.4), breaker.ready_in(0.4), breaker.why) == ("open", pytest.approx(0.1), "HTTP 500")
    assert (breaker.state(0.5), breaker.ready_in(0.5)) == ("half-open", 0)
    breaker.ask(0.5)
    assert breaker.ready_in(0.5) > 0  # one probe at a time
    breaker.leave()
    assert breaker.ready_in(0.5) == 0  # it was taken back
    breaker.ask(0.5)
    breaker.succeed()
    assert (breaker.state(0.5), breaker.ready_in(0.5)) == ("closed", 0)


def test_each_failed_probe_doubles_the_wait_up_to_a_minute() -> None:
    breaker, now, waits = Breaker(), 0.0, []
    for _ in range(9):
        breaker.fail(now, "")
        waits.append(breaker.ready_in(now))
        now += waits[-1]
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, LONGEST_COOLDOWN, LONGEST_COOLDOWN]


def test_failures_that_were_under_way_together_count_once() -> None:
    breaker = Breaker()
    for _ in range(100):
        breaker.fail(0, "")
    assert breaker.ready_in(0) == 0.5


@given(st.lists(st.floats(0, 100), min_size=1, max_size=64))
def test_p95_is_the_nearest_rank(seconds: list[float]) -> None:
    pulse = Pulse()
    for each in seconds:
        pulse.add(each)
    p95 = pulse.p95()
    assert p95 in seconds
    assert sum(each <= p95 for each in seconds) >= 0.95 * len(seconds)
    assert sum(each < p95 for each in seconds) < 0.95 * len(seconds)


def test_few_answers_say_less_of_what_is_slow() -> None:
    pulse = Pulse()
    assert pulse.slow() is None
    pulse.add(1.0)
    assert pulse.slow() == 2.0
    for _ in range(10):
        pulse.add(1.0)
    assert pulse.slow() == 1.0


@given(st.lists(st.booleans()))
def test_no_more_than_a_fifth_and_ten_are_asked_again(asks: list[bool]) -> None:
    retries, asked, again = RetryBudget(), 0, 0
    for first in asks:
        if first:
            asked += 1
            retries.earn()
        else:
            again += retries.spend()
    assert again <= 10 + asked / 5 + 1e-6
