"""What a session has used, by its log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from omni.agents.limits import Limits, Spent, exceeded, spent
from omni.agents.log import Failed, Line, Replied, Resumed
from omni.models.wire import ChatReply, Message, Usage

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_time_between_two_processes_is_nobodys() -> None:
    usage = Usage(prompt=100, cached=60, completion=20)
    reply = ChatReply(
        message=Message(role="assistant", content="x"), finish="stop", usage=usage, provider="local", model="m"
    )
    entries = [
        (0, Resumed()),
        (10, Replied(turn=1, reply=reply, cost=0.5)),
        (9000, Resumed()),
        (9005, Failed(turn=2, why="cut")),
    ]
    lines = [Line(n, BEGAN + timedelta(seconds=at), entry) for n, (at, entry) in enumerate(entries, 1)]
    assert spent(lines) == Spent(steps=2, usage=usage, cost=0.5, seconds=15.0)


def test_without_limits_nothing_is_exceeded() -> None:
    used = Spent(steps=59, usage=Usage(prompt=10**9), cost=1e6, seconds=3599)
    assert exceeded(Limits(), used) == ""
