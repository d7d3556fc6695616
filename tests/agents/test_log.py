"""The log on each kind of database: append-only, in order, with an event for whoever watches."""

from __future__ import annotations

from sqlalchemy import Engine

from omni.agents.log import Called, Closed, Replied, Resumed, SessionLog, answered_by, sessions
from omni.kernel.events import replay
from omni.models.wire import ChatReply, Message, ToolCall, Usage

CALLED = Called(turn=1, call=ToolCall(id="c", name="bash", arguments='{"command": "\\u0000"}'), text="\0é😀", ok=True)


def test_entries_come_back_as_they_went_in(engine: Engine) -> None:
    log = SessionLog(engine, "run-a/implementation#0")
    entries = [Resumed(), CALLED, Closed(turn=1, ended="done", summary="ok")]
    kept = [log.append(entry) for entry in entries]
    assert [line.number for line in kept] == [1, 2, 3]
    assert SessionLog(engine, log.session).lines() == tuple(kept)
    assert [line.entry for line in kept] == entries
    assert [(event.kind, event.data) for event in replay(engine, "run-a")] == [
        ("agent.resumed", {"session": log.session}),
        ("agent.called", {"session": log.session, "turn": 1, "tool": "bash", "ok": True, "seconds": 0.0}),
        ("agent.closed", {"session": log.session, "turn": 1, "ended": "done"}),
    ]


def test_sessions_of_a_run_are_its_own_in_the_order_in_which_they_began(engine: Engine) -> None:
    for session in ("a%b/implementation#1", "a%b/implementation#0", "axb/implementation#0", "a%bc/x"):
        SessionLog(engine, session).append(Resumed())
    assert sessions(engine, "a%b") == ("a%b/implementation#1", "a%b/implementation#0")


def test_who_answered_in_a_session_are_those_of_its_parts_too(engine: Engine) -> None:
    answers = [
        ("a%b/change#1", "planner"),
        ("a%b/change#1", "another"),
        ("a%b/change#1+call_1_0", "small"),
        ("a%b/change#1+call_1_1", "large"),
        ("a%b/change#10", "of another attempt"),
        ("a%b/change#1.1", "of another session"),
        ("a%b/change#1/P3.1", "of a specialist"),
        ("axb/change#1+call_1_0", "of another run"),
    ]
    for session, model in answers:
        message = Message(role="assistant", content="Done.")
        reply = ChatReply(message=message, finish="stop", usage=Usage(), provider="local", model=model)
        SessionLog(engine, session).append(Replied(turn=1, reply=reply))
    SessionLog(engine, "a%b/change#1").append(CALLED)
    named = {"local/planner", "local/another", "local/small", "local/large"}
    assert answered_by(engine, "a%b/change#1") == named
    assert answered_by(engine, "a%b/change#2") == frozenset()
