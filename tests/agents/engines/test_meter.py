"""The meter between engines and the endpoint, asked over HTTP as engines ask it."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from omni.agents.engines import meter as module
from omni.agents.engines.contract import EngineTask
from omni.agents.engines.meter import Meter, metered
from omni.agents.workspace import AgentWorkspace
from omni.models.script import Call, Record, Reply, Rule, Script, serve
from omni.models.wire import ToolCall, Usage

HELLO = {"model": "whatever", "messages": [{"role": "user", "content": "hello"}]}


@contextmanager
def _meter(script: Script, record: Record, budget: int | None = None) -> Iterator[tuple[Meter, httpx.Client]]:
    with serve(script, record) as url:
        task = EngineTask(AgentWorkspace(Path()), "", url, "one", key=SecretStr("canary-key"), budget=budget)
        meter = Meter(task, threading.Event())
        with metered(meter) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            yield meter, http


def _ask(http: httpx.Client, **more: object) -> httpx.Response:
    return http.post("/v1/chat/completions", json={**HELLO, **more}, headers={"Authorization": "Bearer guest"})


def _script(*replies: Reply) -> Script:
    return Script(rules=tuple(Rule(reply=reply) for reply in replies))


def test_a_reply_passes_and_is_counted() -> None:
    usage = Usage(prompt=70, cached=50, completion=30)
    called = Reply(text="I look.", tool_calls=(Call(name="bash", arguments={"command": "ls"}, id="c1"),), usage=usage)
    record = Record()
    with _meter(_script(called, Reply(text="Good day.", usage=usage)), record) as (meter, http):
        whole = _ask(http)
        streamed = _ask(http, stream=True, stream_options={"include_usage": False})
    assert whole.json()["choices"][0]["message"]["content"] == "I look."
    assert streamed.headers["content-type"] == "text/event-stream"
    assert "".join(_pieces(streamed.text)) == "Good day."
    assert [(turn.asked, turn.said, turn.calls, turn.status, turn.usage) for turn in meter.turns] == [
        ("hello", "I look.", (ToolCall(id="c1", name="bash", arguments='{"command": "ls"}'),), 200, usage),
        ("hello", "Good day.", (), 200, usage),
    ]
    assert meter.usage == Usage(prompt=140, cached=100, completion=60)
    assert [(asked.key, asked.request["model"]) for asked in record.asked] == [("…-key", "one")] * 2  # type: ignore[index]
    assert (meter.ended, meter.stop.is_set()) == (None, False)


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                yield choice["delta"].get("content") or ""


def test_where_the_endpoint_does_not_say_the_usage_it_is_estimated() -> None:
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": "x" * 40}, "finish_reason": "stop"}]})
    with _meter(_script(Reply(body=body)), Record()) as (meter, http):
        _ask(http)
    (turn,) = meter.turns
    assert (turn.estimated, turn.usage.completion) == (True, 10)
    assert 10 < turn.usage.prompt < 30


@pytest.mark.parametrize("at_once", [1, 8])
def test_a_budget_is_exceeded_by_one_reply_at_most(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    reply = Reply(text="word", usage=Usage(prompt=60, completion=40), delay=0.05)
    record = Record()
    with _meter(Script(rules=(Rule(times=0, reply=reply),)), record, budget=250) as (meter, http):
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda: answers.extend(_ask(http).status_code for _ in range(8 // at_once)))
            for _ in range(at_once)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200] * 3 + [402] * 5
        assert (meter.ended, meter.why) == ("budget", "300 of 250 tokens are used")
        assert meter.stop.wait(10)
    assert len(record.asked) == 3


@pytest.mark.parametrize(
    "reply", [Reply(status=402, text="no more budget"), Reply(status=429, text="The budget is used up")]
)
def test_a_budget_that_the_endpoint_keeps_ends_it_too(reply: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with _meter(_script(reply), Record()) as (meter, http):
        answer = _ask(http)
        assert meter.stop.wait(10)
    assert (answer.status_code, answer.json()["error"]["message"]) == (reply.status, reply.text)
    assert (meter.ended, meter.why, meter.usage.total) == ("budget", reply.text, 0)


def test_a_rate_limit_is_the_engines_own_business() -> None:
    limited = Reply(status=429, text="slow down", headers={"Retry-After": "3"})
    with _meter(_script(limited), Record()) as (meter, http):
        answer = _ask(http)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert meter.ended is None


def test_an_endpoint_that_comes_back_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 60)
    with _meter(_script(Reply(fault="cut"), Reply(text="here again")), Record()) as (meter, http):
        away = _ask(http)
        assert (away.status_code, meter.ended) == (502, "endpoint")
        assert _ask(http).status_code == 200
        assert (meter.ended, meter.why, meter.stop.is_set()) == (None, "", False)


def test_models_that_all_fail_end_it_as_an_absent_endpoint_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with _meter(_script(Reply(status=503, text="No model can answer")), Record()) as (meter, http):
        assert _ask(http).status_code == 503
        assert meter.stop.wait(10)
    assert (meter.ended, meter.why) == ("endpoint", "No model can answer")


def test_an_endpoint_that_stays_away_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with _meter(_script(Reply(fault="garbage")), Record()) as (meter, http):
        assert _ask(http).status_code == 502
        assert meter.stop.wait(10)
    assert meter.ended == "endpoint"


def test_a_stream_that_is_cut_ends_for_the_engine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 60)
    cut = Reply(text="one two three", fault="cut", after=2)
    with _meter(_script(cut), Record()) as (meter, http):
        answer = _ask(http, stream=True)
    assert answer.status_code == 200
    assert "DONE" not in answer.text
    assert meter.ended == "endpoint"


def test_only_chat_is_let_through() -> None:
    with _meter(Script(), Record()) as (meter, http):
        models = http.get("/v1/models").json()
        answers = [
            http.post("/v1/embeddings", json={}),
            http.get("/v1/files"),
            http.post("/v1/chat/completions", content=b"{"),
            http.post("/v1/chat/completions", content=b"[]"),
            http.put("/v1/models"),
        ]
    assert [model["id"] for model in models["data"]] == ["one"]
    assert [answer.status_code for answer in answers] == [404, 404, 400, 400, 501]
    assert meter.turns == []


def test_a_request_that_is_too_large_is_not_even_read() -> None:
    with _meter(Script(), Record()) as (_, http), socket.socket() as connection:
        connection.settimeout(10)
        connection.connect(("127.0.0.1", http.base_url.port or 0))
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 413 ")


def test_an_engine_that_hangs_up_is_nothing_to_tell(capfd: pytest.CaptureFixture[str]) -> None:
    record = Record()
    with _meter(_script(Reply(text="word " * 50, pace=0.02)), record) as (meter, http):
        with socket.create_connection(("127.0.0.1", http.base_url.port or 0), timeout=10) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
            body = json.dumps({**HELLO, "stream": True}).encode()
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert connection.recv(100)
        deadline = time.monotonic() + 30
        while not meter.turns and time.monotonic() < deadline:
            time.sleep(0.02)
    assert [(turn.status, turn.said.startswith("word")) for turn in meter.turns] == [(200, True)]
    assert capfd.readouterr().err == ""
