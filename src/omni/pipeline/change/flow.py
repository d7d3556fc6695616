"""The flow of a change: understand, measure, a test that fails, the smallest change, measure again, review, hand over.

Deterministic, as every flow: what happens next depends on what the stages answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass
class Made:
    """What stands of a change."""

    tested: bool
    """A test fails as it should, or none has to."""
    plan: PlanHandoff | None = None
    steps: set[int] = field(default_factory=set)
    proved: bool = False


def change_flow(do: Do, kind: Kind, retries: int, reopened: int = 0) -> Verdict:
    """`retries` bounds how often a test, and then the change, is sent back with what is wrong with it.

    `reopened`: how often the run goes on after its end, with what it could not pay for.
    """
    do(COMPREHENSION)
    sound = do(BASELINE).passed
    made, make = Made(tested=kind not in TEST_FIRST), _migrate if kind == "migration" else _change
    verdict: Verdict = "fail"
    for _ in range(reopened + 1):
        if sound:
            make(do, retries, made)
        verdict = do(HAND_OVER).verdict
    return verdict


def _migrate(do: Do, retries: int, made: Made) -> None:
    """Every file gets its tries, also after one that could not be moved: what stands is worth having."""
    plan = made.plan = made.plan or do(PLAN)
    if not plan.steps:
        if plan.passed:  # it names nothing that can be found file by file
            _change(do, retries, made)
        return
    for number, step in enumerate(plan.steps):
        stage = _step(number, step)
        if number not in made.steps and any(do(stage).passed for _ in range(retries + 1)):
            made.steps.add(number)
    if made.steps:
        do(RELEASE)
        made.proved = do(PROOF).passed
        _change(do, retries, made)


def _step(number: int, step: Step) -> Stage[StepHandoff]:
    def run(work: Work) -> StepHandoff:
        return migrating.do_step(work, number, session_worker)

    return Stage(f"{STEP}{number}", f"4.{number + 1}", step.title, run, StepHandoff)


def _change(do: Do, retries: int, made: Made) -> None:
    """What the review finds leads back once."""
    made.tested = made.tested or any(do(TEST).passed for _ in range(retries + 1))
    if not made.tested:
        return
    made.proved = made.proved or _proved(do, retries)
    if made.proved and not do(REVIEW).passed:
        made.proved = _proved(do, retries)
        if made.proved:
            do(REVIEW)


def _proved(do: Do, retries: int) -> bool:
    for _ in range(retries + 1):
        if not do(EDIT).passed:
            return False
        if do(PROOF).passed:
            return True
    return False
