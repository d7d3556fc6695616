"""What a person can tell a run: a decision at a gate, or to stop. Audited first; without the log, nothing happens."""

from __future__ import annotations

import getpass

from sqlalchemy import Engine

from omni.kernel.database import open_database
from omni.kernel.settings import Settings
from omni.pipeline import approvals
from omni.pipeline.audit import log
from omni.pipeline.gates import Answer
from omni.pipeline.lock import deciding
from omni.pipeline.run import OVER, load, set_status
from omni.pipeline.workflow import wake


def decide(settings: Settings, engine: Engine, run_id: str, answer: Answer) -> None:
    """Answer the question that the run waits on. Raises OmniError when it waits on none."""
    with deciding(settings, run_id):  # so that nothing is audited that somebody else has made void
        asked = approvals.waiting(engine, run_id)
        detail = {"gate": asked.gate, "reason": answer.reason}
        log(settings, engine).record(answer.by, f"run.{answer.decision}", run_id, detail)
        approvals.answer(engine, asked.id, answer)
    wake(settings, run_id, asked.id)


def cancel(settings: Settings, run: str) -> str:
    """Stop a run for good; whoever works on it sees it and ends. Returns the run's status now."""
    engine = open_database(settings)
    known = load(engine, run)
    if known.status not in OVER:
        with deciding(settings, known.id):
            log(settings, engine).record(getpass.getuser(), "run.cancelled", known.id, {})
            set_status(engine, known.id, "cancelled")
    return load(engine, known.id).status
