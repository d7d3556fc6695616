"""Stage 5: tier 3 of verification."""

from __future__ import annotations

from omni.pipeline.handoffs import VerificationHandoff
from omni.pipeline.stage import Stage, Work
from omni.pipeline.verification import verify_tier


def run(work: Work) -> VerificationHandoff:
    return verify_tier(work, 3)


STAGE = Stage("deep", "5", "Deep verification", run, VerificationHandoff)
