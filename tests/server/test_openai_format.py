"""What clients send, and what they are sent: without a server."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import JsonValue

from omni.kernel.errors import OmniError
from omni.models.chat_format import Assembly, Events, body
from omni.models.wire import ChatReply, ChatRequest, ImagePart, Message, TextPart, ToolCall, ToolSpec, Usage, Want
from omni.server.openai_format import completion, last_events, read, said, text_event

USER: JsonValue = {"role": "user", "content": "hi"}
DOT = "iVBORw0KGgo="


def asked(**more: JsonValue) -> bytes:
    return json.dumps({"model": "auto", "messages": [USER], **more}).encode()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
calls = st.builds(ToolCall, id=texts, name=texts, arguments=texts)
messages = st.one_of(
    st.builds(Message, role=st.sampled_from(["system", "user"]), content=texts),
    st.builds(
        Message,
        role=st.just("user"),
        content=st.tuples(st.builds(TextPart, text=texts), st.just(ImagePart(media_type="image/png", data=DOT))),
    ),
    st.builds(Message, role=st.just("assistant"), content=texts, tool_calls=st.lists(calls, max_size=2).map(tuple)),
    st.builds(Message, role=st.just("tool"), content=texts, tool_call_id=texts),
)
requests = st.builds(
    ChatRequest,
    messages=st.lists(messages, min_size=1, max_size=4).map(tuple),
    tools=st.lists(
        st.builds(ToolSpec, name=texts, description=texts, parameters=st.just({"type": "object"})), max_size=2
    ).map(tuple),
    temperature=st.none() | st.floats(0, 2),
    max_tokens=st.none() | st.integers(1, 1 << 20),
    reply_schema=st.none() | st.just({"type": "object"}),
    stop=st.lists(texts, max_size=2).map(tuple),
    seed=st.none() | st.integers(0, 1 << 31),
)


@given(requests)
def test_what_our_client_sends_our_server_reads(request: ChatRequest) -> None:
    assert read(json.dumps(body(request, "m")).encode()).request() == request


@given(texts, st.lists(calls, max_size=3).map(tuple), st.integers(0, 100))
def test_what_our_server_streams_our_client_reads(text: str, wanted: tuple[ToolCall, ...], cut: int) -> None:
    named = tuple(call.model_copy(update={"id": f"c{number}"}) for number, call in enumerate(wanted))
    message = Message(role="assistant", content=text, tool_calls=named)
    usage = Usage(prompt=7, cached=3, completion=5)
    finish = "tool_calls" if named else "stop"
    reply = ChatReply.model_validate(
        {"message": message, "finish": finish, "usage": usage, "provider": "p", "model": "m"}
    )
    passed = text[:cut]
    sent = text_event(passed, "1", 0, "auto", first=True) if passed else b""
    sent += last_events(reply, text[len(passed) :], "1", 0, usage=True)
    assembly = Assembly()
    for event in Events().feed(sent):
        assembly.event(event)
    assert assembly.ended
    if "<think>" not in text:
        assert assembly.message() == message
    assert (assembly.finish, assembly.usage) == (reply.finish, usage)


def test_what_means_nothing_is_left_out() -> None:
    found = read(
        asked(
            user="u",
            metadata={"a": "b"},
            n=1,
            top_p=0.5,
            reasoning_effort="high",
            presence_penalty=0,
            logprobs=False,
            parallel_tool_calls=True,
            tools=None,
            seed=None,
            store=True,
            messages=[
                {"role": "developer", "content": "be brief"},
                {**dict(USER.items()), "name": "Ada"} if isinstance(USER, dict) else USER,
                {
                    "role": "assistant",
                    "content": None,
                    "refusal": None,
                    "annotations": [],
                    "provider_specific_fields": {},
                },
                {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
            ],
        )
    )
    assert found.request() == ChatRequest(
        messages=(
            Message(role="system", content="be brief"),
            Message(role="user", content="hi"),
            Message(role="assistant"),
            Message(role="user", content=(TextPart(text="x"),)),
        )
    )


FETCHED: JsonValue = {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}
BAD: list[tuple[bytes, str]] = [
    (b"", "it is no JSON: Expecting value: line 1 column 1 (char 0)"),
    (b"\xff", "it is no JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    (b"[" * 100_000, "it is nested too deep"),
    (b"[]", "it is no JSON object"),
    (asked(messages=[]), "messages: Tuple should have at least 1 item after validation, not 0"),
    (asked(n=2, logprobs=True), "n is not passed on; 1 is taken; logprobs is not passed on; False is taken"),
    (asked(modalities=["audio"]), "modalities is not passed on"),
    (asked(tool_choice="required"), "tool_choice: Input should be 'auto' or 'none'"),
    (asked(temperature=3), "temperature: Input should be less than or equal to 2"),
    (
        asked(messages=[{"role": "user", "content": [FETCHED]}]),
        "messages.0.content.parts.0.image_url.image_url.url: only data:image/png, jpeg or webp in base64 is taken",
    ),
    (asked(messages=[{"role": "user", "content": 5}]), "messages.0.content.parts: Input should be a valid tuple"),
]


@pytest.mark.parametrize(("data", "why"), BAD, ids=range(len(BAD)))
def test_what_would_be_lost_or_is_wrong_is_named(data: bytes, why: str) -> None:
    with pytest.raises(OmniError) as error:
        read(data)
    assert (error.value.kind.code, error.value.why) == ("M023", why)


FIELDS = st.sampled_from(["messages", "role", "content", "type", "text", "tools", "function", "stop"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner),
)


@given(anything)
def test_nothing_that_is_sent_breaks_it(data: JsonValue) -> None:
    with suppress(OmniError):
        read(json.dumps(data).encode()).request()


@pytest.mark.parametrize(
    ("model", "granted", "expected"),
    [
        ("auto", Want(), Want()),
        ("", Want(capability="heavy"), Want(capability="heavy")),
        ("fast", Want(), Want(capability="fast")),
        ("local/small", Want(), Want(model="local/small")),
        ("large", Want(model="small"), Want(model="small")),
        ("large", Want(not_models=("author",)), Want(model="large", not_models=("author",))),
    ],
)
def test_who_answers(model: str, granted: Want, expected: Want) -> None:
    found = read(asked(model=model))
    assert found.want(granted, found.request()) == expected


def test_what_a_request_needs_is_wanted() -> None:
    tool: JsonValue = {"type": "function", "function": {"name": "bash", "description": None}}
    picture: JsonValue = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DOT}", "detail": "low"}}
    found = read(asked(tools=[tool], messages=[{"role": "user", "content": [picture]}]))
    assert found.want(Want(), found.request()) == Want(tools=True, vision=True)
    without = read(asked(tools=[tool], tool_choice="none"))
    assert without.want(Want(), without.request()) == Want()


def test_a_whole_reply() -> None:
    call = ToolCall(id="c", name="bash", arguments="{}")
    reply = ChatReply(
        message=Message(role="assistant", tool_calls=(call,)),
        finish="tool_calls",
        usage=Usage(prompt=2, completion=1),
        provider="local",
        model="small",
        fallbacks=("big/large: refused",),
    )
    assert said(reply) == ""
    assert completion(reply, "7", 5) == snapshot(
        {
            "id": "chatcmpl-7",
            "object": "chat.completion",
            "created": 5,
            "model": "small",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {"id": "c", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
                        ],
                    },
                    "finish_reason": "tool_calls",
                    "logprobs": None,
                }
            ],
            "usage": {
                "prompt_tokens": 2,
                "completion_tokens": 1,
                "total_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
            "omni": {"provider": "local", "cached": False, "fallbacks": ["big/large: refused"]},
        }
    )
