"""OpenAI's chat format: what is sent, and what comes back. Pure.

Sent strictly, read leniently: servers leave out, rename and misplace fields, and all that they mean is understood here.
Format: https://platform.openai.com/docs/api-reference/chat and …/chat-streaming; events: WHATWG HTML, 9.2.6.
"""

from __future__ import annotations

import json
import math
import secrets
from dataclasses import dataclass, field

from pydantic import JsonValue

from omni.models.wire import ChatRequest, Finish, Message, Part, TextPart, ToolCall, Usage

Json = dict[str, JsonValue]

IMAGE_TOKENS = 1_000
"""Of a picture, about: OpenAI's high detail takes 85 to 1,445 (https://platform.openai.com/docs/guides/vision)."""
DONE = b"[DONE]"
"""The event that ends a stream."""
LARGEST_EVENT = 4 << 20
"""Bytes of one event."""
LARGEST_REPLY = 8 << 20
"""Characters of a reply's text and arguments together."""

_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_THINK, _THOUGHT = "<think>", "</think>"


class FormatError(ValueError):
    """What came is no answer in this format."""


def estimate(request: ChatRequest) -> int:
    """Tokens of the prompt, about: four bytes each."""
    said = sum(_bytes(each) for each in request.messages)
    tools = sum(len(tool.model_dump_json()) for tool in request.tools)
    return (said + tools) // 4 + 4 * len(request.messages) + 1


def body(request: ChatRequest, name: str, limit: str = "max_tokens") -> Json:
    """The body of a streamed request to the model that the server calls `name`. `limit`: its word for a reply's most
    tokens."""
    sent: Json = {
        "model": name,
        "messages": [_message(each) for each in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        sent["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    if request.reply_schema is not None:
        schema: Json = {"name": "reply", "schema": request.reply_schema, "strict": True}
        sent["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.stop:
        sent["stop"] = list(request.stop)
    optional = {"temperature": request.temperature, limit: request.max_tokens, "seed": request.seed}
    return sent | {key: value for key, value in optional.items() if value is not None}


@dataclass
class Events:
    """Cuts bytes into the data of server-sent events; bytes of half an event wait for the rest."""

    _rest: bytes = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The data lines that are whole now. Raises FormatError when one has no end."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LARGEST_EVENT:
            raise FormatError("an event without an end")
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]


@dataclass
class _Call:
    index: JsonValue
    id: str
    name: str = ""
    arguments: str = ""

    def whole(self) -> ToolCall:
        """With an id of ours where the server gave none: its result has to name it."""
        return ToolCall(id=self.id or f"call_{secrets.token_hex(6)}", name=self.name, arguments=self.arguments)


@dataclass
class _Thoughts:
    """Leaves out a `<think>…</think>` at the beginning: what a model thinks aloud is not what it says."""

    _held: str = ""
    _inside: bool | None = None
    """None: not yet known."""

    def shown(self, piece: str) -> str:
        if self._inside is False:
            return piece
        self._held += piece
        if self._inside is None:
            begin = self._held.lstrip()
            if len(begin) < len(_THINK) and _THINK.startswith(begin):
                return ""
            self._inside = begin.startswith(_THINK)
            if not self._inside:
                return self.rest()
        _, end, after = self._held.partition(_THOUGHT)
        self._held = after.lstrip() if end else self._held[-len(_THOUGHT) :]
        self._inside = not end
        return self.rest() if end else ""

    def rest(self) -> str:
        """What was held back and is text after all."""
        text, self._held = ("" if self._inside else self._held), ""
        return text


@dataclass
class Assembly:
    """A reply put together from the pieces that a stream brings, or from a whole body."""

    ended: bool = False
    """The server has said that this is all."""
    heard: int = 0
    """Characters so far, thoughts included."""
    _text: list[str] = field(default_factory=list)
    _calls: list[_Call] = field(default_factory=list)
    _finish: Finish = "unknown"
    _usage: Usage | None = None
    _thoughts: _Thoughts = field(default_factory=_Thoughts)

    def event(self, data: bytes) -> str | None:
        """The text that an event adds; None where it says nothing of the reply. Raises FormatError."""
        if data == DONE:
            self.ended = True
            return None
        return self.add(parse(data))

    def add(self, chunk: Json) -> str | None:
        """The same for an event's object, or for the body of a reply that isn't streamed."""
        if error := chunk.get("error"):
            raise FormatError(f"the server says: {explain(error)}")
        self._read_usage(chunk.get("usage"))
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return None
        if reason := choice.get("finish_reason"):
            self._finish = _FINISHES.get(_text(reason), "unknown")
            self.ended = True
        delta = choice.get("delta") or choice.get("message")
        return self._read_delta(delta) if isinstance(delta, dict) else None

    def cut(self) -> None:
        """No more is read: the reply is longer than it may be."""
        self._finish, self.ended = "length", True

    def message(self) -> Message:
        text = "".join(self._text) + self._thoughts.rest()
        return Message(role="assistant", content=text, tool_calls=tuple(call.whole() for call in self._calls))

    @property
    def finish(self) -> Finish:
        return "tool_calls" if self._calls and self._finish in ("stop", "unknown") else self._finish

    @property
    def usage(self) -> Usage | None:
        """As the server says it; None: it doesn't."""
        return self._usage

    def _read_delta(self, delta: Json) -> str | None:
        thought = _text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))
        said = _text(delta.get("content")) + _text(delta.get("refusal"))
        calls = delta.get("tool_calls")
        before = self.heard
        self.heard += len(thought) + len(said)
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                self._read_call(call)
        if self.heard > LARGEST_REPLY:
            raise FormatError("a reply without an end")
        shown = self._thoughts.shown(said) if said else ""
        self._text.append(shown)
        return shown if self.heard > before else None

    def _read_call(self, delta: Json) -> None:
        call = self._call(delta.get("index"), _text(delta.get("id")))
        function = delta.get("function")
        if not isinstance(function, dict):
            return
        given = function.get("arguments")
        arguments = given if isinstance(given, str) else json.dumps(given) if given is not None else ""
        call.name = call.name or _text(function.get("name"))
        call.arguments += arguments
        self.heard += len(arguments) + len(call.name)

    def _call(self, index: JsonValue, name: str) -> _Call:
        """The call that a piece belongs to: that of its index, unless it brings an id of its own."""
        same = [each for each in self._calls if each.index == index] if index is not None else self._calls[-1:]
        if same and (not name or same[-1].id in ("", name)):
            same[-1].id = same[-1].id or name
            return same[-1]
        self._calls.append(_Call(index, name))
        return self._calls[-1]

    def _read_usage(self, usage: JsonValue) -> None:
        if not isinstance(usage, dict):
            return
        details = usage.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else usage.get("prompt_cache_hit_tokens")
        prompt, completion = _number(usage.get("prompt_tokens")), _number(usage.get("completion_tokens"))
        if prompt or completion:
            self._usage = Usage(prompt=prompt, cached=min(_number(cached), prompt), completion=completion)


def parse(data: bytes) -> Json:
    """A JSON object. Raises FormatError."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise FormatError("what it sends is no JSON") from None
    if not isinstance(found, dict):
        raise FormatError("what it sends is no JSON object")
    return found


def explain(error: JsonValue) -> str:
    """What a server says of an error, on one line of 300 characters at most."""
    said = error
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail") if said.get(key)), json.dumps(said))
    return " ".join((_text(said) or json.dumps(said)).split())[:300]


def _message(message: Message) -> Json:
    content = message.content
    sent: Json = {"role": message.role, "content": content if isinstance(content, str) else [_part(p) for p in content]}
    if message.tool_calls:
        sent["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        sent["tool_call_id"] = message.tool_call_id
    return sent


def _part(part: Part) -> Json:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{part.data}"}}


def _bytes(message: Message) -> int:
    """Of all that is said in a message; a picture counts as bytes of as many tokens."""
    content = (TextPart(text=message.content),) if isinstance(message.content, str) else message.content
    texts = sum(len(part.text.encode()) if isinstance(part, TextPart) else 4 * IMAGE_TOKENS for part in content)
    return texts + sum(len(call.name) + len(call.arguments.encode()) for call in message.tool_calls)


def _text(value: JsonValue) -> str:
    """A text that every database takes: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str):
        return ""
    return value if value.isprintable() else value.replace("\0", "").encode(errors="replace").decode()


def _number(value: JsonValue) -> int:
    return min(max(0, int(value)), 1 << 40) if isinstance(value, int | float) and math.isfinite(value) else 0
