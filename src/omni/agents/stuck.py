"""Whether a session goes round in circles. Read from the newest turns, since the last word about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omni.agents.conversation import arguments
from omni.agents.log import Called, Line, Replied, Told

SAME = 4
"""The same calls with the same results so many turns in a row."""
SAME_ERROR = 3
"""The same calls, all of which fail the same way."""
ALTERNATING = 6
"""Two turns that take turns."""
MONOLOGUE = 3
"""Turns that only talk."""


@dataclass(frozen=True)
class Turn:
    calls: tuple[tuple[str, str], ...]
    """Tool, and its arguments in one form however they were written."""
    results: tuple[tuple[str, bool], ...]


def circling(lines: Sequence[Line]) -> str:
    """What is repeated, in words for the model and for people; empty: nothing is."""
    turns = _turns(lines)
    last = turns[-1] if turns else None
    if last is None:
        return ""
    if not last.calls:
        return f"{MONOLOGUE} answers in a row without a call of a tool" if _all_alike(turns, MONOLOGUE) else ""
    named = ", ".join(sorted({tool for tool, _ in last.calls}))
    if not any(ok for _, ok in last.results) and _all_alike(turns, SAME_ERROR):
        return f"the same call of {named} failed the same way {SAME_ERROR} times"
    if _all_alike(turns, SAME):
        return f"the same call of {named} had the same result {SAME} times"
    newest = turns[-ALTERNATING:]
    if len(newest) == ALTERNATING and newest[:2] * (ALTERNATING // 2) == newest:
        return f"the same two turns were taken in turn {ALTERNATING // 2} times"
    return ""


def nudges(lines: Sequence[Line]) -> int:
    """How often the session was told that it is stuck."""
    return sum(isinstance(line.entry, Told) and line.entry.reason == "stuck" for line in lines)


def _all_alike(turns: list[Turn], count: int) -> bool:
    newest = turns[-count:]
    return len(newest) == count and all(turn == newest[-1] for turn in newest)


def _turns(lines: Sequence[Line]) -> list[Turn]:
    """The turns since the last nudge."""
    turns: list[Turn] = []
    for line in lines:
        match line.entry:
            case Told(reason="stuck"):
                turns = []
            case Replied():
                turns.append(Turn((), ()))
            case Called() as called if turns:
                given = arguments(called.call)
                call = (called.call.name, called.call.arguments if given is None else repr(sorted(given.items())))
                turns[-1] = Turn((*turns[-1].calls, call), (*turns[-1].results, (called.text, called.ok)))
            case _:
                continue
    return turns
