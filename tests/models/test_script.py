"""The scripted server, asked over real connections."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.kernel.errors import OmniError
from omni.models.script import GARBAGE, Record, Script, load, serve
from omni.models.script_answer import embed

Json = dict[str, Any]


def ask(text: str = "hi", **more: object) -> Json:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


@contextmanager
def served(*rules: Json, record: Record | None = None, **more: object) -> Iterator[httpx.Client]:
    script = Script.model_validate({"rules": rules, **more})
    with serve(script, record) as url, httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client


def said(client: httpx.Client, text: str = "hi", **more: object) -> Json:
    message: Json = client.post("/chat/completions", json=ask(text, **more)).json()["choices"][0]["message"]
    return message


def raw(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 0))


def post(connection: socket.socket, question: Json) -> None:
    body = json.dumps(question).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection.sendall(head + body)


def until(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.01)


def events(answer: httpx.Response) -> list[Json]:
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_an_answer_is_openais_object() -> None:
    rule = {"reply": {"text": "Hello.", "tool_calls": [{"name": "bash", "arguments": {"command": "ls"}}]}}
    with served(rule) as client:
        assert client.post("/chat/completions", json=ask()).json() == snapshot(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [
                    {
                        "index": 0,
                        "message": {
                            "role": "assistant",
                            "content": "Hello.",
                            "tool_calls": [
                                {
                                    "id": "call_1_0",
                                    "type": "function",
                                    "function": {"name": "bash", "arguments": '{"command": "ls"}'},
                                }
                            ],
                        },
                        "finish_reason": "tool_calls",
                        "logprobs": None,
                    }
                ],
                "usage": {
                    "prompt_tokens": 11,
                    "completion_tokens": 7,
                    "total_tokens": 18,
                    "prompt_tokens_details": {"cached_tokens": 0},
                },
            }
        )


def test_a_stream_says_the_same_in_pieces() -> None:
    call = {"name": "bash", "arguments": '{"command": "unfinished'}
    rule = {"reply": {"text": "Let me see.", "tool_calls": [call]}, "times": 2}
    with served(rule) as client:
        whole = said(client)
        question = ask(stream=True, stream_options={"include_usage": True})
        *pieces, end, last = events(client.post("/chat/completions", json=question))
    deltas = [piece["choices"][0]["delta"] for piece in pieces]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert "".join(delta.get("content", "") for delta in deltas) == whole["content"] == "Let me see."
    assert [delta.get("role") for delta in deltas] == ["assistant"] + [None] * (len(deltas) - 1)
    assert (calls[0]["id"], calls[0]["function"]["name"]) == ("call_1_0", "bash")
    assert len(calls) > 2
    assert "".join(each["function"]["arguments"] for each in calls) == '{"command": "unfinished'
    assert end["choices"][0]["finish_reason"] == "tool_calls"
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 21)


def test_usage_is_not_streamed_unless_it_is_asked_for() -> None:
    with served({"reply": "a"}) as client:
        assert all("usage" not in each for each in events(client.post("/chat/completions", json=ask(stream=True))))


def history(*turns: Json) -> Json:
    return {"model": "m", "messages": [{"role": "system", "content": "You are a tester."}, *turns]}


USER = {"role": "user", "content": [{"type": "text", "text": "first line\nsecond line"}]}
CALLED = {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "bash", "arguments": "{}"}}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "exit code 1"}


@pytest.mark.parametrize(
    ("match", "request_body", "why"),
    [
        ({"contains": "second"}, history(USER), ""),
        ({"contains": "third"}, history(USER), "the last message lacks “third”"),
        ({"regex": "first.*second"}, history(USER), ""),
        ({"regex": "^second"}, history(USER), "the last message does not match “^second”"),
        ({"anywhere": "second"}, history(USER, CALLED, RESULT), ""),
        ({"anywhere": "third"}, history(USER), "no message has “third”"),
        ({"system": "a tester"}, history(USER), ""),
        ({"system": "second"}, history(USER), "the system message lacks “second”"),
        ({"model": "m"}, history(USER), ""),
        ({"model": "big"}, history(USER), "the model is “m”, not “big”"),
        ({"result_of": "bash"}, history(USER, CALLED, RESULT), ""),
        ({"result_of": "c1"}, history(USER, CALLED, RESULT), ""),
        ({"result_of": "edit"}, history(USER, CALLED, RESULT), "the last message is no result of “edit”"),
        ({"result_of": "bash"}, history(USER, CALLED, RESULT, USER), "the last message is no result of “bash”"),
        ({"turn": 2}, history(USER, CALLED, RESULT), ""),
        ({"turn": 2}, history(USER), "this is turn 1, not 2"),
        ({"request": 1}, history(USER), ""),
        ({"request": 2}, history(USER), "this is request 1, not 2"),
        ({"tool": "edit"}, {**history(USER), "tools": [{"function": {"name": "edit"}}]}, ""),
        ({"tool": "edit"}, history(USER), "no tool “edit” is offered"),
        ({"key": "k"}, history(USER), "the key is another"),
        ({"turn": 1}, {"messages": "no list"}, ""),
        ({"contains": "x", "turn": 1}, {"messages": [5]}, "the last message lacks “x”"),
    ],
)
def test_a_rule_matches_what_it_says(match: Json, request_body: Json, why: str) -> None:
    record = Record()
    fails = pytest.raises(OmniError, match="does not expect") if why else nullcontext()
    with fails, served({"match": match, "reply": "yes"}, record=record) as client:
        answer = client.post("/chat/completions", json=request_body)
        if why:
            assert answer.status_code == 400
            assert answer.json()["error"]["message"] == f"unexpected request: rule 1 almost matched, but {why}"
        else:
            assert answer.json()["choices"][0]["message"]["content"] == "yes"
    assert [each.unexpected != "" for each in record.asked] == [bool(why)]


def test_the_first_rule_that_is_not_used_up_answers() -> None:
    with served({"reply": "one"}, {"reply": "two", "times": 2}, {"reply": "many", "times": 0}) as client:
        assert [said(client)["content"] for _ in range(5)] == ["one", "two", "two", "many", "many"]


def test_the_unexpected_is_remembered_with_the_rule_that_almost_matched() -> None:
    record = Record()
    rule = {"match": {"contains": "hi"}, "reply": "a"}
    with pytest.raises(OmniError) as error, served(rule, record=record) as client:  # noqa: PT012 - raised on leaving
        said(client)
        client.post("/chat/completions", json=ask())
        client.post("/completions", json={})
        client.post("/chat/completions", content=b"{")
        client.post("/chat/completions", content=b"[]")
        client.get("/other")
    why = [
        "rule 1 almost matched, but it has answered 1 of 1 times",
        "there is no /v1/completions",
        "the request is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "the request is no JSON object",
        "there is no /v1/other",
    ]
    assert [each.unexpected for each in record.unexpected] == why
    assert (error.value.kind.code, error.value.why, error.value.where) == (
        "M021",
        f"{why[0]} (5 such requests)",
        "request 2",
    )


def test_what_fails_inside_is_not_hidden_by_what_was_unexpected() -> None:
    with pytest.raises(ZeroDivisionError), served() as client:  # noqa: PT012 - it is what is tested
        client.post("/chat/completions", json=ask())
        raise ZeroDivisionError


def test_statuses_with_headers_in_openais_shape() -> None:
    rules = (
        {"reply": {"status": 429, "text": "slow down", "headers": {"Retry-After": "7"}}},
        {"reply": {"status": 500}},
        {"reply": {"status": 502, "body": "<html>", "headers": {"Content-Type": "text/html"}}},
    )
    with served(*rules) as client:
        limited, broken, proxy = (client.post("/chat/completions", json=ask(stream=True)) for _ in rules)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert limited.json()["error"] == {"message": "slow down", "type": "rate_limit_error", "param": None, "code": None}
    assert (broken.status_code, broken.json()["error"]["type"]) == (500, "server_error")
    assert (proxy.status_code, proxy.text, proxy.headers["content-type"]) == (502, "<html>", "text/html")


def test_a_refusal_and_another_end() -> None:
    rules = ({"reply": {"refusal": "I can't."}, "times": 2}, {"reply": {"text": "half", "finish": "length"}})
    with served(*rules) as client:
        refused = said(client)
        streamed = events(client.post("/chat/completions", json=ask(stream=True)))
        cut = client.post("/chat/completions", json=ask()).json()
    assert (refused["content"], refused["refusal"]) == (None, "I can't.")
    assert streamed[0]["choices"][0]["delta"] == {"role": "assistant", "refusal": "I can't."}
    assert cut["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("after", [0, 1, 9])
@pytest.mark.parametrize("fault", ["cut", "garbage"])
def test_a_broken_connection_is_no_answer(fault: str, after: int, stream: bool) -> None:
    record = Record()
    with served({"reply": {"text": "a b c", "fault": fault, "after": after}}, record=record) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/chat/completions", json=ask(stream=stream))
        assert client.get("/models").status_code == 200
    assert record.ended[1] == fault


def test_pieces_before_the_fault_arrive() -> None:
    found: list[Json] = []
    with (
        served({"reply": {"pieces": ["a", "b", "c"], "fault": "cut", "after": 2}}) as client,
        client.stream("POST", "/chat/completions", json=ask(stream=True)) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        found.extend(json.loads(line[6:]) for line in answer.iter_lines() if line)
    assert [each["choices"][0]["delta"]["content"] for each in found] == ["a", "b"]


def test_garbage_is_not_http() -> None:
    with served({"reply": {"fault": "garbage"}}) as client, raw(client) as connection:
        post(connection, ask())
        with connection.makefile("rb") as answer:
            assert answer.read() == GARBAGE


def test_a_stalled_stream_goes_on_after_its_time() -> None:
    with served(
        {"reply": {"text": "a b", "fault": "hang", "after": 1, "seconds": 0.1, "delay": 0.05, "pace": 0.01}}
    ) as client:
        found = events(client.post("/chat/completions", json=ask(stream=True)))
    assert "".join(each["choices"][0]["delta"].get("content", "") for each in found) == "a b"


@pytest.mark.parametrize("reply", [{"fault": "hang"}, {"text": "late", "delay": 3600}, {"text": "a b", "pace": 3600}])
def test_a_client_that_leaves_is_noticed(reply: Json) -> None:
    record = Record()
    with served({"reply": reply}, record=record) as client:
        with raw(client) as connection:
            post(connection, ask(stream=True))
            until(lambda: len(record.asked) == 1)
        until(lambda: record.ended == {1: "left"})


def test_leaving_ends_what_hangs_and_what_idles() -> None:
    record = Record()
    with ThreadPoolExecutor() as pool:
        with served({"reply": {"fault": "hang"}}, record=record) as client:
            waiting = pool.submit(client.post, "/chat/completions", json=ask(), timeout=None)
            until(lambda: len(record.asked) == 1)
        assert isinstance(waiting.exception(), httpx.HTTPError)
    assert record.ended == {1: "left"}


def test_keys() -> None:
    record = Record()
    rules = (
        {"match": {"key": "first-key"}, "reply": {"status": 429}, "times": 0},
        {"match": {"key": "other-key"}, "reply": "yes", "times": 0},
    )
    with served(*rules, keys=["first-key", "other-key"], record=record) as client:
        answers = [
            client.post("/chat/completions", json=ask(), headers={"Authorization": f"Bearer {key}"}).status_code
            for key in ("first-key", "other-key", "wrong-key")
        ]
        assert client.post("/chat/completions", json=ask()).status_code == 401
    assert answers == [429, 200, 401]
    assert [each.key for each in record.asked] == ["…-key", "…-key", "…-key", ""]


def test_models_and_embeddings() -> None:
    with served(models=["small", "large"], dimensions=8) as client:
        assert [each["id"] for each in client.get("/models").json()["data"]] == ["small", "large"]
        both = client.post("/embeddings", json={"model": "e", "input": ["a cat", "a cat"]}).json()
        packed = client.post(
            "/embeddings", json={"input": "a cat", "encoding_format": "base64", "dimensions": 4}
        ).json()
    assert both["data"][0]["embedding"] == both["data"][1]["embedding"] == embed("a cat", 8)
    assert (both["model"], both["usage"]["total_tokens"], both["data"][1]["index"]) == ("e", 4, 1)
    assert len(packed["data"][0]["embedding"]) == 24  # base64 of 16 bytes


@given(st.text(), st.integers(1, 300))
def test_an_embedding_is_a_unit_vector(text: str, size: int) -> None:
    vector = embed(text, size)
    assert len(vector) == size
    assert sum(value * value for value in vector) == pytest.approx(1)


def test_texts_that_share_words_are_nearer() -> None:
    def near(a: str, b: str) -> float:
        return sum(x * y for x, y in zip(embed(a, 256), embed(b, 256), strict=True))

    question = "how do I sort a list of names in Python"
    assert near(question, "how can I sort a list of names in Python") > 0.8 > 0.3 > near(question, "bake bread at home")


def test_many_at_once_are_each_answered_once() -> None:
    record = Record()
    rules = [{"match": {"contains": f"question {number}."}, "reply": f"answer {number}"} for number in range(40)]
    with served(*rules, record=record) as client, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: said(client, f"question {number}.")["content"], range(40)))
    assert answers == [f"answer {number}" for number in range(40)]
    assert sorted(each.rule for each in record.asked) == list(range(1, 41))
    assert [each.number for each in record.asked] == list(range(1, 41))


def test_the_log_has_each_request_and_answer(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    with served({"reply": "é"}, record=Record(log)) as client:
        said(client)
        assert json.loads(log.read_text().splitlines()[0])["rule"] == 1  # before the client has it
    asked, ended = map(json.loads, log.read_text().splitlines())
    assert (asked["type"], asked["path"], asked["request"]) == ("asked", "/v1/chat/completions", ask())
    assert asked["answer"]["choices"][0]["message"]["content"] == "é"
    assert ended == {"type": "ended", "number": 1, "how": "sent"}


BAD = [
    (
        "rules: [{reply: a}, {reply: {}}]",
        "rule 2, reply: says nothing: give text, pieces, tool_calls, refusal, status, body or fault",
    ),
    ("rules: [{reply: {text: a, pieces: [b]}}]", "rule 1, reply: give text or pieces, not both"),
    ("rules: [{reply: {text: a, after: 2}}]", "rule 1, reply: after and seconds belong to a fault"),
    (
        "rules: [{match: {regex: '('}, reply: a}]",
        "rule 1, match.regex: not a regular expression: missing ), unterminated subpattern at position 0",
    ),
    ("rules: [{match: {contain: a}, reply: a}]", "rule 1, match.contain: there is no such field"),
    ("rules: [{reply: {text: a, delay: -1}}]", "rule 1, reply.delay: Input should be greater than or equal to 0"),
    ("rules: [{}]", "rule 1, reply: Field required"),
    ("rule: []", "rule: there is no such field"),
    ("[]", "the script: Input should be a valid dictionary or instance of Script"),
]


@pytest.mark.parametrize(("text", "why"), BAD)
def test_a_script_that_is_wrong_says_where_and_why(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(text)
    with pytest.raises(OmniError) as error:
        load(file)
    assert (error.value.kind.code, error.value.why, error.value.where) == ("M020", why, str(file))


@pytest.mark.parametrize(
    ("name", "text"), [("s.toml", "rules = ["), ("s.yaml", "rules: ["), ("gone.yaml", None), ("s.yaml", "\0")]
)
def test_a_file_that_is_no_script_is_one_clear_error(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(OmniError, match="The script can't be used"):
        load(tmp_path / name)


def test_toml_and_yaml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[rules]]\nmatch.contains = "hi"\nreply = "yes"\ntimes = 0\n')
    (tmp_path / "a.yaml").write_text("rules:\n  - match: {contains: hi}\n    reply: 'yes'\n    times: 0\n")
    assert load(tmp_path / "a.toml") == load(tmp_path / "a.yaml")
