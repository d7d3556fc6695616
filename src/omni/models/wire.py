"""What is said to a model and what it answers: the part of OpenAI's chat format that every server speaks.

Ours to say: these types refuse what they don't know. What a server sends is read leniently (`omni.models.client`) and
comes out as these types, so that no other room sees a provider's habits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolSpec(Model):
    """A tool as a model is told of it."""

    name: str
    description: str
    parameters: dict[str, JsonValue]
    """JSON Schema of an object."""


class ToolCall(Model):
    """What a model wants done. `arguments` is the text that it wrote: meant as JSON, and at times it isn't."""

    id: str
    name: str
    arguments: str


class TextPart(Model):
    type: Literal["text"] = "text"
    text: str


class ImagePart(Model):
    type: Literal["image"] = "image"
    media_type: Literal["image/png", "image/jpeg", "image/webp"]
    data: str
    """Base64."""


Part = TextPart | ImagePart


class Message(Model):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | tuple[Part, ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant."""
    tool_call_id: str = ""
    """Of a tool's result: the call it answers."""


class ChatRequest(Model):
    """One question. Which model answers is not said here but by `Want`."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    """Of the reply."""
    reply_schema: dict[str, JsonValue] | None = None
    """JSON Schema that the reply's text has to keep; None: free text."""
    stop: tuple[str, ...] = ()
    seed: int | None = None


class Usage(Model):
    """Tokens of one call. `cached` are those of the prompt that the server had at hand."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0

    @property
    def total(self) -> int:
        return self.prompt + self.completion


Finish = Literal["stop", "length", "tool_calls", "content_filter", "unknown"]


class ChatReply(Model):
    message: Message
    finish: Finish
    usage: Usage
    provider: str
    model: str
    """The one that answered: id in the catalog."""
    cached: bool = False
    """From the semantic cache: nobody was asked."""
    fallbacks: tuple[str, ...] = ()
    """Who was to answer and did not, as `provider/model: why`; a substitution is never silent."""
    seconds: float = 0.0
    first_token: float = 0.0
    """Seconds until the first piece of the answer."""


Capability = Literal["fast", "balanced", "heavy"]


class Want(Model):
    """Who should answer. `model` names one of the catalog (`id` or `provider/id`); empty: the router chooses."""

    capability: Capability = "balanced"
    model: str = ""
    tools: bool = False
    vision: bool = False
    not_models: tuple[str, ...] = ()
    """Ids that must not answer: a reviewer is another model than the author."""


class Attribution(Model):
    """On whose account a call goes. `call` names it within the run: the same call is never paid for twice."""

    run: str = ""
    stage: str = ""
    role: str = ""
    prompt: str = ""
    """Version of the prompt, as `P1.2@3`."""
    project: str = ""
    call: str = ""
    """Empty: nameless, and not kept."""


class Chat(Protocol):
    """The one function by which the other rooms ask a model.

    Raises `omni.kernel.errors.OmniError`: M-codes of `omni.models.errors` (nobody can answer, the budget is used up …).
    """

    def __call__(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply: ...
