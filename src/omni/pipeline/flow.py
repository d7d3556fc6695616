"""The flow of a run: eleven stages, and the design review between stage 1 and stage 2.

`flow` is a plain function over two capabilities, `do` (run a stage) and `ask` (let a person decide), so that the
durable workflow and a bare call run the very same thing. It must stay deterministic: what happens next depends on
what stages and people answered, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from omni.pipeline.gates import Answer, GateName
from omni.pipeline.handoffs import Handoff
from omni.pipeline.stage import Stage
from omni.pipeline.stages import (
    s00_specification,
    s01_context,
    s02_design_review,
    s02_implementation,
    s03_instant,
    s04_fast,
    s05_deep,
    s06_review,
    s07_human_gate,
    s08_deployment,
    s09_post_deploy,
    s10_learning,
    s10_package,
)

STAGES: tuple[Stage[Handoff], ...] = (
    s00_specification.STAGE,
    s01_context.STAGE,
    s02_design_review.STAGE,
    s02_implementation.STAGE,
    s03_instant.STAGE,
    s04_fast.STAGE,
    s05_deep.STAGE,
    s06_review.STAGE,
    s07_human_gate.STAGE,
    s08_deployment.STAGE,
    s09_post_deploy.STAGE,
    s10_learning.STAGE,
    s10_package.STAGE,
)
VERIFICATION = (s03_instant.STAGE, s04_fast.STAGE, s05_deep.STAGE)

MAX_REVISIONS = 5
"""How often a person may send the work back before the run stops and a new one is due."""

Verified = Literal["pass", "fail", "incomplete"]
Verdict = Literal["pass", "fail", "incomplete", "rejected"]
H = TypeVar("H", bound=Handoff)


class Do(Protocol):
    """Runs a stage; returns what it leaves."""

    def __call__(self, stage: Stage[H]) -> H: ...


Ask = Callable[[GateName, float], Answer | None]
"""Gate and score (0 to 10) → the answer; None when no person is needed."""


def flow(do: Do, ask: Ask, retries: int, reopened: int = 0) -> Verdict:
    """Run the stages to the end. `retries` bounds how often failed verification goes back to implementation.

    `reopened`: how often the run goes on after its end, with what it could not pay for.
    """
    part = _once
    for _ in range(MAX_REVISIONS + 1 + reopened):
        verdict = part(do, ask, retries)
        if verdict == "revised":
            part = _once
        elif reopened:
            part, reopened = _deliver, reopened - 1
        else:
            return verdict
    return "rejected"


def _once(do: Do, ask: Ask, retries: int) -> Verdict | Literal["revised"]:
    spec = do(s00_specification.STAGE)
    if not spec.passed:
        return "incomplete"
    if (decision := _decision(ask("spec_approval", spec.completeness))) != "approved":
        return decision
    do(s01_context.STAGE)
    design = do(s02_design_review.STAGE)
    if (decision := _decision(ask("design_review", design.score))) != "approved":
        return decision
    return _deliver(do, ask, retries)


def _deliver(do: Do, ask: Ask, retries: int) -> Verdict | Literal["revised"]:
    """Everything after the design."""
    verified = _implement_until_verified(do, retries)
    review = do(s06_review.STAGE)
    deployed = False
    if verified == "pass":
        for gate in ("code_review", "deployment"):
            if (decision := _decision(ask(gate, review.score))) != "approved":
                return decision
        do(s07_human_gate.STAGE)
        deployed = do(s08_deployment.STAGE).passed and do(s09_post_deploy.STAGE).passed
    do(s10_learning.STAGE)
    do(s10_package.STAGE)
    if deployed and review.passed:
        return "incomplete" if review.unjudged else "pass"
    return "incomplete" if verified == "incomplete" and review.passed else "fail"


def _implement_until_verified(do: Do, retries: int) -> Verified:
    """Implementation and the three tiers, again with the findings while that changes something."""
    verified: Verified = "fail"
    for attempt in range(retries + 1):
        implementation = do(s02_implementation.STAGE)
        if attempt and not implementation.changed:
            break
        verified = _verified(do)
        if verified == "pass":
            break
    return verified


def _verified(do: Do) -> Verified:
    """The tiers up to the first that does not pass; `incomplete` when only something could not be looked at."""
    for stage in VERIFICATION:
        handoff = do(stage)
        if not handoff.passed:
            return "incomplete" if handoff.verdict == "incomplete" else "fail"
    return "pass"


def _decision(answer: Answer | None) -> Literal["approved", "revised", "rejected"]:
    return answer.decision if answer else "approved"
