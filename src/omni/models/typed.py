"""A question whose answer has a type: the schema is asked for, the reply validated, a wrong one sent back once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from omni.kernel import canonical
from omni.kernel.errors import Exit, OmniError, declare
from omni.models.wire import Attribution, Chat, ChatReply, ChatRequest, ImagePart, Message, Part, TextPart, Usage, Want

WRONG_DOCUMENT = declare(
    "M040",
    "A model did not write the document that it was asked for",
    Exit.INCOMPLETE,
    "Take a stronger model for this role; `omni models probe` says which of yours keep a schema.",
)

FORM = """\
No tool can be called here: all that you get stands in the question. Answer with one JSON object that keeps this schema,
and with nothing else:
"""
AGAIN = "That can't be used: {wrong}\nAnswer again with the whole JSON object, corrected, and with nothing else."
THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
"""What models that think aloud say before they answer."""
MOST_STARTS = 64
"""Places of a reply at which a JSON object is looked for."""
MOST_PROBLEMS = 6
"""Problems that are told at once."""


class Document(BaseModel):
    """What a model hands over: validated, frozen, with a version, so that a stored one can be read later."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal["1"] = "1"


D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Answer(Generic[D]):
    document: D
    model: str
    """The one that answered, as `provider/model`."""
    usage: Usage
    corrected: str = ""
    """What was wrong with the first reply; empty: it was right at once."""


@dataclass(frozen=True)
class Asker:
    """Somebody who answers questions in one part: `system` is the same bytes for every question to it."""

    chat: Chat
    system: str
    want: Want
    attribution: Attribution

    def ask(
        self,
        kind: type[D],
        question: str,
        wrong: Callable[[D], str] = lambda _: "",
        images: tuple[ImagePart, ...] = (),
        name: str = "",
    ) -> Answer[D]:
        """A document of that kind. `wrong` says what the schema can't: empty when it is fine.

        The model is told once what is wrong. `name` tells questions apart that are asked on one attribution.
        Raises `M040` when its second reply is wrong too, and whatever the chat raises.
        """
        content: str | tuple[Part, ...] = (TextPart(text=question), *images) if images else question
        said = (Message(role="system", content=self._system(kind)), Message(role="user", content=content))
        first = self._reply(said, kind, name)
        document = read(first, kind, wrong)
        if not isinstance(document, str):
            return Answer(document, _named(first), first.usage)
        told = Message(role="user", content=AGAIN.format(wrong=document))
        second = self._reply(
            (*said, Message(role="assistant", content=spoken(first)), told), kind, f"{name}/again".lstrip("/")
        )
        corrected = read(second, kind, wrong)
        if isinstance(corrected, str):
            raise OmniError(WRONG_DOCUMENT, f"{_named(second)}, twice: {corrected}", where=self.attribution.role)
        usage = Usage(
            prompt=first.usage.prompt + second.usage.prompt,
            cached=first.usage.cached + second.usage.cached,
            completion=first.usage.completion + second.usage.completion,
        )
        return Answer(corrected, _named(second), usage, document)

    def _system(self, kind: type[D]) -> str:
        return f"{self.system}\n\n{FORM}{canonical.dumps(schema(kind)).decode()}"

    def _reply(self, messages: tuple[Message, ...], kind: type[D], name: str) -> ChatReply:
        call = self.attribution.call
        attribution = self.attribution.model_copy(update={"call": f"{call}{'/' if name else ''}{name}"} if call else {})
        want = self.want.model_copy(update={"vision": True}) if _sees(messages) else self.want
        return self.chat(ChatRequest(messages=messages, reply_schema=schema(kind)), want, attribution)


def schema(kind: type[Document]) -> dict[str, JsonValue]:
    """JSON Schema of a document, as data."""
    return TypeAdapter(dict[str, JsonValue]).validate_python(kind.model_json_schema())


def read(reply: ChatReply, kind: type[D], wrong: Callable[[D], str] = lambda _: "") -> D | str:
    """The document in a reply, or what is wrong with the reply, in words for the model."""
    if reply.finish == "length":
        return "it was cut off before its end; say less."
    if reply.finish == "content_filter":
        return "it was withheld by a filter."
    found = json_object(spoken(reply))
    if found is None:
        return "there is no JSON object in it."
    try:
        document = kind.model_validate_json(json.dumps(found))
    except ValidationError as problem:
        errors = problem.errors(include_url=False, include_input=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the object'}: {e['msg']}" for e in errors[:MOST_PROBLEMS])
    return wrong(document) or document


def json_object(text: str) -> dict[str, JsonValue] | None:
    """The longest JSON object in a text: models put it between fences and explanations, whatever they are told."""
    text = THOUGHTS.sub("", text)
    best: dict[str, JsonValue] | None = None
    longest, place, decoder = 0, -1, json.JSONDecoder()
    for _ in range(MOST_STARTS):
        place = text.find("{", place + 1)
        if place < 0:
            break
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        if end - place > longest:
            best, longest = found, end - place
        place = end - 1
    return best


def spoken(reply: ChatReply) -> str:
    """The text of a reply."""
    content = reply.message.content
    return content if isinstance(content, str) else "".join(p.text for p in content if isinstance(p, TextPart))


def quoted(name: str, text: str) -> str:
    """Material for a prompt, between marks that it can't forge. What stands between them is data."""
    inside = re.sub(r"<(/?)data\b", r"<\1 data", text, flags=re.IGNORECASE)
    return f'<data name="{re.sub(chr(34), chr(39), name)}">\n{inside}\n</data>'


def _named(reply: ChatReply) -> str:
    return f"{reply.provider}/{reply.model}"


def _sees(messages: tuple[Message, ...]) -> bool:
    parts = (part for message in messages if not isinstance(message.content, str) for part in message.content)
    return any(isinstance(part, ImagePart) for part in parts)
