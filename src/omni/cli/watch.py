"""Shows a run while it goes: a line a stage on a terminal, NDJSON with `--json`, nothing when piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from omni.cli.common import line

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from omni.kernel.events import Event

POLL = 0.1
SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def follow(engine: Engine, run_id: str, done: Callable[[], bool], show: Show, after: int = 0) -> None:
    """Show every event of a run, from the beginning or after an id, until `done`."""
    from omni.kernel.events import replay

    while True:
        last = done()
        for event in replay(engine, run_id, after):
            after = event.id
            show.event(event)
        if last:
            show.end()
            return
        show.tick()
        time.sleep(POLL)


class Show:
    """One way of showing; picks itself by where the output goes."""

    def __init__(self, *, as_json: bool, verbose: bool = False) -> None:
        self._json = as_json
        self._terminal = sys.stderr.isatty() and not as_json
        self._lines = self._terminal or verbose
        self._running: tuple[str, float] | None = None
        self._now = ""
        self._frame = 0

    def event(self, event: Event) -> None:
        if self._json:
            line("event", {"id": event.id, "at": event.at.isoformat(), "kind": event.kind, **event.data})
            return
        data = event.data
        if event.kind == "stage.started":
            self._running = (f"{data['number']:>3}  {data['title']}", time.monotonic())
            self._now = ""
        elif event.kind == "stage.ended" and self._running:
            self._ended(self._running, passed=bool(data["passed"]))
            reasons = data["reasons"]
            for reason in reasons if isinstance(reasons, list) and not data["passed"] else []:
                self._print(f"       {reason}")
        elif event.kind == "check":
            self._now = str(data["check"]) if data["status"] == "started" else self._now
        elif event.kind == "progress":
            self._now = str(data["text"])
        elif event.kind == "approval.waiting":
            run = event.run_id
            self._print(f"  ?  waiting for a person: {data['gate']}, until {str(data['deadline'])[:16]} UTC")
            self._print(f"       omni approve {run}   omni revise {run} --because …   omni reject {run} --because …")
        elif event.kind.startswith("approval."):
            self._print(f"     {data['gate']}: {event.kind.removeprefix('approval.')} by {data['by'] or 'nobody'}")

    def tick(self) -> None:
        """Keep the running line alive."""
        if self._terminal and self._running:
            title, began = self._running
            self._frame += 1
            spinner = SPIN[self._frame % len(SPIN)]
            text = f"\r\033[K{spinner} {title:<34} {time.monotonic() - began:5.1f} s  {self._now[:40]}"
            click.echo(text, nl=False, err=True)

    def end(self) -> None:
        if self._terminal and self._running:
            click.echo("\r\033[K", nl=False, err=True)

    def _ended(self, running: tuple[str, float], *, passed: bool) -> None:
        title, began = running
        mark = click.style("✓", fg="green") if passed else click.style("✗", fg="red")
        self._print(f"{mark} {title:<34} {time.monotonic() - began:5.1f} s")
        self._running = None

    def _print(self, text: str) -> None:
        if self._lines:
            click.echo(f"\r\033[K{text}" if self._terminal else text, err=True)
