"""A run: one request on its way from sentence to package, as rows in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Connection, Engine, Row, func, insert, select, update

from omni.kernel import clock, events
from omni.kernel.canonical import JsonValue
from omni.kernel.database import writing
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.ids import uuid7
from omni.kernel.tables import approvals, runs, stages
from omni.kernel.tables import events as event_log

if TYPE_CHECKING:
    from omni.pipeline.handoffs import Handoff
    from omni.pipeline.stage import Stage

NO_RUN = declare("P001", "There is no such run", Exit.USAGE, "Type: omni runs list")

OVER = ("ended", "cancelled")
"""Statuses in which nobody works on a run. It leaves `ended` only when its budget was raised since: `open_again`."""

FLOW, CHANGE = "1", "change-2"
"""Versions of the two flows, of a build and of a change of a repository. Raise one when its stages or their order
change: a run in flight is then refused with advice."""


NATIVE = ("", "native")
"""Names of Omni's own engine: sessions of `omni.agents.session`."""


class RunOptions(BaseModel):
    """What was chosen for this run when it began; whoever takes it up later goes by the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: str = ""
    """Folder that the package is written to; empty: kept in the Omni home."""
    template: str = ""
    answers: dict[str, str] = {}
    """Question id → answer."""
    waive: tuple[str, ...] = ()
    """Parts of the request given up by name."""
    profile: Literal["autonomous", "supervised"] = "autonomous"
    """When people are asked."""
    retries: int = 2
    """How often implementation is tried again on findings."""
    model: str = ""
    """Who delivers what no template knows: an enabled model, or `auto`; empty: nobody."""
    engine: str = ""
    """Whose hands do a model's work: an engine of `omni.agents.engines`; empty: Omni's own."""
    budget: str = "medium"
    """Of tokens, when a model is asked: a preset of `omni.models.budget`, or a number."""
    repository: str = ""
    """Folder of the repository that is to be changed; empty: something new is built, and stands by itself."""
    change: str = ""
    """bugfix, feature, refactor, migration or new-service; empty: as the request's words say."""
    environment: str = ""
    """Virtual environment for the repository's tests; empty: its own `.venv`."""

    @property
    def changes(self) -> bool:
        """Whether code that is there is changed; a new service is built, also where a repository takes it."""
        return bool(self.repository) and self.change != "new-service"


@dataclass(frozen=True)
class Run:
    id: str
    request: str
    options: RunOptions
    status: str
    """running, waiting, cancelled, or ended."""
    verdict: str
    """pass, fail, incomplete or rejected once it has ended; empty before."""
    flow: str
    created_at: datetime
    updated_at: datetime


def create(engine: Engine, request: str, options: RunOptions) -> Run:
    """Record a new run. It starts when `execute` is called on it."""
    now = clock.now().replace(microsecond=0)
    run_id = uuid7()
    with writing(engine) as connection:
        connection.execute(
            insert(runs).values(
                id=run_id,
                project="",
                request=request,
                flow=CHANGE if options.changes else FLOW,
                status="running",
                options=options.model_dump(mode="json"),
                created_at=now,
                updated_at=now,
            )
        )
        events.record(connection, run_id, "run.created", {})
    return load(engine, run_id)


def load(engine: Engine, run_id: str) -> Run:
    """The run of that id, or of the only id that ends or begins with it. Raises OmniError when there is none."""
    column = runs.c.id
    matches = column.endswith(run_id, autoescape=True) | column.startswith(run_id, autoescape=True)
    with engine.connect() as connection:
        found = connection.execute(select(runs).where(matches)).all()
    if not run_id or len(found) != 1:
        raise OmniError(NO_RUN, f"{len(found) if run_id else 0} runs match {run_id!r}, one should")
    return _run(found[0])


def recent(engine: Engine, limit: int = 50) -> list[Run]:
    """The newest runs first."""
    with engine.connect() as connection:
        return [_run(row) for row in connection.execute(select(runs).order_by(runs.c.id.desc()).limit(limit))]


def set_status(engine: Engine, run_id: str, status: str, verdict: str = "") -> None:
    """Where a run stands, and the event of it. A run that is over stays as it is."""
    with writing(engine) as connection:
        if move(connection, run_id, status, verdict):
            events.record(connection, run_id, f"run.{status}", {"verdict": verdict})


def move(connection: Connection, run_id: str, status: str, verdict: str = "") -> bool:
    """The same as a part of a transaction, without an event; whether it was done."""
    going = update(runs).where(runs.c.id == run_id, runs.c.status.not_in(OVER))
    return connection.execute(going.values(status=status, verdict=verdict, updated_at=clock.now())).rowcount == 1


def raised_since_its_end(engine: Engine, run_id: str) -> bool:
    """Whether a person has raised the budget of a run after it ended."""
    ends = select(func.max(event_log.c.id)).where(_of(run_id, "run.ended")).scalar_subquery()
    raised = select(event_log.c.id).where(_of(run_id, "budget.raised"), event_log.c.id > ends)
    with engine.connect() as connection:
        return connection.execute(raised.limit(1)).first() is not None


def open_again(engine: Engine, run_id: str) -> None:
    """Let a run that has ended go on, from implementation, once more."""
    going = update(runs).where(runs.c.id == run_id, runs.c.status == "ended")
    with writing(engine) as connection:
        if connection.execute(going.values(status="running", verdict="", updated_at=clock.now())).rowcount:
            events.record(connection, run_id, "run.reopened", {})


def reopened(engine: Engine, run_id: str) -> int:
    """How often a run went on after its end."""
    with engine.connect() as connection:
        counted = select(func.count()).select_from(event_log).where(_of(run_id, "run.reopened"))
        return connection.execute(counted).scalar_one()


def _of(run_id: str, kind: str) -> ColumnElement[bool]:
    return (event_log.c.run_id == run_id) & (event_log.c.kind == kind)


def start_stage(engine: Engine, run_id: str, stage: Stage[Handoff], attempt: int) -> str:
    """Record that a stage began; beginning again (after a kill) replaces what the cut-short try left.

    Returns the digest of its handoff when it had already ended and only its step was not recorded any more.
    """
    key = {"run_id": run_id, "name": stage.name, "attempt": attempt}
    values = {"number": stage.number, "status": "running", "started_at": clock.now(), "ended_at": None, "output": ""}
    with writing(engine) as connection:
        where = [stages.c[name] == value for name, value in key.items()]
        before = connection.execute(select(stages.c.output).where(*where)).scalar_one_or_none()
        if before:
            return str(before)
        if before is None:
            connection.execute(insert(stages).values(key | values))
        else:
            connection.execute(update(stages).where(*where).values(values))
        events.record(connection, run_id, "stage.started", _about(stage, attempt))
        return ""


def end_stage(engine: Engine, run_id: str, stage: Stage[Handoff], attempt: int, output: str, handoff: Handoff) -> None:
    """Record what a stage left: the digest of its handoff, and whether that lets the flow go on."""
    outcome: dict[str, JsonValue] = {"passed": handoff.passed, "reasons": list(handoff.reasons)}
    outcome |= {"doubt": handoff.doubt} if handoff.doubt else {}
    status = "failed" if not handoff.passed else "unjudged" if handoff.doubt else "passed"
    with writing(engine) as connection:
        connection.execute(
            update(stages)
            .where(stages.c.run_id == run_id, stages.c.name == stage.name, stages.c.attempt == attempt)
            .values(status=status, ended_at=clock.now(), output=output)
        )
        events.record(connection, run_id, "stage.ended", _about(stage, attempt) | outcome)


def _about(stage: Stage[Handoff], attempt: int) -> dict[str, JsonValue]:
    return {"stage": stage.name, "number": stage.number, "title": stage.title, "attempt": attempt}


@dataclass(frozen=True)
class StageRecord:
    name: str
    number: str
    attempt: int
    status: str
    started_at: datetime
    ended_at: datetime | None
    output: str
    """Digest of the handoff; empty while it runs."""
    waited: float = 0.0
    """Seconds in which it waited for a person."""

    @property
    def seconds(self) -> float:
        """Of machine time: the clock stands still while a person is waited for."""
        return (self.ended_at - self.started_at).total_seconds() - self.waited if self.ended_at else 0.0


def stage_records(engine: Engine, run_id: str) -> list[StageRecord]:
    """The stages of a run in the order in which they began."""
    query = select(stages).where(stages.c.run_id == run_id).order_by(stages.c.started_at)
    asked = select(approvals.c.requested_at, approvals.c.decided_at).where(
        approvals.c.run_id == run_id, approvals.c.gate == "budget", approvals.c.decided_at.is_not(None)
    )
    with engine.connect() as connection:
        waits = connection.execute(asked).all()
        rows = connection.execute(query).all()
    return [
        StageRecord(
            *(row.name, row.number, row.attempt, row.status, row.started_at, row.ended_at, row.output),
            waited=sum(
                (until - since).total_seconds()
                for since, until in waits
                if row.ended_at and row.started_at <= since and until <= row.ended_at
            ),
        )
        for row in rows
    ]


def handoff_of(engine: Engine, run_id: str, stage: str) -> str:
    """Digest of the newest handoff of a stage. Raises KeyError when it has not ended yet."""
    for record in reversed(stage_records(engine, run_id)):
        if record.name == stage and record.output:
            return record.output
    raise KeyError(stage)


def _run(row: Row[tuple[object, ...]]) -> Run:
    options = RunOptions.model_validate(row.options)
    return Run(row.id, row.request, options, row.status, row.verdict, row.flow, row.created_at, row.updated_at)
