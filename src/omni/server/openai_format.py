"""OpenAI's chat format from the server's side: what a client sends becomes our types, our reply becomes its. Pure.

A field of a request whose meaning would be lost is refused by name; hints, and what means nothing here, are passed
over. So is what is not known in messages: programs send back what some server once added to an answer.
Format: https://platform.openai.com/docs/api-reference/chat and …/chat-streaming.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag, ValidationError, field_validator

from omni.kernel.errors import Exit, OmniError, declare
from omni.models.vectors import Embedded
from omni.models.wire import (
    Capability,
    ChatReply,
    ChatRequest,
    ImagePart,
    Message,
    Part,
    TextPart,
    ToolCall,
    ToolSpec,
    Usage,
    Want,
)

BAD_REQUEST = declare("M023", "The request is not understood", Exit.USAGE, "Leave out what is named, or correct it.")

Object = dict[str, JsonValue]

WITHOUT_MEANING = ("user", "metadata", "service_tier", "store", "prompt_cache_key", "safety_identifier")
"""Of a request: they change no answer."""
HINTS = ("top_p", "frequency_penalty", "presence_penalty", "reasoning_effort", "verbosity")
"""Of a request: how to answer, and no more; most models that a router may choose know none of them."""
NEUTRAL: Object = {
    "n": 1,
    "logprobs": False,
    "logit_bias": {},
    "parallel_tool_calls": True,
}
"""Of a request: at this value they change no answer; at another they are refused."""
CHOOSE = ("", "auto", "omni")
"""Names that leave the choice of the model to the router."""
MOST_PROBLEMS = 5
"""That are told at once."""
_IMAGE = re.compile(r"data:(image/(?:png|jpeg|webp));base64,([A-Za-z0-9+/=\s]+)")


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Said(BaseModel):
    """A part of a message, or of a tool."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Text(_Said):
    type: Literal["text"]
    text: str

    def part(self) -> Part:
        return TextPart(text=self.text)


class _Url(_Said):
    url: str
    detail: str = ""

    @field_validator("url")
    @classmethod
    def _inside(cls, value: str) -> str:
        if not _IMAGE.fullmatch(value):
            raise ValueError("only data:image/png, jpeg or webp in base64 is taken")
        return value


class _Image(_Said):
    type: Literal["image_url"]
    image_url: _Url

    def part(self) -> Part:
        found = _IMAGE.fullmatch(self.image_url.url)
        media_type, data = found.groups() if found else ("", "")
        return ImagePart.model_validate({"media_type": media_type, "data": data})


class _Function(_Said):
    name: str
    arguments: str = ""


class _Call(_Said):
    id: str = ""
    type: Literal["function"] = "function"
    index: int = 0
    function: _Function


_Part = Annotated[_Text | _Image, Field(discriminator="type")]
_Content = Annotated[
    Annotated[str, Tag("text")] | Annotated[tuple[_Part, ...], Tag("parts")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "parts"),
]


class _Message(_Said):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: _Content = ""
    tool_calls: tuple[_Call, ...] | None = None
    tool_call_id: str = ""

    def message(self) -> Message:
        content = self.content
        return Message(
            role="system" if self.role == "developer" else self.role,
            content=content if isinstance(content, str) else tuple(each.part() for each in content),
            tool_calls=tuple(
                ToolCall(id=each.id, name=each.function.name, arguments=each.function.arguments)
                for each in self.tool_calls or ()
            ),
            tool_call_id=self.tool_call_id,
        )


class _ToolFunction(_Said):
    name: str
    description: str | None = None
    parameters: Object = {"type": "object", "properties": {}}


class _Tool(_Said):
    type: Literal["function"]
    function: _ToolFunction


class _Schema(_Given):
    name: str = ""
    description: str = ""
    schema_: Object = Field(alias="schema")
    strict: bool | None = None


class _Format(_Given):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None

    def schema_of_reply(self) -> Object | None:
        if self.json_schema:
            return self.json_schema.schema_
        return {"type": "object"} if self.type == "json_object" else None


class _StreamOptions(_Given):
    include_usage: bool = False
    include_obfuscation: bool = False


class ChatBody(_Given):
    """The request of a client."""

    model: str = ""
    messages: Annotated[tuple[_Message, ...], Field(min_length=1)]
    tools: tuple[_Tool, ...] = ()
    tool_choice: Literal["auto", "none"] = "auto"
    response_format: _Format | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: str | tuple[str, ...] = ()
    seed: int | None = None
    stream: bool = False
    stream_options: _StreamOptions = _StreamOptions()

    def request(self) -> ChatRequest:
        tools = [each.function for each in self.tools] if self.tool_choice == "auto" else []
        return ChatRequest(
            messages=tuple(each.message() for each in self.messages),
            tools=tuple(
                ToolSpec(name=each.name, description=each.description or "", parameters=each.parameters)
                for each in tools
            ),
            temperature=self.temperature,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            reply_schema=self.response_format.schema_of_reply() if self.response_format else None,
            stop=(self.stop,) if isinstance(self.stop, str) else self.stop,
            seed=self.seed,
        )

    def want(self, granted: Want, request: ChatRequest) -> Want:
        """Who is to answer: what the token says, else `fast`, `balanced`, `heavy` or a model's name, as it is asked."""
        sees = any(isinstance(part, ImagePart) for part in _parts(request))
        needs = {"tools": granted.tools or bool(request.tools), "vision": granted.vision or sees}
        capability = next((each for each in get_args(Capability) if each == self.model), None)
        if granted.model or self.model in CHOOSE:
            return granted.model_copy(update=needs)
        chosen: dict[str, object] = {"capability": capability} if capability else {"model": self.model}
        return granted.model_copy(update=needs | chosen)


def _parts(request: ChatRequest) -> Iterator[Part]:
    return (part for each in request.messages if not isinstance(each.content, str) for part in each.content)


class EmbeddingsBody(_Given):
    model: str = ""
    input: str | Annotated[tuple[str, ...], Field(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] = "float"
    user: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.input,) if isinstance(self.input, str) else self.input


def read_embeddings(data: bytes) -> EmbeddingsBody:
    """What is to become vectors. Raises `M023`."""
    try:
        return EmbeddingsBody.model_validate_json(data)
    except ValidationError as problem:
        raise OmniError(BAD_REQUEST, "; ".join(_problems(problem))) from problem


def embeddings(found: Embedded, encoding: str) -> Object:
    data: list[JsonValue] = []
    for index, vector in enumerate(found.vectors):
        packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        shown: JsonValue = packed if encoding == "base64" else list[JsonValue](vector)
        data.append({"object": "embedding", "index": index, "embedding": shown})
    usage: Object = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"object": "list", "data": data, "model": found.model, "usage": usage}


def read(data: bytes) -> ChatBody:
    """What is asked. Raises `M023` with every field that is wrong or would be lost."""
    try:
        given = json.loads(data)
    except ValueError as problem:
        raise OmniError(BAD_REQUEST, f"it is no JSON: {problem}") from problem
    except RecursionError as problem:
        raise OmniError(BAD_REQUEST, "it is nested too deep") from problem
    if not isinstance(given, dict):
        raise OmniError(BAD_REQUEST, "it is no JSON object")
    try:
        return ChatBody.model_validate(_meant(given))
    except ValidationError as problem:
        raise OmniError(BAD_REQUEST, "; ".join(_problems(problem))) from problem


def _meant(given: Object) -> Object:
    """The request without what means nothing."""
    idle = (*WITHOUT_MEANING, *HINTS)
    kept: Object = {
        name: value
        for name, value in given.items()
        if value is not None and name not in idle and not (name in NEUTRAL and value == NEUTRAL[name])
    }
    messages = kept.get("messages")
    if isinstance(messages, list):
        kept["messages"] = [
            {name: value for name, value in each.items() if value is not None} if isinstance(each, dict) else each
            for each in messages
        ]
    return kept


def _problems(problem: ValidationError) -> list[str]:
    errors = problem.errors(include_url=False, include_context=False, include_input=False)
    # pydantic counts what was wrong as missing, too.
    told = [error for error in errors if error["type"] != "too_short" or len(errors) == 1]
    found = []
    for error in told[:MOST_PROBLEMS]:
        name = ".".join(map(str, error["loc"]))
        if error["type"] == "extra_forbidden":
            allowed = f"; {NEUTRAL[name]!r} is taken" if name in NEUTRAL else ""
            found.append(f"{name} is not passed on{allowed}")
        else:
            found.append(f"{name}: {error['msg'].removeprefix('Value error, ')}")
    return found


def completion(reply: ChatReply, number: str, created: int) -> Object:
    """The reply as one object. `omni` says who answered, and who did not."""
    message: Object = {"role": "assistant", "content": said(reply) or None}
    if reply.message.tool_calls:
        message["tool_calls"] = [dict[str, JsonValue](each) for each in _calls(reply)]
    choice: Object = {"index": 0, "message": message, "finish_reason": _finish(reply), "logprobs": None}
    head = _head("chat.completion", number, created, reply.model)
    return {**head, "choices": [choice], "usage": _usage(reply.usage), "omni": _about(reply)}


def text_event(text: str, number: str, created: int, model: str, *, first: bool) -> bytes:
    """A piece of a streamed reply. `model` as it was asked for: who answers is known at the end."""
    delta: Object = {"role": "assistant", "content": text} if first else {"content": text}
    return _chunk(delta, number, created, model)


def last_events(reply: ChatReply, rest: str, number: str, created: int, *, usage: bool) -> bytes:
    """All that follows the text: the rest of it, calls, why it ended, usage if that is wanted, and the end."""
    pieces = [_chunk({"role": "assistant", "content": rest}, number, created, reply.model)]
    for place, call in enumerate(_calls(reply)):
        delta: Object = {"tool_calls": [{"index": place, **call}]}
        pieces.append(_chunk(delta, number, created, reply.model))
    about: Object = {"omni": _about(reply)}
    pieces.append(_chunk({}, number, created, reply.model, finish=_finish(reply), more=about))
    if usage:
        head = _head("chat.completion.chunk", number, created, reply.model)
        pieces.append(event({**head, "choices": [], "usage": _usage(reply.usage)}))
    return b"".join([*pieces, b"data: [DONE]\n\n"])


def event(data: Object) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def said(reply: ChatReply) -> str:
    content = reply.message.content
    return content if isinstance(content, str) else "".join(each.text for each in content if isinstance(each, TextPart))


def _chunk(
    delta: Object, number: str, created: int, model: str, finish: str | None = None, more: Object | None = None
) -> bytes:
    choice: Object = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({**_head("chat.completion.chunk", number, created, model), "choices": [choice], **(more or {})})


def _head(kind: str, number: str, created: int, model: str) -> Object:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": created, "model": model}


def _calls(reply: ChatReply) -> list[Object]:
    return [
        {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.arguments}}
        for each in reply.message.tool_calls
    ]


def _finish(reply: ChatReply) -> str:
    return "stop" if reply.finish == "unknown" else reply.finish


def _usage(usage: Usage) -> Object:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _about(reply: ChatReply) -> Object:
    return {"provider": reply.provider, "cached": reply.cached, "fallbacks": list[JsonValue](reply.fallbacks)}
