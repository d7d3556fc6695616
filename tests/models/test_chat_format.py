from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.models.chat_format import Assembly, Events, FormatError, body, estimate, explain, parse
from omni.models.wire import ChatRequest, ImagePart, Message, TextPart, ToolCall, ToolSpec, Usage


def test_a_request_is_sent_in_openais_words() -> None:
    request = ChatRequest(
        messages=(
            Message(role="system", content="Be short."),
            Message(
                role="user", content=(TextPart(text="What is it?"), ImagePart(media_type="image/png", data="QQ=="))
            ),
            Message(role="assistant", tool_calls=(ToolCall(id="c1", name="read", arguments='{"path": "a"}'),)),
            Message(role="tool", content="ok", tool_call_id="c1"),
        ),
        tools=(ToolSpec(name="read", description="Read a file", parameters={"type": "object"}),),
        temperature=0.0,
        max_tokens=9,
        reply_schema={"type": "object"},
        stop=("END",),
        seed=7,
    )
    assert body(request, "m", "max_completion_tokens") == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be short."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}},
                ],
            },
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path": "a"}'}}
                ],
            },
            {"role": "tool", "content": "ok", "tool_call_id": "c1"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {
                "type": "function",
                "function": {"name": "read", "description": "Read a file", "parameters": {"type": "object"}},
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": {"type": "object"}, "strict": True},
        },
        "stop": ["END"],
        "temperature": 0.0,
        "max_completion_tokens": 9,
        "seed": 7,
    }


def read(*chunks: object) -> tuple[Assembly, list[str]]:
    assembly = Assembly()
    shown = [assembly.event(json.dumps(chunk).encode()) for chunk in chunks]
    return assembly, [text for text in shown if text]


def delta(**what: object) -> dict[str, object]:
    return {"choices": [{"delta": what}]}


def end(reason: str) -> dict[str, object]:
    return {"choices": [{"delta": {}, "finish_reason": reason}]}


def test_pieces_become_a_reply_with_its_usage() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    assembly, shown = read(delta(role="assistant", content="Hel"), delta(content="lo"), end("stop"), {"usage": usage})
    assert shown == ["Hel", "lo"]
    assert assembly.message() == Message(role="assistant", content="Hello")
    assert (assembly.finish, assembly.ended, assembly.usage) == ("stop", True, Usage(prompt=5, cached=4, completion=2))


def calls(*pieces: object) -> list[tuple[str, str]]:
    assembly, _ = read(*(delta(tool_calls=[piece]) for piece in pieces), end("stop"))
    assert assembly.finish == "tool_calls"
    message = assembly.message()
    assert len({call.id for call in message.tool_calls} - {""}) == len(message.tool_calls)
    return [(call.name, call.arguments) for call in message.tool_calls]


def test_tool_calls_come_as_servers_send_them() -> None:
    pieces = (
        {"index": 0, "id": "a", "function": {"name": "read", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"p":'}},
        {"index": 1, "id": "b", "function": {"name": "edit", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": "1}"}},
    )
    assert calls(*pieces) == [("read", '{"p":1}'), ("edit", "{}")]


def test_all_calls_at_one_index_are_told_apart_by_their_ids() -> None:
    pieces = [{"index": 0, "id": name, "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    assert calls(*pieces) == [("a", "{}"), ("b", "{}")]


def test_calls_without_index_and_id_and_with_arguments_as_an_object() -> None:
    assert calls({"function": {"name": "read", "arguments": {"p": 1}}}) == [("read", '{"p": 1}')]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["<think>let me", " see</think>\n\nYes", "."], "Yes."),
        (["<thi", "nk>a</thi", "nk>b"], "b"),
        (["<thinking> is a tag"], "<thinking> is a tag"),
        (["a <think>b</think>"], "a <think>b</think>"),
        (["<thi"], "<thi"),
        (["<think>never ends"], ""),
    ],
)
def test_what_a_model_thinks_aloud_is_not_what_it_says(pieces: list[str], text: str) -> None:
    assembly, shown = read(*(delta(content=piece) for piece in pieces), end("stop"))
    assert assembly.message().content == text
    assert text.startswith("".join(shown))


def test_thoughts_in_fields_of_their_own_are_signs_of_life() -> None:
    assembly = Assembly()
    assert assembly.add({"choices": [{"delta": {"reasoning_content": "hm"}}]}) == ""
    assert assembly.add({"choices": [{"delta": {"role": "assistant", "content": None}}]}) is None
    assert assembly.message().content == ""


def test_a_whole_body_is_read_like_a_stream() -> None:
    assembly, _ = read({"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]})
    assert (assembly.message().content, assembly.finish) == ("Hi", "length")


def test_an_error_in_a_stream_is_one() -> None:
    with pytest.raises(FormatError, match="the server says: out of memory"):
        read({"error": {"message": "out of\nmemory", "code": 1}})


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_nonsense_is_said_to_be_so(data: bytes) -> None:
    with pytest.raises(FormatError, match="no JSON"):
        parse(data)


FIELDS = (
    *("choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "index", "id", "error"),
    *("finish_reason", "usage", "prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.builds(lambda inner: {"choices": [{"delta": inner}], "usage": inner}, json_values) | json_values))
def test_whatever_is_sent_is_a_reply_or_a_format_error(chunks: list[object]) -> None:
    assembly = Assembly()
    for chunk in chunks:
        try:
            assembly.event(json.dumps(chunk).encode())
        except FormatError:
            return
    assert "\0" not in assembly.message().model_dump_json()


@given(st.lists(st.text(alphabet="ab é\U0001f600", max_size=8)), st.data())
def test_events_are_the_same_however_the_bytes_are_cut(texts: list[str], data: st.DataObject) -> None:
    stream = b": ping\r\n\r\n" + b"".join(b"data: " + json.dumps(text).encode() + b"\r\n\r\n" for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    events = Events()
    pieces = [stream[begin:stop] for begin, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [json.loads(event) for piece in pieces for event in events.feed(piece)] == texts


@given(st.text(max_size=200))
def test_an_explanation_is_one_short_line(text: str) -> None:
    assert "\n" not in explain({"error": {"message": text}})
    assert len(explain({"error": {"message": text * 9}})) <= 300


def test_an_estimate_counts_all_that_is_sent() -> None:
    asked = ChatRequest(messages=(Message(role="user", content="x" * 400),))
    image = Message(role="user", content=(ImagePart(media_type="image/png", data="A" * 9999),))
    tool = ToolSpec(name="t", description="d" * 400, parameters={})
    assert 100 <= estimate(asked) <= 110
    assert estimate(asked.model_copy(update={"messages": (image,)})) >= 1000
    assert estimate(asked.model_copy(update={"tools": (tool,)})) >= estimate(asked) + 100
