"""Stage 4: tier 2 of verification."""

from __future__ import annotations

from omni.pipeline.handoffs import VerificationHandoff
from omni.pipeline.stage import Stage, Work
from omni.pipeline.verification import verify_tier


def run(work: Work) -> VerificationHandoff:
    return verify_tier(work, 2)


STAGE = Stage("fast", "4", "Fast verification", run, VerificationHandoff)
