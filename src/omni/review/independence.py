"""Nobody approves their own work: who judges is another model than every author."""

from __future__ import annotations

from collections.abc import Callable, Collection

from omni.kernel.errors import OmniError
from omni.models.errors import NO_ANSWER
from omni.models.wire import Attribution, Chat, ChatReply, ChatRequest, Want


def independent(model: str, authors: Collection[str]) -> bool:
    """Whether a judge is none of the authors; all as `provider/model`. Another provider makes no other model."""
    return _id(model) not in {_id(author) for author in authors}


def barred(authors: Collection[str]) -> tuple[str, ...]:
    """For `Want.not_models`: the authors, wherever they are served."""
    return tuple(sorted({*authors, *map(_id, authors)}))


def impartial(chat: Chat) -> Chat:
    """Asks who is barred only where nobody else can answer: better a judgement that is marked than none.

    Which model answered is in the reply, so that `independent` says the truth of it.
    """

    def ask(
        request: ChatRequest, want: Want, attribution: Attribution, on_text: Callable[[str], None] | None = None
    ) -> ChatReply:
        try:
            return chat(request, want, attribution, on_text)
        except OmniError as problem:
            if problem.kind is not NO_ANSWER or not want.not_models:
                raise
            return chat(request, want.model_copy(update={"not_models": ()}), attribution, on_text)

    return ask


def _id(model: str) -> str:
    return model.partition("/")[2] or model
