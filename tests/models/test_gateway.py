"""The door as the other rooms use it: account, router, account; killed, raced and asked twice."""

from __future__ import annotations

import asyncio
import logging
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from tests.models.places import QUICK, always, catalog, place, question, script

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.kernel.tables import model_calls
from omni.models import ledger
from omni.models.budget import Budget
from omni.models.gateway import open_async_gateway, open_gateway
from omni.models.script import Record, Reply, Rule, serve
from omni.models.wire import Attribution, Chat, Usage, Want

CANARY = "sk-canary-5b1f0c77"


def test_chat_answers_counts_and_prices(settings: Settings, engine: Engine) -> None:
    reply = Reply(text="two words", usage=Usage(prompt=1000, cached=400, completion=500))
    budget, heard = Budget.open(engine, "r", 50_000), list[str]()
    with serve(script(always(reply))) as url:
        home = place("home", url, price_prompt=1.0, price_completion=4.0)
        with open_gateway(settings, engine, catalog(home)) as gateway:
            chat: Chat = gateway.chat
            answer = chat(question(), Want(), Attribution(run="r", stage="s", role="author"), heard.append)
    assert (answer.message.content, answer.usage.cached, answer.provider, answer.model) == (
        "two words",
        400,
        "home",
        "m",
    )
    assert "".join(heard) == "two words"
    assert (budget.state().used, budget.state().reserved) == (1500, 0)
    (row,) = ledger.usage(engine, ("run", "stage", "role", "model"))
    assert (row.key, row.price, row.unpriced) == (("r", "s", "author", "m"), 0.003, 0)
    assert row.gpu_seconds == pytest.approx(answer.seconds)


def test_the_same_call_is_answered_from_the_ledger(settings: Settings, engine: Engine) -> None:
    record, call = Record(), Attribution(run="r", call="turn 1")
    with serve(script(Rule(reply=Reply(text="once"))), record) as url:
        places = catalog(place("home", url))
        with open_gateway(settings, engine, places) as gateway:
            first = gateway.chat(question(), Want(), call)
        with open_gateway(settings, engine, places) as gateway:  # another process, as it were
            assert gateway.chat(question(), Want(), call) == first
    assert record.chats == 1


def test_the_reply_is_in_the_database_before_anybody_sees_it(settings: Settings, engine: Engine) -> None:
    with serve(script(Rule(reply=Reply(text="kept")))) as url:
        with open_gateway(settings, engine, catalog(place("home", url))) as gateway:
            gateway.chat(question(), Want(), Attribution(run="r", call="c"))
        with engine.connect() as connection:
            (row,) = connection.execute(select(model_calls)).mappings()
    assert (row["status"], row["reply"]["message"]["content"]) == ("answered", "kept")


def test_nobody_answers_and_it_is_settled(settings: Settings, engine: Engine) -> None:
    budget = Budget.open(engine, "r", 50_000)
    with (
        serve(script(always(Reply(status=500, text="oops")))) as url,
        open_gateway(settings, engine, catalog(place("home", url)), QUICK) as gateway,
        pytest.raises(OmniError, match="No model can answer: home/m: HTTP 500: oops"),
    ):
        gateway.chat(question(), Want(), Attribution(run="r", call="c"))
    assert (budget.state().used, budget.state().reserved) == (0, 0)


def test_a_bad_name_is_settled_too(settings: Settings, engine: Engine) -> None:
    budget = Budget.open(engine, "r", 50_000)
    with (
        open_gateway(settings, engine, catalog(place("home", "http://127.0.0.1:9/v1"))) as gateway,
        pytest.raises(OmniError, match="gpt is not enabled"),
    ):
        gateway.chat(question(), Want(model="gpt"), Attribution(run="r"))
    assert (budget.state().used, budget.state().reserved) == (0, 0)


def test_the_asker_leaves_and_the_question_is_taken_back(settings: Settings, engine: Engine) -> None:
    budget, record = Budget.open(engine, "r", 50_000), Record()

    async def leave() -> None:
        async with open_async_gateway(settings, engine, catalog(place("home", url))) as gateway:
            asking = asyncio.create_task(gateway.ask(question("x" * 4000), Want(), Attribution(run="r")))
            while not record.chats:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    with serve(script(always(Reply(fault="hang"))), record) as url:
        asyncio.run(leave())
    assert budget.state().reserved == 0
    assert 1000 < budget.state().used < 1100  # the prompt was sent, and may have to be paid


def test_an_asker_that_fails_has_to_pay_too(settings: Settings, engine: Engine) -> None:
    def refuse(piece: str) -> None:
        raise KeyError(piece)

    budget = Budget.open(engine, "r", 50_000)
    with (
        serve(script(always("hello"))) as url,
        open_gateway(settings, engine, catalog(place("home", url))) as gateway,
        pytest.raises(KeyError),
    ):
        gateway.chat(question("x" * 4000), Want(), Attribution(run="r"), refuse)
    assert budget.state().reserved == 0
    assert 1000 < budget.state().used < 1100


@pytest.mark.parametrize("slack", [0, 3_000])
def test_children_side_by_side_keep_the_budget_of_their_parent(settings: Settings, engine: Engine, slack: int) -> None:
    """Each reply takes all that it may, and `slack` more: the server doesn't keep to `max_tokens`."""
    tokens, asks, ends = 12_000, 20, set[str]()
    Budget.open(engine, "parent", tokens, kept=0)
    reply = always(Reply(text="long", usage=Usage(prompt=10, completion=490 + slack), delay=0.02))

    def work(child: int) -> int:
        Budget.open(engine, f"child {child}", None, parent="parent")
        for number in range(asks):
            try:
                gateway.chat(question(max_tokens=490), Want(), Attribution(run=f"child {child}", call=str(number)))
            except OmniError as error:
                ends.add(error.kind.code)
                return number
        return asks

    with (
        serve(script(reply)) as url,
        open_gateway(settings, engine, catalog(place("home", url))) as gateway,
        ThreadPoolExecutor(4) as pool,
    ):
        answered = sum(pool.map(work, range(4)))
    assert ends == {"M002"}
    state = Budget(engine, "parent").state()
    assert (state.paused, state.reserved, state.used) == (True, 0, answered * (500 + slack))
    assert tokens - 500 <= state.used + 11 <= tokens + 11 or slack
    assert state.used <= tokens + 4 * slack


def test_the_gateway_answers_many_threads_at_once(settings: Settings, engine: Engine) -> None:
    calls = [Attribution(run="r", call=str(number)) for number in range(40)]
    with (
        serve(script(always(Reply(text="yes", delay=0.1)))) as url,
        open_gateway(settings, engine, catalog(place("home", url))) as gateway,
        ThreadPoolExecutor(20) as pool,
    ):
        replies = list(pool.map(lambda call: gateway.chat(question(), Want(), call), calls))
    assert [reply.message.content for reply in replies] == ["yes"] * 40


def test_a_key_is_nowhere_but_in_the_request(
    settings: Settings,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A server repeats the key in all that it can say; it is in no log, no error, no reply's notes, no table."""
    monkeypatch.setenv("CANARY_KEY", CANARY)
    caplog.set_level(logging.DEBUG)
    said = f"the key {CANARY} is bad"
    replies = (
        Reply(status=401, text=said),
        Reply(status=500, text=said),
        Reply(status=429, text=said, headers={"X-Key": "seen"}),
        Reply(body=f'{{"error": "{said}"}}'),
        Reply(body=f"data: {CANARY}"),
    )
    record = Record()
    texts: list[str] = []
    for reply in replies:
        with serve(script(always(reply)), record) as bad, serve(script(always("fine"))) as good:
            keyed = place("keyed", bad).model_copy(update={"keys": ("CANARY_KEY",)})
            with open_gateway(settings, engine, catalog(keyed, place("good", good, "community")), QUICK) as gateway:
                texts.append(repr(gateway.chat(question(), Want(), Attribution(run="r"))) + repr(gateway.health()))
            with open_gateway(settings, engine, catalog(keyed), QUICK) as gateway, pytest.raises(OmniError) as caught:
                gateway.chat(question(), Want(), Attribution(run="r"))
            error = caught.value
            texts.append(f"{error!r} {error} {error.where} {error.fix} {error.__cause__!r} {error.__context__!r}")
    with engine.connect() as connection:
        texts += [repr(row) for row in connection.execute(select(model_calls))]
    assert {asked.key for asked in record.asked} == {f"…{CANARY[-4:]}"}  # it did reach the server
    out = capfd.readouterr()
    assert CANARY not in "\n".join([*texts, caplog.text, out.out, out.err])


CHILD = """
import sys
from omni.kernel.database import open_database
from omni.kernel.settings import Settings
from omni.models.gateway import open_gateway
from omni.models.wire import Attribution, Want
from tests.models.places import catalog, place, question
settings, url = Settings.model_validate_json(sys.argv[1]), sys.argv[2]
engine = open_database(settings)
with open_gateway(settings, engine, catalog(place("home", url))) as gateway:
    for number in range(int(sys.argv[3])):
        reply = gateway.chat(question(f"turn {number}", max_tokens=100), Want(), Attribution(run="r", call=str(number)))
        print(number, reply.message.content, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_instant_nothing_is_paid_twice_and_no_budget_exceeded(settings: Settings, engine: Engine) -> None:
    turns, kills, chance = 30, 3, random.Random(11)
    budget, record, stored = Budget.open(engine, "r", 20_000, kept=0), Record(), set[str]()
    rules = [always(Reply(text=f"answer {n}", pace=0.01), regex=f"^turn {n}$") for n in range(turns)]
    with serve(script(*rules), record) as url:
        for round_ in range(kills + 1):
            seen = len(record.asked)
            argv = [sys.executable, "-c", CHILD, settings.model_dump_json(), url, str(turns)]
            child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
            if round_ < kills:
                goal = seen + chance.randint(1, turns // kills)
                while len(record.asked) < goal and child.poll() is None:
                    time.sleep(0.001)
                time.sleep(chance.uniform(0, 0.04))
                child.kill()
            printed = child.communicate(timeout=60)[0].split("\n")[:-1]
            asked = [_turn(request) for request in record.asked[seen:]]
            assert not stored & set(asked)  # what was stored is not asked again
            assert len(asked) == len(set(asked))
            stored = _stored(engine)
            assert {line.partition(" ")[0] for line in printed} <= stored  # stored before it was seen
    assert child.returncode == 0
    assert printed == [f"{number} answer {number}" for number in range(turns)]
    state = budget.state()
    lost = sum(row.wasted for row in ledger.usage(engine, run="r"))
    assert state.reserved == 0
    assert state.used == sum(row.prompt + row.completion + row.wasted for row in ledger.usage(engine, run="r"))
    assert lost <= kills * 120


def _turn(asked: object) -> str:
    request = getattr(asked, "request", None)
    assert isinstance(request, dict)
    messages = request["messages"]
    return str(messages[-1]["content"]).removeprefix("turn ")


def _stored(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.execute(select(model_calls.c.call).where(model_calls.c.reply.is_not(None)))
        return {row.call for row in rows}
