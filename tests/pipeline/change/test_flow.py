"""What follows what in a change. Stages are scripted here; they run for real in test_change.py."""

from __future__ import annotations

from collections import Counter

import pytest

from omni.pipeline.change.flow import change_flow
from omni.pipeline.change.handoffs import PlanHandoff
from omni.pipeline.change.kinds import Kind
from omni.pipeline.change.migration import Step
from omni.pipeline.stage import H, Stage

FILES = (Step(kind="move", path="a.py", task="t"), Step(kind="move", path="b.py", task="t"))
PLAN = PlanHandoff(commit="c", migration="m", steps=FILES)


class Script:
    """All is well but the stages that are named with the attempts in which they fail."""

    def __init__(self, **fails: set[int]) -> None:
        self.fails = {name.replace("_", "-"): attempts for name, attempts in fails.items()}
        self.done: list[str] = []
        self.attempts: Counter[str] = Counter()

    def do(self, stage: Stage[H]) -> H:
        passed = self.attempts[stage.name] not in self.fails.get(stage.name, ())
        self.attempts[stage.name] += 1
        self.done.append(stage.name + ("" if passed else "!"))
        if stage.handoff is PlanHandoff:
            return stage.handoff.model_validate(PLAN.model_dump() | {"passed": passed})
        return stage.handoff.model_construct(passed=passed, verdict="pass" if passed else "fail")


@pytest.mark.parametrize(
    ("kind", "fails", "reopened", "done"),
    [
        ("bugfix", {}, 0, "test-first change proof change-review hand-over"),
        ("refactor", {}, 0, "change proof change-review hand-over"),
        ("bugfix", {"test_first": {0, 1}}, 0, "test-first! test-first! hand-over"),
        ("bugfix", {"proof": {0}}, 0, "test-first change proof! change proof change-review hand-over"),
        (
            "bugfix",
            {"change_review": {0}},
            0,
            "test-first change proof change-review! change proof change-review hand-over",
        ),
        # a test that stands is not written again, a change that was cut off goes on
        (
            "bugfix",
            {"change": {0}, "hand_over": {0}},
            1,
            "test-first change! hand-over! change proof change-review hand-over",
        ),
        (
            "bugfix",
            {"test_first": {0, 1}},
            1,
            "test-first! test-first! hand-over test-first change proof change-review hand-over",
        ),
        # what was proved is judged again, and not made again
        ("bugfix", {}, 1, "test-first change proof change-review hand-over change-review hand-over"),
        # of a migration, the steps that stand stay
        (
            "migration",
            {"step_1": {0, 1}},
            1,
            (
                "plan step-0 step-1! step-1! step-last proof change-review hand-over"
                " step-1 step-last proof change-review hand-over"
            ),
        ),
        ("migration", {"step_0": {0, 1}, "step_1": {0, 1}}, 0, "plan step-0! step-0! step-1! step-1! hand-over"),
        ("migration", {"proof": {0}}, 0, "plan step-0 step-1 step-last proof! change proof change-review hand-over"),
        ("bugfix", {"baseline": {0}}, 1, "hand-over hand-over"),
    ],
)
def test_order(kind: Kind, fails: dict[str, set[int]], reopened: int, done: str) -> None:
    script = Script(**fails)
    change_flow(script.do, kind, 1, reopened)
    assert script.done[:1] == ["comprehension"]
    assert " ".join(script.done[2:]) == done
