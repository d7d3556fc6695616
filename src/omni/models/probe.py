"""What a model really can: asked of the model itself, with tasks whose right answer is known.

A list of models says what somebody hopes. A local server with the wrong template calls no tools, one with the wrong
window forgets the beginning without a word, and both look fine until a build has failed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict, JsonValue, SecretStr, ValidationError

from omni.models.client import Answer, Endpoint, EndpointError, Pace, chat, http_client
from omni.models.probe_words import BUILD_CONTEXT, fit
from omni.models.typed import json_object
from omni.models.wire import ChatRequest, ImagePart, Message, Model, TextPart, ToolCall, ToolSpec

Ask = Callable[[ChatRequest, Callable[[str], None]], Answer]
"""Asks one model, and nobody in its place. Raises EndpointError."""

MOST_REPLY = 2048
"""Tokens of a reply: models that think aloud need some before they answer."""

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
FIRST_LENGTH = 1000
"""Tokens of the first text in which something is hidden; each further one is twice as long."""
CHARACTERS_A_TOKEN = 4
"""Of English text, about; what the server counts is reported where it counts."""


class Finding(Model):
    name: str
    ok: bool | None
    """None: not tried, and `said` is why."""
    said: str
    first_token: float = 0.0
    """Seconds. Of this and the following, 0: not measured."""
    tokens_per_second: float = 0.0
    context_kept: int = 0
    """Tokens of the longest text of which it knew the beginning and the middle."""
    context_lost: int = 0
    """Tokens of the first text of which it did not; 0: it knew every one that was tried."""


class Report(Model):
    endpoint: str
    model: str
    findings: tuple[Finding, ...]
    fit: str
    """In plain words."""
    calls: int
    tokens: int

    def finding(self, name: str) -> Finding:
        return next(finding for finding in self.findings if finding.name == name)


class Asker:
    """One model, with count of what asking it takes."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._temperature: float | None = 0.0
        self.calls = 0
        self.tokens = 0

    def ask(self, request: ChatRequest, heard: Callable[[str], None] = lambda _: None) -> Answer:
        """As little by chance as the model allows. Raises EndpointError."""
        self.calls += 1
        limited = request.model_copy(update={"temperature": self._temperature, "max_tokens": MOST_REPLY})
        try:
            answer = self._ask(limited, heard)
        except EndpointError as error:
            if error.kind != "rejected" or "temperature" not in error.why.lower() or self._temperature is None:
                raise
            self._temperature = None
            return self.ask(request, heard)
        self.tokens += answer.usage.total
        return answer


@contextmanager
def direct(endpoint: Endpoint, key: SecretStr | None, pace: Pace) -> Iterator[Ask]:
    """Asks the endpoint by itself: no router, so nobody answers in its place."""
    with asyncio.Runner() as loop:
        http = http_client(pace)
        try:
            yield lambda request, heard: loop.run(chat(http, endpoint, key, request, pace, heard))
        finally:
            loop.run(http.aclose())


def probe(ask: Ask, endpoint: Endpoint, longest: int) -> Report:
    """Ask a model what it can. `longest`: the most tokens that are sent in one question; all take about twice that."""
    asker = Asker(ask)
    checks: dict[str, Check] = {
        "answers": _answers,
        "streams": _streams,
        "tools": _tools,
        "schema": _schema,
        "edits": _edits,
        "sees": _sees,
        "context": lambda asker: _context(asker, longest),
    }
    findings: list[Finding] = []
    for name, check in checks.items():
        findings.append(_finding(name, check, asker, _reason_to_skip(name, findings, endpoint)))
    return Report(
        endpoint=endpoint.place.name,
        model=endpoint.model.id,
        findings=tuple(findings),
        fit=fit(findings),
        calls=asker.calls,
        tokens=asker.tokens,
    )


Check = Callable[[Asker], tuple[bool, str] | Finding]


def _reason_to_skip(name: str, before: list[Finding], endpoint: Endpoint) -> str:
    if before and not before[0].ok:
        return "it does not answer"
    return "it is said to read text only" if name == "sees" and endpoint.model.vision is False else ""


def _finding(name: str, check: Check, asker: Asker, reason: str) -> Finding:
    if reason:
        return Finding(name=name, ok=None, said=f"not tried: {reason}")
    try:
        found = check(asker)
    except EndpointError as error:
        return Finding(name=name, ok=False, said=_plain(error.why))
    return found if isinstance(found, Finding) else Finding(name=name, ok=found[0], said=found[1])


def _user(text: str) -> Message:
    return Message(role="user", content=text)


def _text(reply: Answer) -> str:
    content = reply.message.content
    parts = [content] if isinstance(content, str) else [part.text for part in content if isinstance(part, TextPart)]
    return _THOUGHTS.sub("", "".join(parts))


def _shown(text: str) -> str:
    """Some of what a model said, for a person."""
    plain = _plain(text)
    return f"“{plain[:60]}…”" if len(plain) > 60 else f"“{plain}”"


def _plain(text: str) -> str:
    """In one line, without what would move the cursor."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))


def _answers(asker: Asker) -> tuple[bool, str]:
    reply = asker.ask(ChatRequest(messages=(_user("Answer with one word: ready"),)))
    said = _text(reply)
    if not said.strip() and reply.finish == "length":
        return False, f"after {MOST_REPLY:,} tokens of thought it had not begun to answer"
    return bool(said.strip()), f"{_shown(said)} after {reply.seconds:.1f} s"


def _streams(asker: Asker) -> Finding:
    pieces: list[str] = []
    words = "Write the numbers from 1 to 60 in words, separated by commas, and nothing else."
    reply = asker.ask(ChatRequest(messages=(_user(words),)), pieces.append)
    writing = reply.seconds - reply.first_piece
    speed = (reply.usage.completion - 1) / writing if reply.usage.completion > 1 and writing > 0 else 0.0
    return Finding(
        name="streams",
        ok=len(pieces) > 1,
        said=f"{len(pieces)} pieces, the first after {reply.first_piece:.2f} s",
        first_token=round(reply.first_piece, 3),
        tokens_per_second=round(speed, 1),
    )


ADD = ToolSpec(
    name="add",
    description="Add two whole numbers.",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
)


class _Sum(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    a: int
    b: int


def _tools(asker: Asker) -> tuple[bool, str]:
    """It has to call the tool with the right arguments, and then to use what the tool says (which no sum is)."""
    question = _user("Use the tool to add 1729 and 4104. Then tell me what the tool answered.")
    reply = asker.ask(ChatRequest(messages=(question,), tools=(ADD,)))
    calls = reply.message.tool_calls
    if not calls:
        return False, f"it called no tool and said {_shown(_text(reply))}"
    if wrong := _wrong_call(calls[0]):
        return False, wrong
    answer = Message(role="tool", tool_call_id=calls[0].id, content="The counter is stuck at 5821.")
    said = Message(role="assistant", content=reply.message.content, tool_calls=calls[:1])
    after = asker.ask(ChatRequest(messages=(question, said, answer), tools=(ADD,)))
    used = "5821" in _text(after).replace(",", "")
    return used, "right arguments, and it used the result" if used else f"it ignored the result: {_shown(_text(after))}"


def _wrong_call(call: ToolCall) -> str:
    try:
        given = _Sum.model_validate_json(call.arguments)
    except ValidationError:
        return f"arguments that do not keep the schema: {_shown(call.arguments)}"
    if call.name != ADD.name or {given.a, given.b} != {1729, 4104}:
        return f"a wrong call: {_shown(f'{call.name}({call.arguments})')}"
    return ""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    customer: str
    items: list[str]
    paid: bool
    total_cents: int


def _schema(asker: Asker) -> tuple[bool, str]:
    order = "Maria Okafor ordered a lamp and two chairs for 219.50 dollars; she has not paid yet."
    request = ChatRequest(
        messages=(_user(f"Write this order as JSON with customer, items, paid and total_cents: {order}"),),
        reply_schema=_as_json(_Order.model_json_schema()),
    )
    text = _text(asker.ask(request))
    try:
        found = _Order.model_validate(json_object(text) or {})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        return False, f"not kept ({'.'.join(map(str, problem['loc']))}: {problem['msg']}): {_shown(text)}"
    right = (found.paid, found.total_cents) == (False, 21950) and "Okafor" in found.customer
    return True, "kept, with the right values" if right else f"kept, but with wrong values: {_shown(text)}"


def _as_json(value: object) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = json.loads(json.dumps(value))
    return found


EDIT = """\
def total(prices, discount):
    result = 0
    for price in prices:
        result += price
    return result


def average(prices):
    result = 0
    for price in prices:
        result += price
    return result
"""
EDITED = EDIT[: EDIT.rindex("return result")] + "return result / len(prices)\n"
"""`total` has the same lines: an edit has to say enough to mean one place."""


class _Edit(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    old: str
    new: str


def _edits(asker: Asker) -> tuple[bool, str]:
    """An exact-replace edit, as the agents make them."""
    task = (
        "Here is prices.py:\n\n" + EDIT + "\n`average` must return the average: its last line has to be\n"
        "    return result / len(prices)\nChange nothing else. Answer with JSON: `old` is text of the file, copied "
        "exactly, that occurs once in it; `new` is what takes its place."
    )
    request = ChatRequest(messages=(_user(task),), reply_schema=_as_json(_Edit.model_json_schema()))
    text = _text(asker.ask(request))
    try:
        edit = _Edit.model_validate(json_object(text) or {})
    except ValidationError:
        return False, f"no edit: {_shown(text)}"
    if EDIT.count(edit.old) != 1:
        times = "not" if edit.old not in EDIT else f"{EDIT.count(edit.old)} times"
        return False, f"the text to replace is {times} in the file: {_shown(edit.old)}"
    right = EDIT.replace(edit.old, edit.new) == EDITED
    return right, "one edit, in the right place" if right else f"it changed something else: {_shown(edit.new)}"


def _sees(asker: Asker) -> tuple[bool, str]:
    picture = ImagePart(media_type="image/png", data=base64.b64encode(_png((0, 0, 255), 64)).decode())
    question = TextPart(text="Which one colour is this picture? Answer with one word.")
    request = ChatRequest(messages=(Message(role="user", content=(question, picture)),))
    said = _text(asker.ask(request))
    return "blue" in said.lower(), f"it called a blue picture {_shown(said)}"


def _png(color: tuple[int, int, int], side: int) -> bytes:
    """A square of one colour: PNG, 8 bits of red, green and blue (RFC 2083)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(color) * side) * side
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _context(asker: Asker, longest: int) -> Finding:
    """The longest text of which it still knows the beginning and the middle; servers cut there without a word."""
    kept = 0
    for length in lengths(longest):
        tokens, wrong = _remembers(asker, length)
        if not tokens:  # once is chance: another text of this length decides
            tokens, wrong = _remembers(asker, length, again=True)
        if not tokens:
            ok = kept >= BUILD_CONTEXT
            return Finding(name="context", ok=ok, said=wrong, context_kept=kept, context_lost=length)
        kept = tokens
    return Finding(name="context", ok=True, said=f"everything tried, up to {kept:,} tokens", context_kept=kept)


def _remembers(asker: Asker, length: int, *, again: bool = False) -> tuple[int, str]:
    """The tokens of a text of which it knows both words; or 0, and what went wrong."""
    text, words = haystack(length, again=again)
    question = f"{text}\nWhich two code words stand in the lines above? Answer with the two words only."
    try:
        reply = asker.ask(ChatRequest(messages=(_user(question),)))
    except EndpointError as error:
        return 0, f"refused at about {length:,} tokens: {_plain(error.why)}"
    said = _text(reply).lower()
    if not all(word in said for word in words):
        return 0, f"forgotten in a text of about {length:,} tokens: {_shown(said)}"
    return length if reply.estimated else reply.usage.prompt or length, ""


def lengths(longest: int) -> Iterator[int]:
    """1,000, 2,000, 4,000 … and `longest` itself."""
    length = FIRST_LENGTH
    while length < longest:
        yield length
        length *= 2
    yield longest


def haystack(tokens: int, *, again: bool = False) -> tuple[str, tuple[str, str]]:
    """A text of about so many tokens, and the two words that stand at its beginning and in its middle."""
    words = (
        (f"heron{tokens % 83}", f"badger{tokens % 79}") if again else (f"kestrel{tokens % 97}", f"marmot{tokens % 89}")
    )
    lines: list[str] = []
    size, wanted = 0, tokens * CHARACTERS_A_TOKEN
    hidden = [(0, words[0]), (wanted // 2, words[1])]
    while size < wanted:
        if hidden and size >= hidden[0][0]:
            line = f"Remember this code word: {hidden.pop(0)[1]}."
        else:
            number = len(lines)
            line = f"Shelf {number} holds {number * 7919 % 83} boxes of {_GOODS[number * 31 % len(_GOODS)]}."
        lines.append(line)
        size += len(line) + 1
    return "\n".join(lines), words


_GOODS = ("nails", "candles", "maps", "lamps", "ropes", "buttons", "bells", "spoons", "kettles", "mirrors", "pencils")
