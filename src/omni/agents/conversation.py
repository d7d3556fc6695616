"""From the log of a session to what the model is sent: a pure function, so that a request can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from omni.agents.log import Began, Called, Compacted, Entry, Failed, Line, Replied, Told
from omni.models.wire import Message, ToolCall

NO_ANSWER = "(No answer arrived.)"
EMPTY = "(An empty answer.)"
CUT_HERE = "(Earlier turns are not shown from here on.)"


def messages(lines: Sequence[Line]) -> tuple[Message, ...]:
    """The opening, then what happened, or the newest digest of it, in the order in which it happened.

    User and assistant alternate, which the templates of some models insist on.
    """
    said = list(_opening(lines))
    digest = newest_digest(lines)
    if digest:
        said += [Message(role="assistant", content=CUT_HERE), Message(role="user", content=digest.digest)]
    for line in lines:
        if line.number > (digest.upto if digest else 0):
            said += _said(line.entry)
    return tuple(said)


def newest_digest(lines: Sequence[Line]) -> Compacted | None:
    return next((line.entry for line in reversed(lines) if isinstance(line.entry, Compacted)), None)


def text_of(message: Message) -> str:
    """The text of a message, without its pictures."""
    if isinstance(message.content, str):
        return message.content
    return "".join(part.text for part in message.content if part.type == "text")


def arguments(call: ToolCall) -> dict[str, object] | None:
    """What a call was given; None when it is no JSON object."""
    try:
        found = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _opening(lines: Sequence[Line]) -> tuple[Message, ...]:
    return next((line.entry.opening for line in lines if isinstance(line.entry, Began)), ())


def _said(entry: Entry) -> Iterator[Message]:
    match entry:
        case Replied():
            yield _sendable(entry.reply.message)
        case Called():
            yield Message(role="tool", content=entry.text, tool_call_id=entry.call.id)
        case Failed():
            yield Message(role="assistant", content=NO_ANSWER)
        case Told():
            yield Message(role="user", content=entry.text)
        case _:
            return


def _sendable(message: Message) -> Message:
    """Servers read the arguments of earlier calls again, and some fail where these are no JSON object."""
    if not message.tool_calls:
        return message if text_of(message).strip() else message.model_copy(update={"content": EMPTY})
    calls = tuple(
        call if arguments(call) is not None else call.model_copy(update={"arguments": _quoted(call.arguments)})
        for call in message.tool_calls
    )
    return message.model_copy(update={"tool_calls": calls})


def _quoted(text: str) -> str:
    return json.dumps({"not_json": text}, ensure_ascii=False)
