"""Shows a run while it goes: a line a stage on a terminal, NDJSON with `--json`, nothing when piped."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import click

from omni.cli.common import line

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from omni.kernel.events import Event

POLL = 0.1
SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
INDENT = 7


class View:
    """One way of showing a run. This one shows nothing."""

    def event(self, event: Event) -> None:
        """Something happened."""

    def tick(self, now: datetime) -> None:
        """Nothing happened for a moment."""

    def end(self) -> None:
        """Nothing more will happen here."""


def live(*, as_json: bool) -> View:
    """How `omni build` and its like show a run, by where their output goes."""
    if as_json:
        return JsonLines()
    return Terminal() if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else View()


def follow(engine: Engine, run_id: str, done: Callable[[], bool], view: View, after: int = 0) -> None:
    """Show every event of a run, from the beginning or after an id, until `done`."""
    from omni.kernel import clock
    from omni.kernel.events import replay

    while True:
        last = done()
        while found := replay(engine, run_id, after):
            for event in found:
                view.event(event)
            after = found[-1].id
        if last:
            view.end()
            return
        view.tick(clock.now())
        time.sleep(POLL)


class JsonLines(View):
    """Every event as one line for a program."""

    def event(self, event: Event) -> None:
        # Last, so that no event's data can pass for another kind of event.
        line("event", {**event.data, "id": event.id, "at": event.at.isoformat(), "kind": event.kind})


class LogLines(View):
    """Every event as one line for a person."""

    def event(self, event: Event) -> None:
        shown = {name: value for name, value in event.data.items() if value not in ("", [], None)}
        told = "  ".join(f"{name}={_plain(value)}" for name, value in shown.items())
        click.echo(f"{event.id:>6}  {event.at:%Y-%m-%d %H:%M:%S}  {event.kind:<18} {told}".rstrip())


@dataclass
class Terminal(View):
    """A line for every stage that is done, and one that lives: what runs, and since when."""

    _title: str = ""
    """Of what the live line tells; empty: there is none."""
    _since: datetime | None = None
    _checks: list[str] = field(default_factory=list)
    _note: str = ""
    _tokens: int = 0
    """That models took in this stage."""
    _frame: int = 0

    def event(self, event: Event) -> None:
        data = event.data
        match event.kind:
            case "stage.started":
                self._begin(f"{data['number']:>3}  {data['title']}", event.at)
            case "stage.ended" if self._since:
                self._ended(event, (event.at - self._since).total_seconds())
            case "check":
                self._check(str(data["check"]), str(data["status"]))
            case "progress":
                self._note = str(data["text"])
            case "specialist.called":
                self._note = f"{data['title']} ({data['role']})"
            case "agent.waiting":
                self._print(f"{data['agent']} waits: as many agents as the budget allows are at work")
            case kind if kind.startswith("agent."):
                self._agent(kind.removeprefix("agent."), event)
            case "budget.alert" | "budget.paused":
                self._print(f"{data['percent']} % of the budget of {data['tokens']} tokens is used")
            case "gpu.queued":
                self._print(f"{data['model']} waits: {data['why']}")
            case "note":
                self._print(str(data["text"]))
            case "approval.waiting":
                self._waits(event)
            case "run.cancelled":
                self._print("cancelled")
            case kind if kind.startswith("approval."):
                self._begin("", None)
                self._print(f"{data['gate']}: {kind.removeprefix('approval.')} by {data['by'] or 'nobody'}")

    def tick(self, now: datetime) -> None:
        if self._title and self._since:
            self._frame += 1
            seconds = max(0.0, (now - self._since).total_seconds())
            doing = ", ".join(self._checks) or self._note
            text = f"{SPIN[self._frame % len(SPIN)]} {self._title:<26} {seconds:6.1f} s  {doing}"
            draw(text)

    def end(self) -> None:
        draw("")

    def _begin(self, title: str, since: datetime | None) -> None:
        self._title, self._since = title, since
        self._checks, self._note, self._tokens = [], "", 0

    def _ended(self, event: Event, seconds: float) -> None:
        passed, reasons = bool(event.data["passed"]), event.data["reasons"]
        doubt = str(event.data.get("doubt", ""))
        good = click.style("?", fg="yellow") if doubt else click.style("✓", fg="green")
        mark = good if passed else click.style("✗", fg="red")
        draw("")
        click.echo(f"{mark} {self._title:<26} {seconds:6.1f} s", err=True)
        self._begin("", None)
        for reason in reasons if isinstance(reasons, list) and not passed else []:
            self._print(str(reason))
        if doubt:
            self._print(doubt)

    def _check(self, check: str, status: str) -> None:
        if status == "started":
            self._checks.append(check)
        elif check in self._checks:
            self._checks.remove(check)

    def _agent(self, kind: str, event: Event) -> None:
        """What a model does now; where it goes wrong, a line that stays."""
        data = event.data
        if kind == "replied":
            self._tokens += _number(data["tokens"])
        if kind in {"told", "failed", "refused"}:
            self._print(f"turn {data.get('turn', '?')}: {data.get('reason') or data.get('why')}")
        doing = f"{data['tool']} {'✓' if data['ok'] else '✗'}" if kind == "called" else kind
        self._note = f"turn {data.get('turn', 0)}, {self._tokens} tokens, {doing}"

    def _waits(self, event: Event) -> None:
        run = event.run_id
        until = datetime.fromisoformat(str(event.data["deadline"]))
        self._print(f"A person decides at {event.data['gate']}, until {until:%Y-%m-%d %H:%M} UTC:")
        for command in commands(run, str(event.data["gate"])):
            self._print(f"  {command}")
        self._begin(f"  ?  waiting: {event.data['gate']}", event.at)

    def _print(self, text: str) -> None:
        draw("")
        width, indent = shutil.get_terminal_size().columns - 1, " " * INDENT
        further = indent + " " * (len(text) - len(text.lstrip()))
        lines = textwrap.wrap(text, width - INDENT, break_long_words=False, break_on_hyphens=False)
        for number, part in enumerate(lines):
            click.echo(f"{further if number else indent}{part}", err=True)


def draw(text: str) -> None:
    """Replace the live line of a terminal. Not by `click.echo`: without colour that would drop the erasing too."""
    sys.stderr.write(f"\r{text[: shutil.get_terminal_size().columns - 1]}\033[K")
    sys.stderr.flush()


def commands(run_id: str, gate: str) -> tuple[str, ...]:
    """What a person may type about a run that waits at a gate."""
    because = f'{run_id} --because "…"'
    if gate == "budget":
        return f"omni approve {run_id}", f"omni budget {run_id} --raise-to TOKENS", f"omni reject {because}"
    if gate == "unlimited_budget":
        return f"omni approve {run_id}", f"omni reject {because}"
    return f"omni approve {run_id}", f"omni revise {because}", f"omni reject {because}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
