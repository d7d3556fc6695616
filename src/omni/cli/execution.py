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
from omni.pipeline.handoffs import PackageHandoff, ReviewHandoff, exit_code
from omni.pipeline.lock import working_on
from omni.pipeline.run import handoff_of, load
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
    from omni.kernel.artifacts import ArtifactStore

    run = load(engine, run_id)
    store = ArtifactStore(settings.home / "artifacts")
    result: dict[str, object] = {"run": run.id, "status": run.status, "verdict": run.verdict}
    try:
        result["out"] = PackageHandoff.model_validate_json(store.get(handoff_of(engine, run_id, "package"))).out
        review = ReviewHandoff.model_validate_json(store.get(handoff_of(engine, run_id, "review")))
        result |= {"score": review.score, "not_delivered": review.not_delivered}
    except KeyError:
        pass
    code = exit_code(run.verdict) if run.status == "ended" else Exit.INCOMPLETE
    if run.status == "cancelled":
        code = Exit.FAILED
    if as_json:
        line("result", {**result, "exit_code": int(code)})
        return code
    click.echo(f"{run.verdict or run.status}  run {run.id}")
    if "out" in result:
        click.echo(f"package  {result['out']}\nreport   {result['out']}/report.html")
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
