"""The durable workflow: every stage a step whose result is kept, every question a wait that survives.

After `kill -9` at any instant the same run is taken up again: finished stages are not repeated, the stage that was
cut short starts again from its commit, a wait keeps its deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from dbos import DBOS, DBOSClient, SetWorkflowID
from sqlalchemy import Engine

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.settings import Settings
from omni.pipeline import approvals
from omni.pipeline.audit import log
from omni.pipeline.run import CHANGE, FLOW, load, reopened, set_status
from omni.pipeline.runner import Runner
from omni.pipeline.serializer import JsonSerializer

RUN_STALE = declare("P003", "The run was begun by another version", Exit.FAILED, "Build it anew: omni build …")

_runner: Runner | None = None


def start(run_id: str, settings: Settings, engine: Engine, endpoint: str = "") -> Runner:
    """Start a run in this process, or take it up where it was left; returns at once.

    `Runner.stopped` is set when the run has ended or can't go on. Hold `lock.working_on` around it: the identity given
    to DBOS is the run's, so that a later process takes up what an earlier one left. `endpoint`: where an engine from
    outside asks models, as `http://127.0.0.1:…`.
    Raises OmniError when another version of the flow began the run.
    """
    global _runner  # noqa: PLW0603 - DBOS is one per process, and so is the run that it executes
    run = load(engine, run_id)
    if run.flow != (current := CHANGE if run.options.changes else FLOW):
        raise OmniError(RUN_STALE, f"it follows flow {run.flow}, this is flow {current}", where=run_id)
    again = reopened(engine, run_id)
    runner = _runner = Runner(run, settings, engine, endpoint, again)
    DBOS(
        config={
            "name": "omni-build",
            "system_database_url": _database_url(settings),
            "executor_id": f"run-{run_id}",
            "application_version": run.flow,
            "serializer": JsonSerializer(),
            "log_level": "CRITICAL",  # what goes wrong in a stage is told by `failure`
        }
    )
    DBOS.launch()
    workflow = _workflow(run_id, again)
    with SetWorkflowID(workflow):
        handle = DBOS.start_workflow(_build, run_id)
    for approval in approvals.answered(engine, run_id):  # whoever answered may have been killed before the call
        DBOS.send(workflow, "answered", topic=approval, idempotency_key=approval)

    def watch() -> None:
        try:
            handle.get_result(polling_interval_sec=0.1)
        except RuntimeError as error:
            runner.failure = error
        runner.stopped.set()

    threading.Thread(target=watch, daemon=True, name="omni-run").start()
    return runner


def wake(settings: Settings, engine: Engine, run_id: str, approval: str) -> None:
    """Tell a run that its question was answered, whether or not a process works on it. Twice is the same as once."""
    workflow = _workflow(run_id, reopened(engine, run_id))
    client = DBOSClient(system_database_url=_database_url(settings), serializer=JsonSerializer())
    try:
        client.send(workflow, "answered", topic=approval, idempotency_key=approval)
    finally:
        client.destroy()


def _workflow(run_id: str, again: int) -> str:
    """Id of the workflow that works on a run: one that goes on after its end is another one.

    It runs the same flow; what former ones did is at hand in the tables of stages and approvals.
    """
    return f"{run_id}.{again}" if again else run_id


@DBOS.workflow(name="build")
def _build(run_id: str) -> str:
    runner = _runner
    if runner is None or runner.run.id != run_id:
        raise RuntimeError(f"this process does not work on run {run_id}")

    def keep(name: str, function: Callable[[], str]) -> str:
        return DBOS.run_step({"name": name}, _guarded, runner, function)

    def wait(approval: str, seconds: float) -> None:
        DBOS.recv(topic=approval, timeout_seconds=seconds)  # only a call to wake up: the answer is in the table

    verdict = runner.execute(keep, wait)
    keep("end", lambda: _end(runner, verdict))
    return verdict


def _guarded(runner: Runner, function: Callable[[], str]) -> str:
    """An error leaves the step unfinished, as a kill would: once its cause is mended, resume does it again."""
    try:
        return function()
    except BaseException as error:
        runner.failure = error
        runner.stopped.set()
        threading.Event().wait()  # the process ends by its main thread; the workflow stays as it is
        raise


def _end(runner: Runner, verdict: str) -> str:
    """The run is over; the log of its decisions is kept beside it, since only a copy shows that a log was cut."""
    if runner.run.options.model:
        from omni.pipeline.measured import keep_result  # what asks models takes time to load, and most builds ask none

        keep_result(runner.run, runner.settings, runner.engine)
    log(runner.settings, runner.engine).export(runner.settings.home / "runs" / runner.run.id / "audit.jsonl")
    set_status(runner.engine, runner.run.id, "ended", verdict)
    return verdict


def _database_url(settings: Settings) -> str:
    """Where workflow state lives: a file of its own beside SQLite, a schema of its own on PostgreSQL."""
    if settings.database_url.startswith("sqlite"):
        return f"sqlite:///{settings.home / 'workflows.sqlite'}"
    return settings.database_url
