"""What a person sees of a run on a terminal, and in its log."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
from inline_snapshot import snapshot

from omni.cli import watch
from omni.kernel.canonical import JsonValue
from omni.kernel.events import Event

RUN = "01a2005a-0295-74c1-88ad-97d34c70c00a"
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Screen:
    """A terminal of 80 columns."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._written = ""

    def lines(self) -> list[str]:
        """What stands there now: a carriage return goes back, `ESC [K` erases the rest of the line."""
        self._written += self._capsys.readouterr().err
        shown = []
        for row in self._written.split("\n"):
            assert row.count("\r") == row.count("\033[K"), "what is drawn over is erased"
            shown.append(row.split("\r")[-1].replace("\033[K", "").rstrip())
        return shown


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: os.terminal_size((80, 24)))
    return Screen(capsys)


def event(kind: str, seconds: float, **data: JsonValue) -> Event:
    return Event(1, RUN, BEGAN + timedelta(seconds=seconds), kind, data)


def stage(kind: str, seconds: float, **data: JsonValue) -> Event:
    about: dict[str, JsonValue] = {"stage": "fast", "number": "4", "title": "Fast verification", "attempt": 0}
    return event(f"stage.{kind}", seconds, **about, **data)


def test_a_stage_that_runs_says_what_and_since_when(screen: Screen) -> None:
    view = watch.Terminal()
    for one in (stage("started", 0), event("check", 1, check="tests", status="started")):
        view.event(one)
    view.event(event("check", 1, check="types", status="started"))
    view.tick(BEGAN + timedelta(seconds=12.3))
    assert screen.lines() == snapshot(["⠙   4  Fast verification       12.3 s  tests, types"])
    view.event(event("check", 13, check="tests", status="pass"))
    view.event(event("check", 13, check="a-check-with-a-very-long-name-that-does-not-fit-here", status="started"))
    view.tick(BEGAN + timedelta(seconds=13))
    assert len(screen.lines()[-1]) == 79, "it never wraps"


def test_what_failed_says_why_and_nothing_of_the_live_line_stays(screen: Screen) -> None:
    view = watch.Terminal()
    view.event(stage("started", 0))
    view.tick(BEGAN + timedelta(seconds=1))
    reason = "secrets/password: a password stands in the source src/app/config.py:12 Read it from the environment."
    view.event(stage("ended", 2.5, passed=False, reasons=[reason]))
    view.end()
    assert screen.lines() == snapshot(
        [
            "✗   4  Fast verification        2.5 s",
            "       secrets/password: a password stands in the source src/app/config.py:12",
            "       Read it from the environment.",
            "",
        ]
    )


def test_what_nobody_could_judge_is_not_shown_as_passed(screen: Screen) -> None:
    view = watch.Terminal()
    view.event(stage("started", 0))
    view.event(stage("ended", 2.5, passed=True, reasons=[], doubt="nobody could judge: nobody answered"))
    view.end()
    assert screen.lines() == snapshot(
        ["?   4  Fast verification        2.5 s", "       nobody could judge: nobody answered", ""]
    )


def test_a_wait_says_on_whom_until_when_and_what_to_type(screen: Screen) -> None:
    view = watch.Terminal()
    view.event(event("approval.waiting", 0, gate="spec_approval", deadline="2026-01-04T03:04:05+00:00"))
    view.tick(BEGAN + timedelta(seconds=5))
    assert screen.lines() == snapshot(
        [
            "       A person decides at spec_approval, until 2026-01-04 03:04 UTC:",
            "         omni approve 01a2005a-0295-74c1-88ad-97d34c70c00a",
            '         omni revise 01a2005a-0295-74c1-88ad-97d34c70c00a --because "…"',
            '         omni reject 01a2005a-0295-74c1-88ad-97d34c70c00a --because "…"',
            "⠙   ?  waiting: spec_approval    5.0 s",
        ]
    )
    view.event(event("approval.approved", 6, gate="spec_approval", by="ada"))
    view.end()
    assert screen.lines()[-2:] == ["       spec_approval: approved by ada", ""]


def test_without_a_terminal_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert type(watch.live(as_json=False)) is watch.View
    assert isinstance(watch.live(as_json=True), watch.JsonLines)


def test_a_log_line_tells_everything(capsys: pytest.CaptureFixture[str]) -> None:
    watch.LogLines().event(stage("ended", 2, passed=True, reasons=[]))
    assert capsys.readouterr().out == snapshot(
        "     1  2026-01-02 03:04:07  stage.ended        stage=fast  number=4  title=Fast verification  "
        "attempt=0  passed=true\n"
    )


def test_a_model_at_work(screen: Screen) -> None:
    """Its turns, tokens and tools; what goes wrong stays to be read."""
    terminal = watch.Terminal()
    terminal.event(event("stage.started", 0, stage="implementation", number="2", title="Implementation", attempt=0))
    terminal.event(event("agent.replied", 1, session="s", turn=1, tokens=1200, cached=800, model="local/m"))
    terminal.event(event("agent.called", 2, session="s", turn=1, tool="bash", ok=False))
    terminal.event(event("agent.told", 2, session="s", turn=1, reason="refusal"))
    terminal.event(event("budget.alert", 2, percent=50, used=1200, tokens=2400))
    terminal.event(event("agent.replied", 3, session="s", turn=2, tokens=1300, cached=1200, model="local/m"))
    terminal.tick(BEGAN + timedelta(seconds=4))
    assert screen.lines() == snapshot(
        [
            "       turn 1: refusal",
            "       50 % of the budget of 2400 tokens is used",
            "⠙   2  Implementation           4.0 s  turn 2, 2500 tokens, replied",
        ]
    )
