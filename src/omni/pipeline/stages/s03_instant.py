"""Stage 3: tier 1 of verification."""

from __future__ import annotations

from omni.pipeline.handoffs import VerificationHandoff
from omni.pipeline.stage import Stage, Work
from omni.pipeline.verification import verify_tier


def run(work: Work) -> VerificationHandoff:
    return verify_tier(work, 1)


STAGE = Stage("instant", "3", "Instant verification", run, VerificationHandoff)
