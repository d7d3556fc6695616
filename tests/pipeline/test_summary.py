from __future__ import annotations

from sqlalchemy import Engine

from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.pipeline.flow import STAGES
from omni.pipeline.handoffs import Handoff
from omni.pipeline.run import RunOptions, create, end_stage, start_stage
from omni.pipeline.stage import Stage
from omni.pipeline.summary import summarize

BY_NAME: dict[str, Stage[Handoff]] = {stage.name: stage for stage in STAGES}


def test_every_stage_that_failed_says_why_verification_first_and_only_by_its_newest_try(
    settings: Settings, engine: Engine
) -> None:
    run, store = create(engine, "a todo app", RunOptions()), ArtifactStore(settings.home / "artifacts")
    said = [
        ("human-gate", 0, "a gate said no"),
        ("deep", 0, "a stale finding"),
        ("deep", 1, "a finding"),
        ("context", 0, ""),
    ]
    for name, attempt, reason in said:
        handoff = Handoff(passed=not reason, reasons=(reason,) if reason else ())
        digest = store.put(handoff.model_dump_json().encode())
        start_stage(engine, run.id, BY_NAME[name], attempt)
        end_stage(engine, run.id, BY_NAME[name], attempt, digest, handoff)
    assert summarize(settings, engine, run.id).reasons == ("a finding", "a gate said no")
