"""The model endpoint as its clients see it: the real service, router and ledger, over scripted models."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni.kernel.database import open_database
from omni.kernel.settings import Settings
from omni.models.budget import Budget
from omni.models.cache import SemanticCache
from omni.models.ledger import usage
from omni.models.script import Record, Script, serve
from omni.models.tokens import mint, token
from omni.models.wire import Attribution, Want
from omni.server import models as endpoint
from omni.server.models import app, served

Json = dict[str, Any]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path / 'omni.db'}")


@contextmanager
def serving(
    settings: Settings, *scripts: tuple[Json, ...], record: Record | None = None, cached: bool = False
) -> Iterator[httpx.Client]:
    """The endpoint over one scripted model for each script: `small`, then `large`."""
    with ExitStack() as stack:
        lines = []
        for name, rules in zip(("small", "large"), scripts, strict=False):
            url = stack.enter_context(serve(Script.model_validate({"rules": rules}), record))
            model = f'{{wire_name = "{name}", capability = "balanced", tools = true}}'
            lines.append(f'[[endpoint]]\nname = "{name}-place"\nbase_url = "{url}"\nmodels = [{model}]\n')
        settings.home.mkdir()
        (settings.home / "models.toml").write_text("".join(lines))
        engine = open_database(settings)
        stack.callback(engine.dispose)
        cache = SemanticCache(engine) if cached else None
        address = stack.enter_context(served(app(settings, engine, cache)))
        headers = {"Authorization": f"Bearer {token(settings)}"}
        client = httpx.Client(base_url=f"{address}/v1", headers=headers, timeout=30, trust_env=False)
        yield stack.enter_context(client)


def ask(text: str = "hi", **more: object) -> Json:
    return {"model": "auto", "messages": [{"role": "user", "content": text}], **more}


def always(**reply: object) -> Json:
    return {"reply": reply, "times": 0}


def events(answer: httpx.Response) -> list[Json]:
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def until(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.01)


CALL = {"name": "bash", "arguments": {"command": "ls"}}


def test_an_answer_is_that_of_the_model(settings: Settings) -> None:
    with serving(settings, (always(text="Hello.", tool_calls=[CALL]),)) as client:
        answer = client.post("/chat/completions", json=ask()).json()
        *pieces, last = events(
            client.post("/chat/completions", json=ask(stream=True, stream_options={"include_usage": True}))
        )
    message = answer["choices"][0]["message"]
    assert (message["content"], answer["model"], answer["object"]) == ("Hello.", "small", "chat.completion")
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"command": "ls"}
    assert answer["omni"] == {"provider": "small-place", "cached": False, "fallbacks": []}
    deltas = [each["choices"][0]["delta"] for each in pieces]
    assert "".join(each.get("content", "") for each in deltas) == "Hello."
    (call,) = (each["tool_calls"][0] for each in deltas if "tool_calls" in each)
    assert call["function"] == {"name": "bash", "arguments": '{"command": "ls"}'}
    assert pieces[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert last["usage"] == answer["usage"]
    assert answer["usage"]["total_tokens"] > 0


def test_text_is_passed_on_as_it_comes(settings: Settings) -> None:
    stalls = {"reply": {"text": "a b", "fault": "hang", "after": 1}}
    with serving(settings, (stalls,)) as client:
        with client.stream("POST", "/chat/completions", json=ask(stream=True)) as answer:
            first = next(line for line in answer.iter_lines() if line)
        assert json.loads(first[6:])["choices"][0]["delta"] == {"role": "assistant", "content": "a "}


@pytest.mark.parametrize("stream", [False, True])
def test_another_model_takes_over_and_that_is_said(settings: Settings, stream: bool) -> None:
    with serving(settings, (always(status=500),), (always(text="mine"),)) as client:
        answer = client.post("/chat/completions", json=ask(stream=stream))
    about = events(answer)[-1]["omni"] if stream else answer.json()["omni"]
    assert about["provider"] == "large-place"
    assert "small-place" in about["fallbacks"][0]


def test_a_stream_that_breaks_after_its_first_words_says_so(settings: Settings) -> None:
    with serving(settings, (always(text="a b c", fault="cut", after=2),), (always(text="other words"),)) as client:
        answer = client.post("/chat/completions", json=ask(stream=True, model="small"))
    *_, last = (json.loads(line[6:]) for line in answer.text.split("\n\n") if line)
    assert last["error"]["code"] == "server_error"
    assert "M025" in last["error"]["message"]
    assert "[DONE]" not in answer.text


ERRORS: list[tuple[Json, dict[str, str], int, str, str]] = [
    ({}, {"Authorization": "Bearer wrong"}, 401, "invalid_api_key", "M022"),
    ({"model": "huge"}, {}, 404, "model_not_found", "M005"),
    ({"n": 2}, {}, 400, "invalid_request_error", "n is not passed on"),
    ({"messages": []}, {}, 400, "invalid_request_error", "M023"),
]


@pytest.mark.parametrize("stream", [False, True])
def test_errors_have_openais_shape(settings: Settings, stream: bool) -> None:
    with serving(settings, (always(text="a"),)) as client:
        for more, headers, status, code, text in ERRORS:
            answer = client.post("/chat/completions", json=ask(stream=stream, **more), headers=headers)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], text in error["message"]) == (status, code, True)
            assert set(error) == {"message", "type", "param", "code"}
        assert client.post("/chat/completions", content=b"x" * (endpoint.LARGEST + 1)).status_code == 400


def test_without_a_model_it_says_so(settings: Settings) -> None:
    with serving(settings) as client:
        answer = client.post("/chat/completions", json=ask())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "server_error")
    assert "omni models add" in answer.json()["error"]["message"]


def test_a_token_of_a_run_pays_from_its_budget(settings: Settings) -> None:
    usual = {"usage": {"prompt": 600, "completion": 300}}
    with serving(settings, (always(text="a", **usual),)) as client:
        database = open_database(settings)
        Budget.open(database, "r1", 2000, kept=0)
        key = mint(settings, Attribution(run="r1", role="developer"), Want(model="small"))
        headers = {"Authorization": f"Bearer {key}", "x-omni-run": "another"}
        statuses = [
            client.post("/chat/completions", json=ask(model="large", max_tokens=400), headers=headers).status_code
            for _ in range(4)
        ]
        rows = {row.key: (row.calls, row.prompt + row.completion) for row in usage(database, ("run", "role"))}
        database.dispose()
    assert statuses == [200, 200, 402, 402]
    assert rows == {("r1", "developer"): (2, 1800)}


def test_a_token_of_a_run_asks_models_and_nothing_else(settings: Settings) -> None:
    with serving(settings, ()) as client:
        theirs = {"Authorization": f"Bearer {mint(settings, Attribution(run='r1'))}"}
        statuses = {path: client.get(path, headers=theirs).status_code for path in ("/models", "/cache", "/endpoints")}
        ours = [client.get(path).status_code for path in statuses]
    assert (statuses, ours) == ({"/models": 200, "/cache": 401, "/endpoints": 401}, [200, 200, 200])


def test_the_homes_token_says_who_pays_in_headers(settings: Settings) -> None:
    who = {"x-omni-run": "r2", "x-omni-role": "tester", "x-omni-stage": "review", "x-omni-project": "shop"}
    with serving(settings, ({"reply": "once"},)) as client:
        headers = {**who, "x-omni-call": "c1"}
        both = [client.post("/chat/completions", json=ask(), headers=headers).json() for _ in range(2)]
        database = open_database(settings)
        rows = usage(database, ("run", "role", "stage", "project"))
        database.dispose()
    assert [each["choices"][0]["message"]["content"] for each in both] == ["once", "once"]
    assert [row.key for row in rows] == [("r2", "tester", "review", "shop")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", [{"fault": "hang"}, {"text": "a b", "fault": "hang", "after": 1}])
def test_a_client_that_leaves_takes_its_question_back(settings: Settings, reply: Json, stream: bool) -> None:
    record = Record()
    with serving(settings, ({"reply": reply},), record=record) as client:
        with raw(client, ask(stream=stream)) as connection:
            until(lambda: len(record.asked) == 1)
            if stream and "text" in reply:
                assert connection.recv(4).startswith(b"HTTP")
        until(lambda: record.ended == {1: "left"})
        until(lambda: "omni_models_answering 0" in metrics(client))
        assert 'omni_models_questions_total{how="left"} 1' in metrics(client)


def raw(client: httpx.Client, question: Json) -> socket.socket:
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 0))
    body = json.dumps(question).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    key = client.headers["authorization"]
    connection.sendall(f"{head}Authorization: {key}\r\n\r\n".encode() + body)
    return connection


def metrics(client: httpx.Client) -> str:
    return client.get(str(client.base_url).replace("/v1/", "/metrics")).text


def test_too_many_at_once_are_told_to_come_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MOST_AT_ONCE", 1)
    record = Record()
    with serving(settings, ({"reply": {"fault": "hang"}},), record=record) as client:
        with raw(client, ask()):
            until(lambda: len(record.asked) == 1)
            second = client.post("/chat/completions", json=ask())
        until(lambda: len(record.ended) == 1)
    assert (second.status_code, second.headers["retry-after"]) == (429, "1")
    assert second.json()["error"]["code"] == "rate_limit_exceeded"


def test_models_are_listed(settings: Settings) -> None:
    with serving(settings, (), ()) as client:
        found = client.get("/models").json()["data"]
        assert client.get("/models", headers={"Authorization": ""}).status_code == 401
    assert [(each["id"], each["owned_by"]) for each in found] == [
        ("auto", "omni"),
        ("balanced", "omni"),
        ("fast", "omni"),
        ("heavy", "omni"),
        ("large", "large-place"),
        ("small", "small-place"),
    ]


def test_many_streams_at_once(settings: Settings) -> None:
    rules = tuple(
        {"match": {"contains": f"question {n}."}, "reply": {"text": f"answer {n}", "pace": 0.02}} for n in range(30)
    )
    with serving(settings, rules) as client, ThreadPoolExecutor(30) as pool:

        def answer(n: int) -> str:
            found = events(client.post("/chat/completions", json=ask(f"question {n}.", stream=True)))
            return "".join(each["choices"][0]["delta"].get("content", "") for each in found)

        assert list(pool.map(answer, range(30))) == [f"answer {n}" for n in range(30)]


def test_embeddings_are_those_of_the_enabled_model_and_paid_for(settings: Settings) -> None:
    with serving(settings, ()) as client:
        built_in = client.post("/embeddings", json={"model": "auto", "input": ["a cat", "the cat"]}).json()
        enabled = settings.home / "models.toml"
        enabled.write_text(enabled.read_text().replace("capability", 'kind = "embedding", capability'))
        headers = {"x-omni-run": "r3"}
        real = client.post("/embeddings", json={"input": "a cat"}, headers=headers).json()
        packed = client.post(
            "/embeddings", json={"input": "a cat", "model": "small", "encoding_format": "base64"}
        ).json()
        missing = client.post("/embeddings", json={"input": "a cat", "model": "large"})
        wrong = client.post("/embeddings", json={"input": []})
        database = open_database(settings)
        rows = usage(database, ("run", "model"), run="r3")
        database.dispose()
    assert built_in["model"].startswith("hashed-words")
    assert built_in["data"][0]["embedding"] == built_in["data"][1]["embedding"]
    assert (real["model"], len(real["data"][0]["embedding"])) == ("small", 256)
    assert len(packed["data"][0]["embedding"]) == 1368  # base64 of 1024 bytes
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_request_error")
    assert [(row.key, row.prompt) for row in rows] == [(("r3", "small"), 2)]


def test_the_cache_answers_what_was_answered_before_and_nothing_else(settings: Settings) -> None:
    rules = ({"reply": "in 1969"}, {"match": {"contains": "Mars"}, "reply": "not yet"})
    record = Record()
    with serving(settings, rules, record=record, cached=True) as client:

        def answer(text: str, project: str = "shop", **more: object) -> str:
            found = client.post("/chat/completions", json=ask(text, **more), headers={"x-omni-project": project})
            return found.text if more else str(found.json()["choices"][0]["message"]["content"])

        first = answer("When did people land on the moon?")
        again = answer("When did people land on the moon?")
        worded = answer("Hello, could you please tell when did people land on the moon?".replace("tell ", ""))
        streamed = answer("When did people land on the moon?", stream=True)
        other = answer("When did people land on Mars?")
        counts = client.get("/cache", params={"project": "shop"}).json()
        shown = metrics(client)
    assert (first, again, worded, other) == ("in 1969", "in 1969", "in 1969", "not yet")
    assert "in 1969" in streamed
    assert '"cached": true' in streamed
    assert len(record.asked) == 2
    assert (counts["exact"], counts["similar"], counts["missed"]) == (2, 1, 2)
    assert counts["tokens_saved"] > 0
    assert 'omni_cache_lookups_total{how="similar"} 1' in shown


def test_an_endpoint_that_fails_is_shown_to_rest(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni.models.breaker.FIRST_COOLDOWN", 60.0)
    with serving(settings, (always(status=500, text="oops"),), (always(text="yes"),)) as client:
        assert client.post("/chat/completions", json=ask(model="small")).status_code == 200
        shown = {each["endpoint"]: (each["state"], each["why"]) for each in client.get("/endpoints").json()}
        assert client.get("/endpoints", headers={"Authorization": "Bearer no"}).status_code == 401
    assert shown == {"small-place/small": ("open", "HTTP 500: oops"), "large-place/large": ("closed", "")}
