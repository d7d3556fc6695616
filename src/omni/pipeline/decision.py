"""What a person can tell a run: a decision at a gate, or to stop. Audited first; without the log, nothing happens."""

from __future__ import annotations

import getpass

from sqlalchemy import Engine

from omni.kernel.database import open_database, writing
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.settings import Settings
from omni.models.budget import Budget, BudgetState, raise_limit, tokens_of
from omni.pipeline import approvals
from omni.pipeline.audit import log
from omni.pipeline.gates import Answer
from omni.pipeline.lock import deciding
from omni.pipeline.run import OVER, Run, load, open_again, raised_since_its_end, set_status
from omni.pipeline.workflow import wake

NOT_A_LIMIT = declare(
    "P011",
    "A budget is approved or rejected",
    Exit.NOT_ALLOWED,
    "Type: omni approve RUN, omni budget RUN --raise-to TOKENS, or omni reject RUN",
)


def decide(settings: Settings, engine: Engine, run_id: str, answer: Answer) -> None:
    """Answer the question that the run waits on. Raises OmniError when it waits on none.

    To approve at the gate `budget` gives the run as much again as it was given when it began.
    """
    waiting = approvals.question(engine, run_id)
    if waiting and "budget" in waiting.gate and answer.decision == "revised":
        raise OmniError(NOT_A_LIMIT, "there is nothing to revise", where=run_id)
    if waiting and not waiting.expired and waiting.gate == "budget" and answer.decision == "approved":
        raise_budget(settings, engine, run_id, _as_much_again(engine, run_id), answer.by)
        return
    with deciding(settings, run_id):  # so that nothing is audited that somebody else has made void
        asked = approvals.waiting(engine, run_id)
        detail = {"gate": asked.gate, "reason": answer.reason}
        log(settings, engine).record(answer.by, f"run.{answer.decision}", run_id, detail)
        approvals.answer(engine, asked.id, answer)
    if asked.gate != "budget":  # whose asker looks at the table: it waits in the middle of a stage
        wake(settings, engine, run_id, asked.id)


def raise_budget(settings: Settings, engine: Engine, run_id: str, tokens: int | None, by: str) -> BudgetState:
    """A new limit by a person's word (None: none at all), which also answers a run that waits for it. Audited first.

    Raises OmniError (M007) when it is not more than is used up and kept.
    """
    budget = Budget(engine, run_id)
    with deciding(settings, run_id):
        state = budget.state()
        state.refuse(tokens)
        log(settings, engine).record(by, "run.budget", run_id, {"from": state.tokens, "to": tokens})
        asked = approvals.question(engine, run_id)
        with writing(engine) as connection:
            raise_limit(connection, run_id, tokens, by)
            if asked and asked.gate == "budget":
                approvals.close_within(connection, asked.id, "approved", by, "raised")
    return budget.state()


def approve_unlimited(settings: Settings, engine: Engine, run_id: str, by: str) -> None:
    """A person's word, given when the run was begun, that it may use models without a limit. Audited first."""
    log(settings, engine).record(
        by, "run.approved", run_id, {"gate": "unlimited_budget", "reason": "asked at the start"}
    )
    approvals.approve_ahead(engine, run_id, "unlimited_budget", by)


def _as_much_again(engine: Engine, run_id: str) -> int | None:
    limit, given = Budget(engine, run_id).state().tokens, tokens_of(load(engine, run_id).options.budget)
    return None if limit is None or given is None else limit + given


def goes_on(run: Run) -> bool:
    """Whether more tokens are of any use to it."""
    return run.status not in OVER or (run.status == "ended" and run.verdict in {"fail", "incomplete"})


def reopen(settings: Settings, engine: Engine, run_id: str) -> Run:
    """The run; if it ended short of what was asked and its budget was raised since, it is open again. Audited first."""
    run = load(engine, run_id)
    if run.status == "ended" and goes_on(run):
        with deciding(settings, run.id):
            if raised_since_its_end(engine, run.id):
                log(settings, engine).record(getpass.getuser(), "run.reopened", run.id, {})
                open_again(engine, run.id)
    return load(engine, run.id)


def cancel(settings: Settings, run: str) -> str:
    """Stop a run for good; whoever works on it sees it and ends. Returns the run's status now."""
    engine = open_database(settings)
    known = load(engine, run)
    if known.status not in OVER:
        with deciding(settings, known.id):
            log(settings, engine).record(getpass.getuser(), "run.cancelled", known.id, {})
            set_status(engine, known.id, "cancelled")
    return load(engine, known.id).status
