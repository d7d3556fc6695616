"""Works on a run in this process, shows it, and says how it ended."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from omni.cli.common import line
from omni.cli.errors import show
from omni.cli.watch import commands, follow, live
from omni.kernel.errors import Exit
from omni.pipeline.approvals import question
from omni.pipeline.handoffs import exit_code
from omni.pipeline.lock import working_on
from omni.pipeline.run import NATIVE, OVER, load
from omni.pipeline.scratch import scratch
from omni.pipeline.summary import ChangeSummary, Summary, summarize
from omni.pipeline.workflow import start
from omni.verify.outputs.summary import number

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from omni.kernel.settings import Settings
    from omni.pipeline.run import Run

COLOURS = {"pass": "green", "fail": "red", "rejected": "red", "cancelled": "red"}


def execute(run: Run, settings: Settings, engine: Engine, *, as_json: bool, wait: bool = True) -> NoReturn:
    """Take the run to its end, or to where it waits or can't go on; ends the process with the exit code of that."""
    with working_on(settings, run.id), scratch(run.id), _endpoint(run, settings, engine) as endpoint:
        code = _execute(run, settings, engine, endpoint, as_json=as_json, wait=wait)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # the workflow's threads may be in the middle of a stage, and that is fine


@contextmanager
def _endpoint(run: Run, settings: Settings, engine: Engine) -> Iterator[str]:
    """Where an engine from outside asks models, so that it is routed, budgeted and logged; empty: none is at work."""
    if run.options.engine in NATIVE or run.status in OVER:
        yield ""
        return
    from omni.server.models import app, served  # a web server: only for who needs one

    with served(app(settings, engine)) as url:
        yield url


def _execute(run: Run, settings: Settings, engine: Engine, endpoint: str, *, as_json: bool, wait: bool) -> int:
    if run.status in OVER:
        return conclude(engine, settings, run.id, as_json=as_json)
    if not as_json and sys.stderr.isatty():
        click.echo(f"run {run.id}", err=True)
    try:
        runner = start(run.id, settings, engine, endpoint)

        def done() -> bool:
            return runner.stopped.wait(0) or _left(engine, run.id, wait=wait)

        follow(engine, run.id, done, live(as_json=as_json))
    except KeyboardInterrupt:
        click.echo(f"\nstopped; nothing is lost. Go on with: omni runs resume {run.id}", err=True)
        return 130
    if runner.failure is not None:
        return show(runner.failure, as_json=as_json, advice=f"Then go on with: omni runs resume {run.id}")
    return conclude(engine, settings, run.id, as_json=as_json)


def conclude(engine: Engine, settings: Settings, run_id: str, *, as_json: bool) -> int:
    """Say how a run stands; returns the exit code that goes with it."""
    summary = summarize(settings, engine, run_id)
    code = {"ended": exit_code(summary.verdict), "cancelled": Exit.FAILED}.get(summary.status, Exit.INCOMPLETE)
    if as_json:
        line("result", {**summary.model_dump(mode="json"), "exit_code": int(code)})
        return code
    verdict = summary.verdict or summary.status
    click.echo(f"{click.style(verdict, fg=COLOURS.get(verdict, 'yellow'))}  run {summary.run}  {summary.seconds:.0f} s")
    for text in _told(summary):
        click.echo(f"  {text}")
    return code


def _told(summary: Summary) -> list[str]:
    """The lines below the verdict: why, and what to do next."""
    told = list(summary.reasons) if summary.verdict != "pass" else []
    if summary.tests:
        figures = [f"{summary.files} files", f"{summary.lines} lines", f"{summary.tests} tests"]
        figures += [f"{summary.coverage:.1f} % of branches"] if summary.coverage is not None else []
        figures += [f"score {summary.score:.1f}/10"] if summary.score is not None else []
        told.append(f"built:   {', '.join(figures)}")
    if summary.models:
        asked = f"{summary.turns} turns, {summary.tokens} tokens, {summary.cached:.0%} of the questions at hand"
        told.append(f"models:  {', '.join(summary.models)}: {asked}; omni runs transcript {summary.run}")
    if summary.change:
        told += _changed(summary.change)
    if summary.placed:
        told += [f"placed:  {summary.placed.folder}", f"take it: git merge {summary.placed.branch}"]
    if summary.waits_at:
        told += [f"a person decides at {summary.waits_at}:", *commands(summary.run, summary.waits_at)]
    elif summary.status == "running":
        told.append(f"go on with: omni runs resume {summary.run}")
    if summary.out:
        out = _short(Path(summary.out))
        told += [
            f"report:  {out / 'report.html'}",
            f"run it:  git clone {shlex.quote(str(out / 'app'))} my-app && cd my-app && make run",
        ]
    return told


def _changed(change: ChangeSummary) -> list[str]:
    """What came of a change, and how it is looked at and taken."""
    told = [f"tests:   before: {change.before or 'not run'}; after: {change.after or 'not run'}"]
    told += [f"proved:  {name} failed before and passes" for name in change.green]
    told.append(
        f"size:    {number(change.added, 'line')} added, {change.removed} removed in {number(change.files, 'file')}"
    )
    if change.branch:
        told += [f"look:    git log -p HEAD..{change.branch}", f"take it: git merge {change.branch}"]
    return [*told, f"report:  {_short(Path(change.folder)) / 'report.html'} (and change.patch beside it)"]


def _short(path: Path) -> Path:
    """As one would type it from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _left(engine: Engine, run_id: str, *, wait: bool) -> bool:
    """Whether this process leaves the run: it was cancelled, or a person is waited for and we don't wait."""
    status = load(engine, run_id).status
    if status == "waiting" and not wait:
        asked = question(engine, run_id)
        return asked is not None and not asked.expired
    return status == "cancelled"
