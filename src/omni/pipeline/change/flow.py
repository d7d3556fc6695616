"""The flow of a change: understand, measure, a test that fails, the smallest change, measure again, hand over.

Deterministic, as every flow: what happens next depends on what the stages answered.
"""

from __future__ import annotations

from omni.pipeline.change import stages
from omni.pipeline.change.hand_over import hand_over
from omni.pipeline.change.handoffs import (
    BaselineHandoff,
    ComprehensionHandoff,
    EditHandoff,
    HandOverHandoff,
    ProofHandoff,
    RedHandoff,
)
from omni.pipeline.change.kinds import TEST_FIRST, Kind
from omni.pipeline.change.worker import session_worker
from omni.pipeline.flow import Do, Verdict
from omni.pipeline.stage import Stage

COMPREHENSION = Stage("comprehension", "1", "Comprehension", stages.comprehend, ComprehensionHandoff)
BASELINE = Stage("baseline", "2", "Before", stages.baseline, BaselineHandoff)
TEST = Stage("test-first", "3", "A failing test", lambda work: stages.test_first(work, session_worker), RedHandoff)
EDIT = Stage("change", "4", "The change", lambda work: stages.edit(work, session_worker), EditHandoff)
PROOF = Stage("proof", "5", "After", stages.prove, ProofHandoff)
HAND_OVER = Stage("hand-over", "6", "Hand over", hand_over, HandOverHandoff)


def change_flow(do: Do, kind: Kind, retries: int) -> Verdict:
    """`retries` bounds how often a test, and then the change, is sent back with what is wrong with it."""
    do(COMPREHENSION)
    if do(BASELINE).passed:
        tested = kind not in TEST_FIRST or any(do(TEST).passed for _ in range(retries + 1))
        if tested:
            _change(do, retries)
    return do(HAND_OVER).verdict


def _change(do: Do, retries: int) -> None:
    for _ in range(retries + 1):
        if not do(EDIT).passed or do(PROOF).passed:
            return
