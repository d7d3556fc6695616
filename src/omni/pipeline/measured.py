"""What the hands of a run achieved, from its evidence: their logs, and what verification said; not what they say."""

from __future__ import annotations

from sqlalchemy import Engine

from omni import __version__
from omni.agents.engines import installed, results
from omni.agents.engines.registry import NATIVE, adapter
from omni.agents.limits import spent
from omni.agents.log import Closed, Replied, SessionLog, is_part, sessions
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.pipeline.handoffs import ImplementationHandoff, VerificationHandoff
from omni.pipeline.hands import chosen, kind_of_work
from omni.pipeline.run import Run, StageRecord, stage_records
from omni.pipeline.verification import STAGES

AT_WORK = ("implementation", "test-first", "change")
"""Stages in which the hands of a run work."""
JUDGING = (*STAGES.values(), "proof")
"""Stages that say whether it was right."""


def keep_result(run: Run, settings: Settings, database: Engine) -> None:
    """Keep how the run's hands did, once; nothing where no model worked, or nobody judged what it did."""
    found = [name for name in sessions(database, run.id) if not is_part(name)]
    worked = [name for name in found if name.split("/")[1].split("#")[0] in AT_WORK]
    logs = [SessionLog(database, name).lines() for name in worked]
    passed = _passed(stage_records(database, run.id), settings)
    if not logs or passed is None:
        return
    hands, used = chosen(run, database), [spent(log) for log in logs]
    replies = [line.entry.reply for log in logs for line in log if isinstance(line.entry, Replied)]
    row = results.Result(
        engine=hands,
        version=__version__ if hands == NATIVE else installed.version(adapter(hands)),
        kind=kind_of_work(run),
        model=", ".join(sorted({f"{reply.provider}/{reply.model}" for reply in replies})),
        passed=passed,
        ended=next(line.entry.ended for line in reversed(logs[-1]) if isinstance(line.entry, Closed)),
        tokens=sum(each.usage.total for each in used),
        seconds=round(sum(each.seconds for each in used), 3),
    )
    results.keep(database, run.id, row)


def _passed(records: list[StageRecord], settings: Settings) -> bool | None:
    """Whether the newest work passed and delivers all that it was for; None when nobody could tell."""
    over = [record for record in reversed(records) if record.status != "running"]
    worked = next((record for record in over if record.name in AT_WORK), None)
    judged = next((record for record in over if record.name in JUDGING), None)
    store = ArtifactStore(settings.home / "artifacts")
    if worked is None or (judged is None and worked.status == "passed") or _blind(judged, store):
        return None
    missing = worked.name == "implementation" and bool(
        ImplementationHandoff.model_validate_json(store.get(worked.output)).undelivered
    )
    return not missing and worked.status == "passed" and judged is not None and judged.status == "passed"


def _blind(judged: StageRecord | None, store: ArtifactStore) -> bool:
    """Whether it failed because a check could not run, which says nothing of the work."""
    if judged is None or judged.status == "passed" or judged.name not in STAGES.values():
        return False
    return VerificationHandoff.model_validate_json(store.get(judged.output)).verdict == "incomplete"
