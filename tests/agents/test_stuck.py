"""Going round in circles: what counts, and what doesn't."""

from __future__ import annotations

import pytest

from omni.agents.log import Called, Entry, Line, Replied, Told
from omni.agents.stuck import circling, nudges
from omni.kernel import clock
from omni.models.wire import ChatReply, Message, ToolCall, Usage

READ = ("read", '{"path": "a", "lines": "1"}', "text", True)
READ_OTHERWISE = ("read", '{ "lines":"1", "path":"a" }', "text", True)
FAIL = ("edit", '{"path": "a"}', "no such text", False)
WRITE = ("write", '{"path": "a"}', "written", True)
NUDGE = Told(turn=0, reason="stuck", text="")
REMINDER = Told(turn=0, reason="monologue", text="")
Turn = list[tuple[str, str, str, bool]]


def lines(*turns: Turn | Told) -> list[Line]:
    entries: list[Entry] = []
    for number, turn in enumerate(turns, 1):
        if isinstance(turn, Told):
            entries.append(turn)
            continue
        calls = tuple(ToolCall(id=str(place), name=call[0], arguments=call[1]) for place, call in enumerate(turn))
        message = Message(role="assistant", tool_calls=calls)
        reply = ChatReply(message=message, finish="stop", usage=Usage(), provider="local", model="m")
        entries.append(Replied(turn=number, reply=reply))
        entries += [
            Called(turn=number, call=call, text=text, ok=ok) for call, (_, _, text, ok) in zip(calls, turn, strict=True)
        ]
    return [Line(number, clock.now(), entry) for number, entry in enumerate(entries, 1)]


@pytest.mark.parametrize(
    ("turns", "what"),
    [
        ([], ""),
        ([[READ]] * 3, ""),
        ([[READ]] * 4, "the same call of read had the same result 4 times"),
        ([[READ], [READ_OTHERWISE]] * 2, "the same call of read had the same result 4 times"),
        ([[READ]] * 3 + [[("read", READ[1], "other text", True)]], ""),
        ([[FAIL]] * 2, ""),
        ([[FAIL]] * 3, "the same call of edit failed the same way 3 times"),
        ([[FAIL, READ]] * 3, ""),
        ([[FAIL, READ]] * 4, "the same call of edit, read had the same result 4 times"),
        ([[READ], [FAIL]] * 3, "the same two turns were taken in turn 3 times"),
        ([[READ], [FAIL], [WRITE]] * 3, ""),
        ([[], REMINDER, []], ""),
        ([[], REMINDER, [], REMINDER, []], "3 answers in a row without a call of a tool"),
        ([[READ]] * 3 + [NUDGE] + [[READ]] * 3, ""),
        ([[READ]] * 3 + [NUDGE] + [[READ]] * 4, "the same call of read had the same result 4 times"),
    ],
)
def test_circles(turns: list[Turn | Told], what: str) -> None:
    assert circling(lines(*turns)) == what


def test_only_words_about_circles_are_nudges() -> None:
    assert nudges(lines([], REMINDER, [], NUDGE)) == 1
