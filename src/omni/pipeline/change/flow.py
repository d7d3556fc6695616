"""The flow of a change: understand, measure, a test that fails, the smallest change, measure again, review, hand over.

Deterministic, as every flow: what happens next depends on what the stages answered.
"""

from __future__ import annotations

from omni.pipeline.change import migrating, stages
from omni.pipeline.change.asked import STEP
from omni.pipeline.change.hand_over import hand_over
from omni.pipeline.change.handoffs import (
    BaselineHandoff,
    ComprehensionHandoff,
    EditHandoff,
    HandOverHandoff,
    JudgedHandoff,
    PlanHandoff,
    ProofHandoff,
    RedHandoff,
    StepHandoff,
)
from omni.pipeline.change.judging import judge
from omni.pipeline.change.kinds import TEST_FIRST, Kind
from omni.pipeline.change.migration import Step
from omni.pipeline.change.worker import session_worker
from omni.pipeline.flow import Do, Verdict
from omni.pipeline.stage import Stage, Work

COMPREHENSION = Stage("comprehension", "1", "Comprehension", stages.comprehend, ComprehensionHandoff)
BASELINE = Stage("baseline", "2", "Before", stages.baseline, BaselineHandoff)
TEST = Stage("test-first", "3", "A failing test", lambda work: stages.test_first(work, session_worker), RedHandoff)
EDIT = Stage("change", "4", "The change", lambda work: stages.edit(work, session_worker), EditHandoff)
PLAN = Stage("plan", "3", "Plan", migrating.plan, PlanHandoff)
RELEASE = Stage(f"{STEP}last", "4.9", "Release", migrating.release, StepHandoff)
PROOF = Stage("proof", "5", "After", stages.prove, ProofHandoff)
REVIEW = Stage("change-review", "6", "Review", judge, JudgedHandoff)
HAND_OVER = Stage("hand-over", "7", "Hand over", hand_over, HandOverHandoff)


def change_flow(do: Do, kind: Kind, retries: int) -> Verdict:
    """`retries` bounds how often a test, and then the change, is sent back with what is wrong with it."""
    do(COMPREHENSION)
    if do(BASELINE).passed:
        if kind == "migration":
            _migrate(do, retries)
            return do(HAND_OVER).verdict
        tested = kind not in TEST_FIRST or any(do(TEST).passed for _ in range(retries + 1))
        if tested:
            _change(do, retries)
    return do(HAND_OVER).verdict


def _migrate(do: Do, retries: int) -> None:
    """Every file gets its tries, also after one that could not be moved: what stands is worth having."""
    planned = do(PLAN)
    if not planned.steps:
        if planned.passed:  # it names nothing that can be found file by file
            _change(do, retries)
        return
    stood = 0
    for number, step in enumerate(planned.steps):
        stage = _step(number, step)
        stood += any(do(stage).passed for _ in range(retries + 1))
    if not stood:
        return
    do(RELEASE)
    proved = do(PROOF).passed or _proved(do, retries)
    if proved and not do(REVIEW).passed and _proved(do, retries):
        do(REVIEW)


def _step(number: int, step: Step) -> Stage[StepHandoff]:
    def run(work: Work) -> StepHandoff:
        return migrating.do_step(work, number, session_worker)

    return Stage(f"{STEP}{number}", f"4.{number + 1}", step.title, run, StepHandoff)


def _change(do: Do, retries: int) -> None:
    """What the review finds leads back once."""
    if _proved(do, retries) and not do(REVIEW).passed and _proved(do, retries):
        do(REVIEW)


def _proved(do: Do, retries: int) -> bool:
    for _ in range(retries + 1):
        if not do(EDIT).passed:
            return False
        if do(PROOF).passed:
            return True
    return False
