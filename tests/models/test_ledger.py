from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from omni.kernel import clock
from omni.kernel.tables import model_calls
from omni.models import ledger
from omni.models.budget import Budget
from omni.models.ledger import Asked, Cost, UsageRow
from omni.models.wire import Attribution, ChatReply, Message, Usage

REPLY = ChatReply(
    message=Message(role="assistant", content="ja ✓"),
    finish="stop",
    usage=Usage(prompt=100, cached=60, completion=20),
    provider="home",
    model="m",
    fallbacks=("a/b: HTTP 500",),
    seconds=2.0,
    first_token=0.5,
)
CALL = Attribution(run="r", stage="implementation", role="author", project="p", call="turn 1")


def begin(engine: Engine, attribution: Attribution, prompt: int = 100, most: int | None = 50) -> Asked:
    asked = ledger.begin(engine, attribution, prompt, most)
    assert isinstance(asked, Asked)
    return asked


def test_a_named_call_is_answered_once_and_its_reply_is_kept(engine: Engine) -> None:
    ledger.answered(engine, begin(engine, CALL), REPLY, Cost(), keep=True)
    assert ledger.begin(engine, CALL, 100, 50) == REPLY
    assert isinstance(ledger.begin(engine, CALL.model_copy(update={"call": "turn 2"}), 100, 50), Asked)
    assert isinstance(ledger.begin(engine, CALL.model_copy(update={"run": "s"}), 100, 50), Asked)


def test_a_call_that_failed_is_asked_again(engine: Engine) -> None:
    ledger.failed(engine, begin(engine, CALL), "nobody", 0)
    assert isinstance(ledger.begin(engine, CALL, 100, 50), Asked)


def test_a_nameless_call_is_counted_and_its_reply_is_not_kept(engine: Engine) -> None:
    nameless = CALL.model_copy(update={"call": ""})
    ledger.answered(engine, begin(engine, nameless), REPLY, Cost(), keep=False)
    assert isinstance(ledger.begin(engine, nameless, 100, 50), Asked)
    assert ledger.usage(engine)[0].calls == 1


def test_who_asks_again_by_the_same_name_settles_the_call_that_died(engine: Engine) -> None:
    budget = Budget.open(engine, "r", 1_000, kept=0)
    begin(engine, CALL)
    again = begin(engine, CALL)
    assert (budget.state().used, budget.state().reserved) == (150, 150)
    ledger.answered(engine, again, REPLY, Cost(), keep=True)
    assert (budget.state().used, budget.state().reserved) == (270, 0)


def test_a_call_that_nobody_renews_is_settled_at_what_it_reserved(engine: Engine) -> None:
    budget = Budget.open(engine, "r", 1_000, kept=0)
    alive, dead = begin(engine, Attribution(run="r")), begin(engine, Attribution(run="r"))
    with engine.begin() as connection:
        connection.execute(update(model_calls).values(expires_at=clock.now() - timedelta(seconds=1)))
    ledger.renew(engine, [alive.id])
    ledger.settle_lost(engine)
    assert (budget.state().used, budget.state().reserved) == (150, 150)
    ledger.answered(engine, dead, REPLY, Cost(), keep=False)  # it had only slept
    assert (budget.state().used, budget.state().reserved) == (120, 150)


@pytest.mark.parametrize("by", [("run",), ("project",), ("stage",), ("role",), ("model",), ("provider",)])
def test_usage_adds_up_whatever_it_is_sorted_by(engine: Engine, by: tuple[ledger.By, ...]) -> None:
    for number in range(6):
        attribution = Attribution(
            run=f"r{number % 2}", project="p", stage=f"s{number % 3}", role=f"a{number % 2}", call=str(number)
        )
        model = REPLY.model_copy(update={"model": f"m{number % 2}", "provider": f"p{number % 3}"})
        cost = Cost(wasted=7, gpu_seconds=2.0, price=0.25 if number else None)
        ledger.answered(engine, begin(engine, attribution), model, cost, keep=True)
    rows = ledger.usage(engine, by)
    assert sum(row.calls for row in rows) == 6
    assert sum(row.prompt for row in rows) == 600
    assert sum(row.cached for row in rows) == 360
    assert sum(row.completion for row in rows) == 120
    assert sum(row.wasted for row in rows) == 42
    assert sum(row.gpu_seconds for row in rows) == pytest.approx(12.0)
    assert sum(row.price for row in rows) == pytest.approx(1.25)
    assert sum(row.unpriced for row in rows) == 1


def test_usage_of_a_run_by_stage_and_role(engine: Engine) -> None:
    ledger.answered(engine, begin(engine, CALL), REPLY, Cost(gpu_seconds=2.0, price=0.5), keep=True)
    ledger.failed(engine, begin(engine, Attribution(run="r", stage="review")), "nobody", 9)
    ledger.answered(engine, begin(engine, Attribution(run="other")), REPLY, Cost(), keep=False)
    begin(engine, Attribution(run="r"))  # is being answered
    assert ledger.usage(engine, ("stage", "role"), run="r") == [
        UsageRow(
            key=("implementation", "author"),
            calls=1,
            prompt=100,
            cached=60,
            completion=20,
            wasted=0,
            gpu_seconds=2.0,
            price=0.5,
            unpriced=0,
        ),
        UsageRow(
            key=("review", ""),
            calls=1,
            prompt=0,
            cached=0,
            completion=0,
            wasted=9,
            gpu_seconds=0.0,
            price=0.0,
            unpriced=0,
        ),
    ]
    assert ledger.usage(engine, since=clock.now() + timedelta(seconds=1)) == []
    assert len(ledger.usage(engine, ("run",), project="p")) == 1
