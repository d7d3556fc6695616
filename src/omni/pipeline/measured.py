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
from omni.pipeline.handoffs import ImplementationHandoff
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
    """Whether the newest work passed and delivers all that it was for; None when it was never looked at."""
    worked = [record for record in records if record.name in AT_WORK and record.status != "running"]
    judged = [record for record in records if record.name in JUDGING and record.status != "running"]
    if not worked:
        return None
    newest = worked[-1]
    if newest.status == "failed":
        return False
    if not judged:
        return None
    if newest.name == "implementation":
        data = ArtifactStore(settings.home / "artifacts").get(newest.output)
        if ImplementationHandoff.model_validate_json(data).undelivered:
            return False
    return judged[-1].status == "passed"
