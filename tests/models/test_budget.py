from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, update

from omni.kernel import clock, events
from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.ids import uuid7
from omni.kernel.settings import Settings
from omni.kernel.tables import model_calls
from omni.models import ledger
from omni.models.budget import PRESETS, Budget, BudgetState, budget_of
from omni.models.ledger import Asked, Cost
from omni.models.wire import Attribution, ChatReply, Message, Usage


def reply(prompt: int, completion: int) -> ChatReply:
    message = Message(role="assistant", content="ok")
    usage = Usage(prompt=prompt, completion=completion)
    return ChatReply(message=message, finish="stop", usage=usage, provider="p", model="m")


def ask(engine: Engine, run: str, prompt: int, most: int | None, stage: str = "implementation") -> Asked:
    asked = ledger.begin(engine, Attribution(run=run, stage=stage), prompt, most)
    assert isinstance(asked, Asked)
    return asked


def use(engine: Engine, run: str, tokens: int, stage: str = "implementation") -> None:
    """A call that takes all it reserved."""
    asked = ask(engine, run, tokens // 2, tokens - tokens // 2, stage)
    ledger.answered(engine, asked, reply(tokens // 2, tokens - tokens // 2), Cost(), keep=False)


def told(engine: Engine, run: str) -> list[tuple[str, object]]:
    return [(each.kind, each.data.get("percent", each.data.get("to"))) for each in events.replay(engine, run)]


def test_the_presets_are_those_of_the_requirements() -> None:
    assert {name: (preset.tokens, preset.agents) for name, preset in PRESETS.items()} == {
        "simple": (50_000, 1),
        "medium": (200_000, 2),
        "complex": (1_000_000, 4),
        "unlimited": (None, 6),
    }


def test_a_run_is_told_at_50_75_and_90_and_pauses_at_100_until_it_is_raised(engine: Engine) -> None:
    budget = Budget.open(engine, "r", 10_000, kept=0)
    for tokens in (4_900, 200, 2_500, 1_500, 900):
        use(engine, "r", tokens)
    alerts = [("budget.alert", 50), ("budget.alert", 75), ("budget.alert", 90), ("budget.paused", 100)]
    assert told(engine, "r") == alerts
    with pytest.raises(OmniError, match="The budget is used up: 0 tokens are left, the next call takes 400") as caught:
        ask(engine, "r", 200, 200)
    assert (caught.value.kind.code, caught.value.where) == ("M002", "r")
    assert told(engine, "r") == alerts  # the pause is told once
    assert budget.raise_to(30_000, "ada") == BudgetState(
        run="r", parent="", tokens=30_000, kept=0, used=10_000, reserved=0, paused=False
    )
    use(engine, "r", 5_000)
    assert told(engine, "r")[4:] == [("budget.raised", 30_000), ("budget.alert", 50)]


def test_a_call_that_no_longer_fits_pauses_the_run(engine: Engine) -> None:
    budget = Budget.open(engine, "r", 1_000, kept=0)
    use(engine, "r", 800)
    with pytest.raises(OmniError, match="200 tokens are left, the next call takes 356"):
        ask(engine, "r", 100, 5_000)
    assert budget.state().paused
    assert told(engine, "r")[-1] == ("budget.paused", 100)


def test_a_reply_is_cut_to_what_is_left(engine: Engine) -> None:
    Budget.open(engine, "r", 1_000, kept=0)
    assert ask(engine, "r", 100, 5_000).most == 900


def test_packaging_may_use_what_is_kept(engine: Engine) -> None:
    budget = Budget.open(engine, "r", 100_000)
    use(engine, "r", 95_000)
    assert (budget.state().paused, budget.state().percent) == (True, 100)
    with pytest.raises(OmniError):
        ask(engine, "r", 100, 300)
    use(engine, "r", 5_000, "package")
    with pytest.raises(OmniError):
        ask(engine, "r", 100, 300, "package")
    assert budget.state().used == 100_000


def test_children_share_what_is_left_and_keep_to_their_own(engine: Engine) -> None:
    Budget.open(engine, "parent", 10_000, kept=0)
    Budget.open(engine, "child", 3_000, parent="parent")
    Budget.open(engine, "other", None, parent="parent")
    use(engine, "child", 3_000)
    with pytest.raises(OmniError) as caught:
        ask(engine, "child", 100, 300)
    assert caught.value.where == "child"
    use(engine, "other", 7_000)
    with pytest.raises(OmniError) as caught:
        ask(engine, "other", 100, 300)
    assert caught.value.where == "parent"
    states = {run: budget_of(engine, run) for run in ("parent", "child", "other")}
    assert {run: state.used for run, state in states.items() if state} == {
        "parent": 10_000,
        "child": 3_000,
        "other": 7_000,
    }


def test_a_call_waits_for_what_others_hold(engine: Engine) -> None:
    Budget.open(engine, "r", 10_000, kept=0)
    held = ask(engine, "r", 1_000, 5_000)
    assert ledger.begin(engine, Attribution(run="r"), 1_000, 5_000) is None
    ledger.answered(engine, held, reply(1_000, 100), Cost(), keep=False)
    assert ask(engine, "r", 1_000, 5_000).most == 5_000


def test_a_run_without_a_budget_is_written_down_and_not_limited(engine: Engine) -> None:
    assert ask(engine, "free", 10, None).most is None
    assert budget_of(engine, "free") is None


def test_an_unlimited_budget_counts(engine: Engine) -> None:
    budget = Budget.open(engine, "r", None)
    use(engine, "r", 5_000_000)
    assert (budget.state().used, budget.state().percent, budget.state().paused) == (5_000_000, 0, False)


def test_opening_again_finds_it_as_it_is(engine: Engine) -> None:
    Budget.open(engine, "r", 1_000)
    use(engine, "r", 500)
    assert Budget.open(engine, "r", 9_999).state().tokens == 1_000


@pytest.mark.parametrize(
    ("run", "tokens", "parent", "kept"),
    [("", 10, "", 0), ("r", 10, "r", 0), ("r", 10, "nobody", 0), ("r", 10, "", 10), ("r", 0, "", 0), ("r", 10, "", -1)],
)
def test_what_can_not_be_a_budget_is_refused(engine: Engine, run: str, tokens: int, parent: str, kept: int) -> None:
    with pytest.raises(OmniError, match="This can't be the budget of a run"):
        Budget.open(engine, run, tokens, parent, kept)


def test_a_budget_is_not_raised_to_less_than_is_used(engine: Engine) -> None:
    budget = Budget.open(engine, "r", 1_000, kept=0)
    use(engine, "r", 800)
    with pytest.raises(OmniError, match="800 tokens are not more than the 800 used"):
        budget.raise_to(800, "ada")
    with pytest.raises(OmniError, match="it has none"):
        Budget(engine, "nobody").raise_to(1, "ada")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home: Path = tmp_path_factory.mktemp("budgets")
    opened = open_database(Settings(home=home, database_url=f"sqlite:///{home / 'omni.db'}"))
    yield opened
    opened.dispose()


RUNS = ("root", "child", "other", "grandchild")
ASKS = st.tuples(st.just("ask"), st.sampled_from(RUNS), st.integers(0, 300), st.none() | st.integers(1, 300))
ENDS = st.tuples(st.sampled_from(["answer", "fail", "die", "late"]), st.integers(0, 9), st.integers(0, 100))
STEPS = st.one_of(ASKS, ASKS, ENDS, ENDS, st.tuples(st.just("raise"), st.integers(1, 2_000)))


@settings(max_examples=25, deadline=None)
@given(st.integers(300, 5_000), st.integers(300, 3_000), st.lists(STEPS, min_size=4, max_size=24))
def test_no_budget_is_exceeded_whatever_happens(
    database: Engine, tokens: int, of_child: int, steps: list[tuple[object, ...]]
) -> None:
    """Every reply keeps to its `max_tokens`: then no budget of the tree is exceeded, and all counts agree."""
    name = uuid7()
    root = Budget.open(database, f"{name} root", tokens)
    Budget.open(database, f"{name} child", of_child, parent=root.run, kept=0)
    Budget.open(database, f"{name} other", None, parent=root.run)
    Budget.open(database, f"{name} grandchild", None, parent=f"{name} child")
    open_calls: list[tuple[Asked, int]] = []
    for step in steps:
        match step:
            case ("ask", str(run), int(prompt), most):
                attribution = Attribution(run=f"{name} {run}")
                try:
                    asked = ledger.begin(database, attribution, prompt, most if isinstance(most, int) else None)
                except OmniError:
                    continue
                if isinstance(asked, Asked):
                    open_calls.append((asked, prompt))
            case ("raise", int(more)):
                root.raise_to((root.state().tokens or 0) + more, "ada")
            case (str(what), int(which), int(share)) if open_calls:
                asked, prompt = open_calls.pop(which % len(open_calls))
                end(database, what, asked, prompt, share)
                continue
        held_within(root)
    check(database, name)


def end(database: Engine, what: str, asked: Asked, prompt: int, share: int) -> None:
    """A call ends: with a part of the reply that it may have, with nothing, with its process, or after it was lost."""
    assert asked.most is not None
    if what in ("die", "late"):
        past = clock.now() - timedelta(seconds=1)
        with database.begin() as connection:
            connection.execute(update(model_calls).where(model_calls.c.id == asked.id).values(expires_at=past))
        ledger.settle_lost(database)
    if what in ("answer", "late"):
        ledger.answered(database, asked, reply(prompt, asked.most * share // 100), Cost(), keep=False)
    if what == "fail":
        ledger.failed(database, asked, "no", prompt)


def held_within(budget: Budget) -> None:
    state = budget.state()
    assert state.tokens is not None
    assert state.used + state.reserved <= state.tokens - state.kept


def check(database: Engine, name: str) -> None:
    states = {run: budget_of(database, f"{name} {run}") for run in RUNS}
    total = model_calls.c.prompt_tokens + model_calls.c.completion_tokens + model_calls.c.wasted_tokens
    families = {"root": RUNS, "child": ("child", "grandchild"), "other": ("other",), "grandchild": ("grandchild",)}
    for run, family in families.items():
        state = states[run]
        assert state is not None
        own = model_calls.c.run_id.in_([f"{name} {each}" for each in family])
        with database.connect() as connection:
            used = connection.scalar(select(func.coalesce(func.sum(total), 0)).where(own))
            held = select(func.coalesce(func.sum(model_calls.c.reserved), 0))
            reserved = connection.scalar(held.where(own, model_calls.c.status == "asked"))
        assert (state.used, state.reserved) == (used, reserved)
        assert state.tokens is None or state.used + state.reserved <= state.tokens - state.kept
