"""How many agents work at once on a budget: 1, 2, 4 or 6, whoever they are and in whichever process."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from omni.kernel import clock, events
from omni.kernel.tables import agents_at_work
from omni.models import seats
from omni.models.budget import Budget, agents_of
from omni.models.seats import seat


@pytest.mark.parametrize(
    ("tokens", "agents"),
    [(20_000, 1), (50_000, 1), (50_001, 2), (200_000, 2), (400_000, 4), (1_000_000, 4), (9_000_000, 4), (None, 6)],
)
def test_as_many_agents_as_the_preset_that_holds_the_limit(tokens: int | None, agents: int) -> None:
    assert agents_of(tokens) == agents


def waiting(engine: Engine, run: str) -> list[object]:
    return [each.data for each in events.replay(engine, run) if each.kind == "agent.waiting"]


def second(engine: Engine, run: str, agent: str, order: list[str]) -> threading.Thread:
    """Another agent at the door, until it has been told that it waits."""

    def work() -> None:
        with seat(engine, run, agent):
            order.append(agent)

    thread = threading.Thread(target=work)
    thread.start()
    while not waiting(engine, run):
        time.sleep(0.01)
    return thread


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "POLL", 0.01)


def test_the_second_agent_of_a_small_project_waits_and_is_told(engine: Engine) -> None:
    Budget.open(engine, "r", 50_000)
    order: list[str] = []
    with seat(engine, "r", "one"):
        other = second(engine, "r", "two", order)
        order.append("one")
    other.join()
    assert order == ["one", "two"]
    assert waiting(engine, "r") == [{"agent": "two", "at_work": ["one"]}]
    with engine.connect() as connection:
        assert connection.execute(select(agents_at_work)).all() == []


@pytest.mark.parametrize(("tokens", "most"), [(200_000, 2), (1_000_000, 4), (None, 6)])
def test_others_work_side_by_side_up_to_their_number(engine: Engine, tokens: int | None, most: int) -> None:
    Budget.open(engine, "r", tokens)
    order: list[str] = []
    with ExitStack() as at_work:
        for number in range(most):
            at_work.enter_context(seat(engine, "r", f"agent {number}"))
        assert waiting(engine, "r") == []
        other = second(engine, "r", "one too many", order)
        assert order == []
    other.join()
    assert order == ["one too many"]


def test_children_share_the_seats_of_their_parent(engine: Engine) -> None:
    Budget.open(engine, "parent", 200_000)
    Budget.open(engine, "child", None, parent="parent")
    Budget.open(engine, "small", 10_000, parent="parent")
    order: list[str] = []
    with seat(engine, "parent", "one"), seat(engine, "child", "two"):
        other = second(engine, "small", "three", order)
        assert waiting(engine, "small") == [{"agent": "three", "at_work": ["one", "two"]}]
    other.join()
    with seat(engine, "small", "three"):
        fourth = second(engine, "small", "four", order)  # told anew below; here its own limit holds it
    fourth.join()
    assert order == ["three", "four"]


def test_who_was_killed_finds_its_own_seat_and_others_do_when_it_is_given_up(engine: Engine) -> None:
    Budget.open(engine, "r", 50_000)
    killed = seat(engine, "r", "one")
    killed.__enter__()
    with seat(engine, "r", "one"):  # taken up again: nothing to wait for
        pass
    again = seat(engine, "r", "one")
    again.__enter__()
    with engine.begin() as connection:
        connection.execute(update(agents_at_work).values(expires_at=clock.now() - timedelta(seconds=1)))
    with seat(engine, "r", "two"):
        assert waiting(engine, "r") == []


def test_a_run_without_a_budget_has_as_many_as_it_likes(engine: Engine) -> None:
    with seat(engine, "free", "one"), seat(engine, "free", "two"):
        assert waiting(engine, "free") == []
