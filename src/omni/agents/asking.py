"""Asks a model, and does not wait for one that gives no sign of life."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from omni.kernel.errors import Exit, OmniError, declare
from omni.models.wire import Attribution, Chat, ChatReply, ChatRequest, Want

SILENT = declare(
    "A020",
    "The model gives no sign of life",
    Exit.INCOMPLETE,
    "Look at its server (omni models probe), then go on with the run.",
)


def ask(
    chat: Chat,
    request: ChatRequest,
    want: Want,
    attribution: Attribution,
    on_text: Callable[[str], None] | None,
    idle: float,
) -> ChatReply:
    """The reply. Raises OmniError as `chat` does, and when nothing was heard for `idle` seconds."""
    heard = [time.monotonic()]
    answers: list[ChatReply | BaseException] = []

    def hear(text: str) -> None:
        heard[0] = time.monotonic()
        if on_text:
            on_text(text)

    def work() -> None:
        try:
            answers.append(chat(request, want, attribution, hear))
        except BaseException as error:
            answers.append(error)

    thread = threading.Thread(target=work, daemon=True, name="omni-ask")
    thread.start()
    while thread.is_alive():
        thread.join(max(0.01, heard[0] + idle - time.monotonic()))
        if thread.is_alive() and time.monotonic() >= heard[0] + idle:
            raise OmniError(SILENT, f"nothing was heard for {idle:g} seconds", where=want.model)
    answer = answers[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer
