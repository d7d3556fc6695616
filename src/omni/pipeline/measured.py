"""What the hands of a run achieved, from its evidence: their logs, and what verification said; not what they say."""

from __future__ import annotations

import re

from sqlalchemy import Engine

from omni import __version__
from omni.agents.engines import installed, results
from omni.agents.engines.registry import NATIVE, adapter
from omni.agents.limits import spent
from omni.agents.log import Closed, SessionLog, answered_by, is_part, sessions
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.pipeline.change.asked import STEP
from omni.pipeline.change.handoffs import JudgedHandoff
from omni.pipeline.handoffs import ImplementationHandoff, VerificationHandoff
from omni.pipeline.hands import chosen, kind_of_work
from omni.pipeline.run import Run, StageRecord, stage_records
from omni.pipeline.verification import STAGES

AT_WORK = re.compile(rf"implementation|test-first|change|{STEP}\d+")
"""Stages in which the hands of a run work."""
JUDGING = (*STAGES.values(), "proof")
"""Stages that say whether it was right."""


def keep_result(run: Run, settings: Settings, database: Engine) -> None:
    """Keep how the run's hands did, once; nothing where no model worked, or nobody judged what it did."""
    worked = [name for name in sessions(database, run.id) if _is_theirs(name)]
    logs = [SessionLog(database, name).lines() for name in worked]
    passed = _passed(stage_records(database, run.id), settings)
    if not logs or passed is None:
        return
    hands, used = chosen(run, database), [spent(log) for log in logs]
    authors = frozenset[str]().union(*(answered_by(database, name) for name in worked))
    row = results.Result(
        engine=hands,
        version=__version__ if hands == NATIVE else installed.version(adapter(hands)),
        kind=kind_of_work(run),
        model=", ".join(sorted(authors)),
        passed=passed,
        ended=next((line.entry.ended for line in reversed(logs[-1]) if isinstance(line.entry, Closed)), ""),
        tokens=sum(each.usage.total for each in used),
        seconds=round(sum(each.seconds for each in used), 3),
    )
    results.keep(database, run.id, row)


def _is_theirs(session: str) -> bool:
    """A specialist's session beside theirs is named below it: Omni's own engine takes the turns of that one."""
    name = session.partition("/")[2]
    return not is_part(name) and "/" not in name and AT_WORK.fullmatch(name.partition("#")[0]) is not None


def _passed(records: list[StageRecord], settings: Settings) -> bool | None:
    """Whether the newest work passed, delivers all that it was for, and was not shown to be wrong; None: unknown."""
    newest = {record.name: record for record in records if record.status != "running"}
    worked = [record for name, record in newest.items() if AT_WORK.fullmatch(name)]
    judged = max((newest[name] for name in JUDGING if name in newest), key=lambda each: each.started_at, default=None)
    store, done = ArtifactStore(settings.home / "artifacts"), all(record.status == "passed" for record in worked)
    if not worked or (judged is None and done) or _blind(judged, store):
        return None
    if made := newest.get("implementation"):
        done &= not ImplementationHandoff.model_validate_json(store.get(made.output)).undelivered
    if reviewed := newest.get("change-review"):
        done &= not JudgedHandoff.model_validate_json(store.get(reviewed.output)).shown
    return done and judged is not None and judged.status == "passed"


def _blind(judged: StageRecord | None, store: ArtifactStore) -> bool:
    """Whether it failed because a check could not run, which says nothing of the work."""
    if judged is None or judged.status == "passed" or judged.name not in STAGES.values():
        return False
    return VerificationHandoff.model_validate_json(store.get(judged.output)).verdict == "incomplete"
