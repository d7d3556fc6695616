"""When a window fills: what makes way, what must not be forgotten, and that the log loses nothing."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.agents.compaction import FULL, compact, digest, size
from omni.agents.conversation import messages
from omni.agents.log import Began, Called, Entry, Line, Replied, Told
from omni.kernel import clock
from omni.models.wire import ChatReply, Message, ToolCall, Usage

OPENING = (Message(role="system", content="You write code."), Message(role="user", content="Make it work."))


def lines(*entries: Entry) -> list[Line]:
    began = Began(opening=OPENING, tools=(), snapshot="s")
    return [Line(number, clock.now(), entry) for number, entry in enumerate((began, *entries), 1)]


def turn(number: int, text: str, tool: str, given: dict[str, str], result: str, *, ok: bool = True) -> list[Entry]:
    call = ToolCall(id=f"call_{number}_0", name=tool, arguments=json.dumps(given))
    reply = ChatReply(
        message=Message(role="assistant", content=text, tool_calls=(call,)),
        finish="tool_calls",
        usage=Usage(),
        provider="local",
        model="m",
    )
    return [Replied(turn=number, reply=reply), Called(turn=number, call=call, text=result, ok=ok)]


STORY = [
    *turn(1, "The parser comes first.", "write", {"path": "src/parser.py", "text": "…"}, "Written."),
    *turn(2, "", "edit", {"path": "src/parser.py"}, "No text like this: def parse(", ok=False),
    *turn(3, "I read it again, then mend the box.", "edit", {"path": "src/parser.py"}, "1 edit applied."),
    *turn(4, "", "bash", {"command": "python -m pytest"}, "collected 3 items\n1 failed, 2 passed in 0.1s", ok=False),
    *turn(5, "", "read", {"path": "src/parser.py"}, "x" * 9000),
]


def test_the_digest_keeps_decisions_structure_errors_and_tests() -> None:
    assert digest(lines(*STORY), 8000) == snapshot("""\
The turns before this one, summed up from the log. The files are as you left them; read what you need.

## What you decided
- turn 1: The parser comes first.
- turn 3: I read it again, then mend the box.

## Files you worked on
- src/parser.py: write 1 times, edit 1 times, read 1 times

## Errors you met
- turn 2, edit src/parser.py: No text like this: def parse(
- turn 4, bash python -m pytest: collected 3 items 1 failed, 2 passed in 0.1s

## Test results
- turn 4, bash python -m pytest: 1 failed, 2 passed in 0.1s\
""")


def test_older_turns_make_way_when_the_window_is_full_and_not_before() -> None:
    assert compact(lines(*STORY), 8000, 5) is None
    compacted = compact(lines(*STORY), 3000, 5)
    assert compacted is not None
    assert compacted.upto == 9
    told = messages(lines(*STORY, compacted))
    assert [message.role for message in told] == ["system", "user", "assistant", "user", "assistant", "tool"]
    assert told[:2] == OPENING
    assert told[3].content == compacted.digest
    assert told[5].content == "x" * 9000


def test_what_the_server_counted_counts() -> None:
    entries = turn(1, "", "read", {}, "x" * 40)
    assert isinstance(entries[0], Replied)
    usage = Usage(prompt=5000, completion=100)
    counted = entries[0].model_copy(update={"reply": entries[0].reply.model_copy(update={"usage": usage})})
    assert size(lines(counted, entries[1])) == 5110


def test_what_cannot_make_way_stays() -> None:
    assert compact(lines(*turn(1, "", "read", {}, "x" * 99_000)), 3000, 1) is None
    assert compact(lines(Told(turn=0, reason="empty", text="x" * 99_000)), 3000, 0) is None


@given(st.lists(st.tuples(st.text(max_size=400), st.integers(0, 6000)), max_size=25), st.integers(2000, 20_000))
def test_a_session_of_any_length_stays_within_its_window(turns: list[tuple[str, int]], window: int) -> None:
    kept = lines()
    for number, (text, length) in enumerate(turns, 1):
        if compacted := compact(kept, window, number):
            kept.append(Line(len(kept) + 1, clock.now(), compacted))
        result = "x" * min(length, window)  # a result of more than a quarter of the window is cut before it gets here
        for entry in turn(number, text, "bash", {"command": text}, result):
            kept.append(Line(len(kept) + 1, clock.now(), entry))
        before = [line for line in kept if line.number <= len(kept) - 2]
        assert size(before) < max(FULL, 0.3 + 0.25 + 0.25 + 0.1) * window + 1000
    said = messages(kept)
    answers = {call.id for message in said for call in message.tool_calls}
    assert {message.tool_call_id for message in said if message.role == "tool"} == answers
