"""The log on each kind of database: append-only, in order, with an event for whoever watches."""

from __future__ import annotations

from sqlalchemy import Engine

from omni.agents.log import Called, Closed, Resumed, SessionLog, sessions
from omni.kernel.events import replay
from omni.models.wire import ToolCall

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
