"""What a person reads at the end of a change."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.change.changing import changing, left

from omni.pipeline.change.flow import BASELINE, PLAN, PROOF
from omni.pipeline.change.hand_over import hand_over
from omni.pipeline.change.handoffs import BaselineHandoff, PlanHandoff, ProofHandoff, StepHandoff
from omni.pipeline.change.suite import Suite
from omni.pipeline.stage import Stage


def test_a_reason_that_a_later_try_took_away_is_not_told(tmp_path: Path) -> None:
    with changing(
        tmp_path, "migrate from flask to fastapi", {"a.py": "import flask\n", "b.py": "import flask\n"}
    ) as work:
        base, suite = work.workspace.head(), work.put(Suite())
        left(work, BASELINE, BaselineHandoff(suite=suite))
        left(work, PLAN, PlanHandoff(commit=base, migration="flask-to-fastapi", steps=()))
        for name, why in (("step-0", "a.py broke"), ("step-0", ""), ("step-1", "b.py broke"), ("step-1", "b.py again")):
            stage = Stage(name, "4", name, lambda _: StepHandoff(commit=base, path=""), StepHandoff)
            left(work, stage, StepHandoff(passed=not why, reasons=(why,) if why else (), commit=base, path=name))
        made = hand_over(work)
        assert (made.verdict, made.reasons) == ("fail", ("b.py again",))
        left(work, PROOF, ProofHandoff(passed=False, reasons=("a test fails",), commit=base, suite=suite))
        assert hand_over(work).reasons == ("a test fails",), "which is what stopped it: a file may be left as it was"
