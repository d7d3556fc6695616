"""A model that says what a test wants it to say, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from omni.models.wire import Attribution, ChatReply, ChatRequest, Message, Usage, Want

Said = str | BaseModel | Mapping[str, object]


@dataclass
class Speaker:
    """Fulfils `omni.models.wire.Chat`; one reply after the other."""

    replies: Iterator[Said]
    model: str = "one"
    asked: list[tuple[ChatRequest, Want, Attribution]] = field(default_factory=list)

    def __call__(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        self.asked.append((request, want, attribution))
        said = next(self.replies)
        text = said if isinstance(said, str) else written(said)
        message = Message(role="assistant", content=text)
        usage = Usage(prompt=10, completion=5)
        return ChatReply(message=message, finish="stop", usage=usage, provider="test", model=self.model)

    @property
    def questions(self) -> list[str]:
        """The last message of every request."""
        return [str(request.messages[-1].content) for request, _, _ in self.asked]


def speaker(*replies: Said, model: str = "one") -> Speaker:
    return Speaker(iter(replies), model)


def written(said: BaseModel | Mapping[str, object]) -> str:
    return said.model_dump_json() if isinstance(said, BaseModel) else json.dumps(said)
