from __future__ import annotations

import pytest
from sqlalchemy import Engine

from omni.kernel.errors import OmniError
from omni.kernel.events import replay
from omni.pipeline.flow import STAGES
from omni.pipeline.handoffs import Handoff
from omni.pipeline.run import (
    RunOptions,
    create,
    end_stage,
    handoff_of,
    load,
    recent,
    set_status,
    stage_records,
    start_stage,
)


def test_a_run_is_found_by_either_end_of_its_id(engine: Engine) -> None:
    options = RunOptions(out="/tmp/x", waive=("P1",), answers={"Q1": "yes"})
    run = create(engine, "a todo app", options)
    assert load(engine, run.id) == load(engine, run.id[-8:]) == run
    assert run.options == options
    assert run in recent(engine)


@pytest.mark.parametrize("wrong", ["", "%", "nope", "_"])
def test_an_unknown_run_is_one_clear_error(engine: Engine, wrong: str) -> None:
    create(engine, "a todo app", RunOptions())
    with pytest.raises(OmniError, match="0 runs match"):
        load(engine, wrong)


def test_a_stage_that_is_done_again_replaces_what_was_cut_short(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    stage = STAGES[0]
    start_stage(engine, run.id, stage, 0)
    with pytest.raises(KeyError):
        handoff_of(engine, run.id, stage.name)
    assert start_stage(engine, run.id, stage, 0) == ""
    end_stage(engine, run.id, stage, 0, "sha256:1", Handoff())
    assert start_stage(engine, run.id, stage, 0) == "sha256:1", "what ended is not done again"
    start_stage(engine, run.id, stage, 1)
    assert [(record.attempt, record.status) for record in stage_records(engine, run.id)] == [
        (0, "passed"),
        (1, "running"),
    ]
    assert handoff_of(engine, run.id, stage.name) == "sha256:1"
    kinds = [event.kind for event in replay(engine, run.id)]
    assert kinds == ["run.created", *["stage.started"] * 2, "stage.ended", "stage.started"]


def test_the_verdict_is_kept(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    set_status(engine, run.id, "ended", "pass")
    assert (load(engine, run.id).status, load(engine, run.id).verdict) == ("ended", "pass")
