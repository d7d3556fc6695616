"""Stage 7: what was decided at each gate, by a person or, where the profile allows, by rule."""

from __future__ import annotations

from omni.pipeline.approvals import decided
from omni.pipeline.handoffs import GateHandoff
from omni.pipeline.stage import Stage, Work


def run(work: Work) -> GateHandoff:
    return GateHandoff(approvals=decided(work.engine, work.run.id))


STAGE = Stage("human-gate", "7", "Human gate", run, GateHandoff)
