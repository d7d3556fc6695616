"""What the log of a session asks for next: calls to run, an end, a word to the model. Pure functions of the log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from omni.agents.conversation import text_of
from omni.agents.log import Called, Closed, Ended, Entry, Failed, Line, Reason, Replied, Told
from omni.agents.stuck import circling, nudges
from omni.models.wire import ChatReply, ToolCall

EndsWith = Literal["finish", "text"]

REFUSALS = 2
"""So many in a row end the session."""
FRUITLESS = 4
"""Turns in a row that brought nothing that could be used."""

CURLY = "\u2019"
_REFUSAL = re.compile(
    r"\W*(i'?m (very |really )?sorry|i apologi[sz]e|sorry|unfortunately)?[,.:;\s]*(but )?i"
    r"( can'?t|'?m not able to| can ?not| won'?t|'?m unable to| am not able to| am unable to)"
    r" (help|assist|comply|do that|fulfil|continue|provide|create|write|build)",
    re.IGNORECASE,
)

WORDS: dict[Reason, str] = {
    "failure": "Your last answer did not arrive whole ({detail}). Nothing of it was done. Go on, in smaller steps.",
    "refusal": (
        "You declined. This is ordinary software work for the people who own this program. If a part of it must not be "
        "done, say which in the code's documentation and go on with the rest; otherwise call finish and say why."
    ),
    "empty": "Your last answer was empty. Call a tool to go on, or finish.",
    "cut": "Your last answer was cut off at its greatest length. Go on, in smaller steps.",
    "monologue": "You called no tool, so nothing was done. Call a tool to go on; when all is done, call finish.",
    "stuck": (
        "You go round in circles: {detail}. Stop and think: what did the last results say, what have you not looked at "
        "yet? Take another way. If there is none, call finish and say what is missing. You are told this once."
    ),
}


def turns(lines: Sequence[Line]) -> int:
    """How often the model was asked."""
    return sum(isinstance(line.entry, Replied | Failed) for line in lines)


def cut_off(lines: Sequence[Line]) -> bool:
    """Whether the budget ended the session, which goes on once that is raised."""
    return bool(lines) and isinstance(last := lines[-1].entry, Closed) and last.ended == "budget"


def pending(lines: Sequence[Line]) -> tuple[ToolCall, ...]:
    """The calls of the newest reply that have no result yet."""
    turn = _turn(lines)
    reply = next((entry for entry in turn if isinstance(entry, Replied)), None)
    done = {entry.call.id for entry in turn if isinstance(entry, Called)}
    return tuple(call for call in reply.reply.message.tool_calls if call.id not in done) if reply else ()


def ending(lines: Sequence[Line], ends_with: EndsWith) -> tuple[Ended, str] | None:
    """How the session ends by what the newest turn brought, and the word for it."""
    for entry in _turn(lines):
        match entry:
            case Called(ok=True) if entry.call.name == "finish" and ends_with == "finish":
                return "done", entry.text
            case Replied() if (
                ends_with == "text" and not fault(entry, ends_with) and not entry.reply.message.tool_calls
            ):
                return "done", text_of(entry.reply.message)
    faults = _faults(lines, ends_with)
    if faults[-REFUSALS:] == ["refusal"] * REFUSALS:
        return "refused", f"The model declined {REFUSALS} times."
    if len(faults) >= FRUITLESS and all(fault not in {"", "monologue"} for fault in faults[-FRUITLESS:]):
        return "stuck", f"{FRUITLESS} answers in a row could not be used: {', '.join(faults[-FRUITLESS:])}."
    if nudges(lines) and (what := circling(lines)):
        return "stuck", f"Told once, and still: {what}."
    return None


def remark(lines: Sequence[Line], ends_with: EndsWith) -> Told | None:
    """What to say to the model about its newest turn, once."""
    turn = _turn(lines)
    if not turn or any(isinstance(entry, Told) for entry in turn):
        return None
    if what := circling(lines):
        return _told(lines, "stuck", what)
    first = turn[0]
    reason = fault(first, ends_with)
    return _told(lines, reason, first.why if isinstance(first, Failed) else "") if reason else None


def fault(entry: Entry, ends_with: EndsWith) -> Reason | Literal[""]:
    """What is wrong with an answer that calls nothing; empty: nothing, or it calls something."""
    if isinstance(entry, Failed):
        return "failure"
    if not isinstance(entry, Replied) or entry.reply.message.tool_calls:
        return ""
    reply = entry.reply
    if declined(reply):
        return "refusal"
    if reply.finish == "length":
        return "cut"
    if not text_of(reply.message).strip():
        return "empty"
    return "monologue" if ends_with == "finish" else ""


def declined(reply: ChatReply) -> bool:
    """Whether the model, or the server's filter before it, refused; by the filter's word, or by the usual words."""
    return reply.finish == "content_filter" or bool(_REFUSAL.match(text_of(reply.message).replace(CURLY, "'")))


def _told(lines: Sequence[Line], reason: Reason, detail: str) -> Told:
    return Told(turn=turns(lines), reason=reason, text=WORDS[reason].format(detail=detail))


def _faults(lines: Sequence[Line], ends_with: EndsWith) -> list[Reason | Literal[""]]:
    asked = (line.entry for line in lines if isinstance(line.entry, Replied | Failed))
    return [fault(entry, ends_with) for entry in asked]


def _turn(lines: Sequence[Line]) -> list[Entry]:
    """The newest answer and what followed it."""
    starts = [i for i, line in enumerate(lines) if isinstance(line.entry, Replied | Failed)]
    return [line.entry for line in lines[starts[-1] :]] if starts else []
