"""The router, over real connections to scripted servers."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

import pytest
from tests.models.places import HEDGING, NOWHERE, QUICK, always, catalog, place, question, routing, script

from omni.kernel.errors import OmniError
from omni.models.client import Pace
from omni.models.router import Routed, Router
from omni.models.script import Record, Reply, Rule, serve
from omni.models.wire import Message, ToolCall, Want

FINE = script(always(Reply(text="here you are")))


def test_an_answer_says_who_gave_it_and_what_it_took() -> None:
    with serve(FINE) as url:
        (routed,) = routing((place("home", url, price_prompt=1.0, price_completion=2.0),))
    assert routed.answer.message == Message(role="assistant", content="here you are")
    assert (routed.provider, routed.model, routed.local, routed.prices) == ("home", "m", True, (1.0, 2.0))
    assert (routed.answer.finish, routed.answer.estimated, routed.fallbacks, routed.wasted) == ("stop", False, (), 0)
    assert 0 < routed.answer.first_piece <= routed.answer.seconds


def test_tool_calls_arrive_whole() -> None:
    reply = Reply.model_validate(
        {"text": "Let me see.", "tool_calls": [{"name": "read", "arguments": {"path": "a.py"}}]}
    )
    with serve(script(always(reply))) as url:
        (routed,) = routing((place("home", url),))
    call = ToolCall(id="call_1_1", name="read", arguments='{"path": "a.py"}')
    assert routed.answer.message.content == "Let me see."
    assert [(each.name, each.arguments) for each in routed.answer.message.tool_calls] == [(call.name, call.arguments)]
    assert routed.answer.finish == "tool_calls"


@pytest.mark.parametrize(
    ("fault", "note"),
    [
        (Reply(status=500, text="oops"), "first/m: HTTP 500: oops"),
        (Reply(status=503, text="busy"), "first/m: HTTP 503: busy"),
        (Reply(status=400, text="no such field"), "first/m: HTTP 400: no such field"),
        (Reply(status=404, text="no such model"), "first/m: HTTP 404: no such model"),
        (Reply(status=429, text="slow down"), "first/m: HTTP 429: slow down"),
        (Reply(status=401, text="who are you"), "first/m: HTTP 401: who are you"),
        (Reply(fault="cut"), "first/m: the connection broke: Server disconnected without sending a response."),
        (Reply(text="a b c", fault="cut", after=2), "first/m: the connection broke: peer closed connection without"),
        (Reply(fault="garbage"), "first/m: the connection broke: "),
        (Reply(body="<html>hello</html>"), "first/m: what it sends is no JSON"),
        (Reply(fault="hang"), "first/m: slow: nothing for "),
        (Reply(text="a b c", fault="hang", after=2), "first/m: silent for 1 s in mid-stream"),
    ],
)
def test_another_one_answers_when_the_first_does_not_and_it_is_said(fault: Reply, note: str) -> None:
    pace = HEDGING if fault == Reply(fault="hang") else QUICK
    with serve(script(always(fault))) as bad, serve(FINE) as good:
        (routed,) = routing((place("first", bad), place("second", good, "community")), pace=pace)
    assert (routed.provider, routed.answer.message.content) == ("second", "here you are")
    assert len(routed.fallbacks) == 1
    assert routed.fallbacks[0].startswith(note)


def test_nobody_listens_and_the_next_is_asked() -> None:
    with serve(FINE) as good:
        first, second = routing((place("first", NOWHERE), place("second", good, "community")), times=2)
    assert (first.provider, second.provider) == ("second", "second")
    assert second.fallbacks == first.fallbacks  # it rests, and that is said too
    assert "first/m: All connection attempts failed" in first.fallbacks[0]


def test_who_hangs_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni.models.breaker.FIRST_COOLDOWN", 60.0)
    record = Record()
    with serve(script(always(Reply(fault="hang"))), record) as bad, serve(FINE) as good:
        routed = routing((place("first", bad), place("second", good, "community")), times=4, pace=HEDGING)
    assert [each.provider for each in routed] == ["second"] * 4
    assert record.chats == 1
    assert routed[0].wasted > 0  # it was asked in vain
    assert [each.wasted for each in routed[1:]] == [0, 0, 0]


def test_who_is_usually_fast_is_hedged_after_its_own_p95() -> None:
    rules = Rule(reply=Reply(text="fine"), times=10), always(Reply(fault="hang"))
    pace = HEDGING.model_copy(update={"unmeasured": 60.0})
    with serve(script(*rules)) as bad, serve(FINE) as good:
        routed = routing((place("first", bad), place("second", good, "community")), times=11, pace=pace)
    assert [each.provider for each in routed] == ["first"] * 10 + ["second"]
    assert routed[10].fallbacks[0].startswith("first/m: slow: nothing for ")


def test_who_is_slow_but_answers_first_wins() -> None:
    slow = script(always(Reply(text="slow but sure", delay=0.6)))
    with serve(slow) as first, serve(script(always(Reply(fault="hang")))) as second:
        (routed,) = routing((place("first", first), place("second", second)), pace=HEDGING)
    assert (routed.provider, routed.fallbacks) == ("first", ())
    assert routed.wasted > 0


def test_pieces_of_one_answer_only_are_passed_on() -> None:
    heard: list[str] = []
    rules = Rule(reply=Reply(pieces=("lost ", "words "), fault="cut", after=2)), always(Reply(pieces=("new ", "words")))
    with serve(script(*rules)) as url:
        routing(
            (place("a", url), place("b", url)), on_text=heard.append, on_restart=lambda: heard.append("<begin anew>")
        )
    assert heard == ["lost ", "words ", "<begin anew>", "new ", "words"]


def test_a_fault_of_the_asker_ends_the_question() -> None:
    def refuse(piece: str) -> None:
        raise KeyError(piece)

    with serve(FINE) as url, pytest.raises(KeyError):
        routing((place("home", url), place("other", url)), on_text=refuse)


def test_a_named_model_is_not_replaced_in_silence() -> None:
    want = Want(model="outside", capability="balanced")
    with serve(script(always(Reply(status=500, text="oops")))) as bad, serve(FINE) as good:
        (routed,) = routing((place("home", good), place("outside", bad, "aggregator", id="big")), want=want)
    assert (routed.provider, routed.fallbacks) == ("home", ("outside/big: HTTP 500: oops",))


def test_a_named_model_that_can_not_answer_is_not_replaced_in_silence() -> None:
    want = Want(model="small", tools=True)
    with serve(FINE) as url:
        (routed,) = routing((place("home", url), place("other", url, id="small", tools=False)), want=want)
    assert (routed.provider, routed.fallbacks) == ("home", ("other/small: it calls no tools",))


def test_a_named_model_is_not_hedged_by_another_one() -> None:
    want, record = Want(model="slow"), Record()
    with serve(script(always(Reply(text="at last", delay=0.6)))) as slow, serve(FINE, record) as fast:
        (routed,) = routing((place("home", fast), place("other", slow, id="slow")), want=want, pace=HEDGING)
    assert (routed.model, routed.fallbacks, record.chats) == ("slow", (), 0)


def test_a_less_able_model_stands_in_with_a_note() -> None:
    with serve(FINE) as url:
        (routed,) = routing((place("home", url, capability="fast"),), want=Want(capability="heavy"))
    assert routed.fallbacks == ("heavy: no enabled model of this capability answers",)


def test_a_model_that_is_not_enabled_is_an_error() -> None:
    with pytest.raises(OmniError, match="There is no such model: gpt is not enabled"):
        routing((place("home", NOWHERE),), want=Want(model="gpt"))


@pytest.mark.parametrize(
    ("rules", "want", "error"),
    [
        (
            (),
            Want(not_models=("m",)),
            "No model can answer: a/m: it must not answer this; b/m: it must not answer this",
        ),
        ((always(Reply(status=400, text="no")),), Want(), "No model can answer: a/m: HTTP 400: no; b/m: HTTP 400: no"),
        (
            (always(Reply(body="{}{")),),
            Want(),
            "The answer of a model can't be used: a/m: what it sends is no JSON; b/m: what it sends is no JSON",
        ),
    ],
)
def test_when_nobody_answers_everybodys_reason_is_told(rules: tuple[Rule, ...], want: Want, error: str) -> None:
    with serve(script(*rules)) as url, pytest.raises(OmniError) as caught:
        routing((place("a", url), place("b", url)), want=want)
    assert str(caught.value) == error


def test_nothing_enabled_is_said_so() -> None:
    with pytest.raises(OmniError, match="No model can answer: none is enabled"):
        routing(())


def test_an_endpoint_that_comes_back_is_waited_for() -> None:
    rules = Rule(reply=Reply(status=503)), always("back again")
    with serve(script(*rules)) as url:
        (routed,) = routing((place("home", url),), pace=QUICK.model_copy(update={"patience": 5.0}))
    assert routed.answer.message.content == "back again"


def test_a_limit_moves_on_to_the_next_key_of_the_same_endpoint() -> None:
    limited = Reply(status=429, headers={"Retry-After": "60"})
    rules = always(limited, key="one"), always("with the second key", key="two")
    home = place("home", "", "high-speed")
    record = Record()
    with serve(script(*rules), record) as url:
        home = home.model_copy(update={"base_url": url, "keys": ("FIRST", "SECOND")})
        first, second = routing((home,), times=2, keys={"FIRST": "one", "SECOND": "two"})
    assert first.answer.message.content == second.answer.message.content == "with the second key"
    assert record.chats == 3  # the first key rests


@pytest.mark.parametrize("keys", [{"SECOND": "two"}, {"FIRST": "wrong", "SECOND": "two"}])
def test_a_key_that_is_missing_or_refused_is_passed_over(keys: dict[str, str]) -> None:
    rules = always(Reply(status=401, text="bad key"), key="wrong"), always("let in", key="two")
    with serve(script(*rules)) as url:
        home = place("home", url).model_copy(update={"keys": ("FIRST", "SECOND")})
        (routed,) = routing((home,), keys=keys)
    assert routed.answer.message.content == "let in"


def test_a_question_waits_in_line_when_all_are_at_their_limit() -> None:
    rules = Rule(reply=Reply(status=429, headers={"Retry-After": "0.3"})), always("in its turn")
    with serve(script(*rules)) as url:
        began = time.monotonic()
        (routed,) = routing((place("home", url),))
        waited = time.monotonic() - began
    assert routed.answer.message.content == "in its turn"
    assert waited >= 0.3


def test_a_limit_that_lasts_longer_than_the_line_is_an_error() -> None:
    with serve(script(always(Reply(status=429, headers={"Retry-After": "3600"})))) as url:  # noqa: SIM117
        with pytest.raises(OmniError, match="No model can answer: home/m: HTTP 429"):
            routing((place("home", url),))


def test_equal_endpoints_share_the_load() -> None:
    records = [Record() for _ in range(3)]
    with ExitStack() as stack:
        slow = script(always(Reply(text="done", delay=0.2)))
        urls = [stack.enter_context(serve(slow, record)) for record in records]
        places = tuple(place(f"p{number}", url) for number, url in enumerate(urls))
        routing(places, times=12, at_once=True)
    assert [record.chats for record in records] == [4, 4, 4]


def test_what_is_down_is_not_stormed() -> None:
    records = [Record() for _ in range(3)]

    async def storm() -> list[object]:
        router = Router(catalog(*places), lambda _: None, pace=pace)
        asks = [await asyncio.gather(router.ask(question(), Want()), return_exceptions=True) for _ in range(100)]
        await router.close()
        return [result for (result,) in asks]

    pace = QUICK.model_copy(update={"patience": 0.6})
    with ExitStack() as stack:
        bad = script(always(Reply(status=500)))
        urls = [stack.enter_context(serve(bad, record)) for record in records]
        places = tuple(place(f"p{number}", url) for number, url in enumerate(urls))
        results = asyncio.run(storm())
    assert all(isinstance(result, OmniError) for result in results)
    assert sum(record.chats for record in records) <= 3 + 10 + 20  # each once, then the budget of repetitions


def test_offline_nobody_outside_is_asked() -> None:
    async def ask() -> None:
        router = Router(catalog(place("lan", "http://192.0.2.1/v1")), lambda _: None, offline=True)
        try:
            await router.ask(question(), Want())
        finally:
            await router.close()

    with pytest.raises(OmniError, match="lan/m: Omni is told to stay offline"):
        asyncio.run(ask())


def test_a_place_gives_no_more_than_its_tokens_of_a_day() -> None:
    async def ask() -> list[str]:
        router = Router(catalog(*places), lambda _: None, pace=QUICK, spent_today={"free": 990})
        asked = [(await router.ask(question(), Want())).provider for _ in range(3)]
        await router.close()
        return asked

    with serve(FINE) as url:
        free = place("free", url).model_copy(update={"daily_tokens": 1000})
        places = (free, place("paid", url, "aggregator"))
        assert asyncio.run(ask()) == ["free", "paid", "paid"]


def test_the_order_and_the_health_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni.models.breaker.FIRST_COOLDOWN", 60.0)

    async def look() -> tuple[list[tuple[str, int, str]], list[tuple[str, str, str]]]:
        router = Router(catalog(*places), lambda _: None, pace=QUICK)
        await router.ask(question(), Want(tools=True))
        order = router.order(question(), Want(tools=True))
        health = router.health()
        await router.close()
        return (
            [(each.endpoint, each.place, each.why) for each in order],
            [(each.endpoint, each.state, each.why) for each in health],
        )

    with serve(FINE) as good, serve(script(always(Reply(status=500, text="oops")))) as bad:
        places = (place("bad", bad), place("good", good, "community"), place("plain", good, tools=False))
        order, health = asyncio.run(look())
    assert order == [("bad/m", 1, "HTTP 500: oops"), ("good/m", 2, ""), ("plain/m", 0, "it calls no tools")]
    assert health == [("bad/m", "open", "HTTP 500: oops"), ("good/m", "closed", ""), ("plain/m", "closed", "")]


def test_a_reply_without_an_end_is_cut() -> None:
    async def ask() -> Routed:
        router = Router(catalog(place("chatty", url)), lambda _: None, pace=QUICK)
        try:
            return await router.ask(question(max_tokens=50), Want())
        finally:
            await router.close()

    with serve(script(always(Reply(pieces=("x" * 40,) * 10_000)))) as url:
        routed = asyncio.run(ask())
    assert (routed.answer.finish, routed.answer.estimated) == ("length", True)
    assert 100 < routed.answer.usage.completion <= 120


def test_a_reply_is_made_to_fit_into_the_context() -> None:
    record = Record()

    async def ask() -> None:
        router = Router(catalog(place("small", url, context=1000)), lambda _: None, pace=Pace())
        await router.ask(question("x" * 400, max_tokens=5000), Want())
        await router.close()

    with serve(FINE, record) as url:
        asyncio.run(ask())
    request = record.asked[0].request
    assert isinstance(request, dict)
    assert isinstance(request["max_tokens"], int)
    assert 800 < request["max_tokens"] < 900
