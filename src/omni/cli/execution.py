"""Works on a run in this process, shows it, and says how it ended."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from omni.cli.common import line
from omni.cli.errors import show
from omni.cli.watch import Show, follow
from omni.kernel.errors import Exit, OmniError
from omni.pipeline.handoffs import exit_code
from omni.pipeline.lock import working_on
from omni.pipeline.run import load
from omni.pipeline.summary import summarize
from omni.pipeline.workflow import start

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from omni.kernel.settings import Settings
    from omni.pipeline.run import Run


def execute(run: Run, settings: Settings, engine: Engine, *, as_json: bool, wait: bool = True) -> int:
    """Take the run to its end, or to where it waits or can't go on; returns the exit code."""
    with working_on(settings, run.id):
        runner = start(run.id, settings, engine)
        if not as_json and sys.stderr.isatty():
            click.echo(f"run {run.id}", err=True)

        def done() -> bool:
            return runner.stopped.wait(0) or _left(engine, run.id, wait=wait)

        try:
            follow(engine, run.id, done, Show(as_json=as_json))
        except KeyboardInterrupt:
            click.echo(f"\nstopped; nothing is lost. Go on with: omni runs resume {run.id}", err=True)
            _leave(130)
        if runner.failure is not None:
            _failed(runner.failure, run.id, as_json=as_json)
        code = conclude(engine, settings, run.id, as_json=as_json)
        _leave(code)


def conclude(engine: Engine, settings: Settings, run_id: str, *, as_json: bool) -> int:
    """Say how a run stands; returns the exit code that goes with it."""
    summary = summarize(settings, engine, run_id)
    code = {"ended": exit_code(summary.verdict), "cancelled": Exit.FAILED}.get(summary.status, Exit.INCOMPLETE)
    if as_json:
        line("result", {**summary.model_dump(mode="json"), "exit_code": int(code)})
        return code
    click.echo(f"{summary.verdict or summary.status}  run {summary.run}  {summary.seconds:.0f} s")
    for phrase in summary.not_delivered:
        click.echo(f"  not delivered: {phrase}")
    for reason in summary.reasons if summary.verdict != "pass" else ():
        click.echo(f"  {reason}")
    if summary.out:
        click.echo(f"  report:  {summary.out}/report.html\n  app:     cd {summary.out}/app && make run")
    return code


def _left(engine: Engine, run_id: str, *, wait: bool) -> bool:
    status = load(engine, run_id).status
    return status == "cancelled" or (status == "waiting" and not wait)


def _failed(failure: BaseException, run_id: str, *, as_json: bool) -> NoReturn:
    """Show why the run can't go on. It is where it was, and can be resumed."""
    advice = f"Then go on with: omni runs resume {run_id}"
    if isinstance(failure, OmniError):
        failure = OmniError(failure.kind, failure.why, where=failure.where, fix=f"{failure.fix} {advice}")
    _leave(show(failure, as_json=as_json))


def _leave(code: int) -> NoReturn:
    """End the process now: the workflow's threads may be in the middle of a stage, and that is fine."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
