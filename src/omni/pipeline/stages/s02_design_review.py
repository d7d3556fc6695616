"""Design review: the design is scored before there is code; at or below the gate's threshold a person decides."""

from __future__ import annotations

from omni.pipeline.handoffs import DesignHandoff
from omni.pipeline.stage import Stage, Work
from omni.review.design import review_design


def run(work: Work) -> DesignHandoff:
    review = review_design(work.spec())
    if not work.run.options.model:
        return DesignHandoff(score=review.score, findings=review.findings)
    from omni.pipeline import reviewing  # what asks models takes time to load, and most builds ask none

    return reviewing.review_design(work, review)


STAGE = Stage("design-review", "1-2", "Design review", run, DesignHandoff)
