"""What a scripted reply looks like on OpenAI's wire: one object, or the events of a stream. Pure.

Format: https://platform.openai.com/docs/api-reference/chat and …/chat-streaming, …/embeddings.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import struct
from collections.abc import Iterator

from pydantic import JsonValue

from omni.models.script_rules import Question, Reply, Script
from omni.models.wire import Usage

Object = dict[str, JsonValue]

ERRORS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
"""OpenAI's word for a status; `server_error` for all others."""
ARGUMENT_PIECE = 12
"""Characters of a call's arguments in one event."""


def error(status: int, message: str) -> Object:
    kind = ERRORS.get(status, "server_error")
    return {"error": {"message": message or f"scripted {status}", "type": kind, "param": None, "code": None}}


def completion(reply: Reply, question: Question) -> Object:
    """The reply as one object."""
    message: Object = {"role": "assistant", "content": "".join(reply.words) or None}
    if reply.refusal:
        message["refusal"] = reply.refusal
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call, name, arguments in _calls(reply, question)
        ]
    choice: Object = {"index": 0, "message": message, "finish_reason": _finish(reply), "logprobs": None}
    usage = _usage(reply, question)
    return {**_head("chat.completion", question), "choices": [choice], "usage": usage}


def events(reply: Reply, question: Question) -> Iterator[bytes]:
    """The reply as server-sent events; usage comes last, for who asks for it by `stream_options`."""
    head = _head("chat.completion.chunk", question)
    role: Object = {"role": "assistant"}
    for delta in _deltas(reply, question):
        yield _event({**head, "choices": [{"index": 0, "delta": {**role, **delta}, "finish_reason": None}]})
        role = {}
    yield _event({**head, "choices": [{"index": 0, "delta": role, "finish_reason": _finish(reply)}]})
    options = question.body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        yield _event({**head, "choices": [], "usage": _usage(reply, question)})
    yield b"data: [DONE]\n\n"


def embeddings(script: Script, body: Object) -> Object:
    """A vector for each text. Equal texts have equal vectors, and texts that share words have similar ones."""
    given = body.get("input")
    texts = [str(each) for each in given] if isinstance(given, list) else [str(given)]
    asked = body.get("dimensions")
    size = asked if isinstance(asked, int) and asked > 0 else script.dimensions
    data: list[JsonValue] = []
    for index, text in enumerate(texts):
        vector = embed(text, size)
        packed = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        shown: JsonValue = packed if body.get("encoding_format") == "base64" else list[JsonValue](vector)
        data.append({"object": "embedding", "index": index, "embedding": shown})
    tokens = sum(map(_tokens, texts))
    usage: Object = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body.get("model"), "usage": usage}


def embed(text: str, size: int) -> list[float]:
    """A unit vector of words by feature hashing (Weinberger et al. 2009); the same on every machine."""
    vector = [0.0] * size
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        vector[int.from_bytes(digest[:4], "big") % size] += 1.0 if digest[4] & 1 else -1.0
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else [1.0, *vector[1:]]


def _event(data: Object) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def _head(kind: str, question: Question) -> Object:
    # The time is left at 0: a scripted answer is the same bytes whenever it is given.
    return {"id": f"chatcmpl-{question.number}", "object": kind, "created": 0, "model": question.model}


def _calls(reply: Reply, question: Question) -> list[tuple[str, str, str]]:
    """Id, name and arguments of each call, as they are sent."""
    return [
        (
            call.id or f"call_{question.turn}_{place}",
            call.name,
            call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False),
        )
        for place, call in enumerate(reply.tool_calls)
    ]


def _deltas(reply: Reply, question: Question) -> Iterator[Object]:
    for word in reply.words:
        yield {"content": word}
    if reply.refusal:
        yield {"refusal": reply.refusal}
    for place, (call, name, arguments) in enumerate(_calls(reply, question)):
        begin: Object = {"index": place, "id": call, "type": "function", "function": {"name": name, "arguments": ""}}
        yield {"tool_calls": [begin]}
        for start in range(0, len(arguments), ARGUMENT_PIECE):
            piece: Object = {"arguments": arguments[start : start + ARGUMENT_PIECE]}
            yield {"tool_calls": [{"index": place, "function": piece}]}


def _finish(reply: Reply) -> str:
    return reply.finish or ("tool_calls" if reply.tool_calls else "stop")


def _usage(reply: Reply, question: Question) -> Object:
    said = "".join(reply.words) + reply.refusal + "".join(f"{call.name}{call.arguments}" for call in reply.tool_calls)
    asked = json.dumps([question.body.get("messages"), question.body.get("tools")], ensure_ascii=False)
    usage = reply.usage or Usage(prompt=_tokens(asked), completion=_tokens(said))
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _tokens(text: str) -> int:
    return -(-len(text) // 4)
