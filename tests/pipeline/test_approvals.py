from __future__ import annotations

import pytest
from sqlalchemy import Engine

from omni.kernel.errors import OmniError
from omni.pipeline import approvals
from omni.pipeline.gates import Answer, gates
from omni.pipeline.handoffs import Approval
from omni.pipeline.run import RunOptions, create, load

RULE = gates("supervised")["code_review"]


def test_a_question_is_put_once_and_answered_once(engine: Engine) -> None:
    run = create(engine, "a todo app", RunOptions())
    approval = approvals.ask(engine, run.id, "code_review", RULE, 0)
    assert approvals.ask(engine, run.id, "code_review", RULE, 0) == approval
    assert load(engine, run.id).status == "waiting"
    assert approvals.waiting(engine, run.id).gate == "code_review"

    approvals.close(engine, approval, Answer(decision="revised", by="ada", reason="Each todo has a tag."))
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
    assert approvals.close(engine, approval, None) == "expired"


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
