from __future__ import annotations

import pytest
from sqlalchemy import Engine

from omni.kernel.errors import OmniError
from omni.kernel.events import replay
from omni.pipeline import approvals
from omni.pipeline.gates import Answer, gates
from omni.pipeline.handoffs import Approval
from omni.pipeline.run import RunOptions, create, load, set_status

RULE = gates("supervised")["code_review"]


def test_a_question_is_put_once_and_answered_once(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    approval = approvals.ask(engine, run.id, "code_review", RULE, 0)
    assert approvals.ask(engine, run.id, "code_review", RULE, 0) == approval
    assert load(engine, run.id).status == "waiting"
    assert approvals.waiting(engine, run.id).gate == "code_review"

    revised = Answer(decision="revised", by="ada", reason="Each todo has a tag.")
    approvals.answer(engine, approval, revised)
    with pytest.raises(OmniError, match="faster"):
        approvals.answer(engine, approval, Answer(decision="rejected", by="bob", reason="no"))
    assert approvals.close(engine, approval) == revised.model_dump_json(), "the first answer counts"
    assert approvals.answered(engine, run.id) == (approval,)
    assert load(engine, run.id).status == "running"
    assert approvals.revisions(engine, run.id) == ("Each todo has a tag.",)
    assert approvals.decided(engine, run.id) == (
        Approval(gate="code_review", decision="revised", by="ada", reason="Each todo has a tag."),
    )
    with pytest.raises(OmniError, match="waits for nobody"):
        approvals.waiting(engine, run.id)


def test_silence_is_not_consent(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    approval = approvals.ask(engine, run.id, "deployment", RULE, 0)
    answer = Answer.model_validate_json(approvals.close(engine, approval))
    assert answer == Answer(decision="rejected", by="the clock", reason="nobody answered in time")
    assert approvals.decided(engine, run.id)[0].decision == "expired"
    assert approvals.answered(engine, run.id) == (approval,)


def test_an_answer_after_its_time_is_refused(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    approvals.ask(engine, run.id, "deployment", RULE.model_copy(update={"timeout": -1.0}), 0)
    with pytest.raises(OmniError, match="the time to answer deployment was over"):
        approvals.waiting(engine, run.id)


def test_a_cancelled_run_asks_nobody_and_stays_cancelled(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    set_status(engine, run.id, "cancelled")
    approvals.ask(engine, run.id, "deployment", RULE, 0)
    set_status(engine, run.id, "ended", "pass")
    assert (load(engine, run.id).status, approvals.question(engine, run.id)) == ("cancelled", None)
    assert [event.kind for event in replay(engine, run.id)] == ["run.created", "run.cancelled", "approval.waiting"]


def test_what_a_rule_let_pass_says_which(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    rule = gates("autonomous")["design_review"]
    approvals.pass_by_rule(engine, run.id, "design_review", rule, 9.1, 0)
    assert approvals.decided(engine, run.id)[0].reason == "score 9.1 is above 8.5"


@pytest.mark.parametrize(
    ("profile", "gate", "score", "asks"),
    [
        ("supervised", "spec_approval", 10.0, True),
        ("supervised", "design_review", 8.5, True),
        ("supervised", "design_review", 8.6, False),
        ("autonomous", "spec_approval", 8.0, False),
        ("autonomous", "code_review", 7.5, True),
        ("autonomous", "code_review", 7.6, False),
    ],
)
def test_when_a_person_is_asked(profile: str, gate: str, score: float, asks: bool) -> None:
    assert {str(name): rule for name, rule in gates(profile).items()}[gate].asks(score) is asks
