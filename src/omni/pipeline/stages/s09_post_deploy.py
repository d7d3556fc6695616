"""Stage 9: what was measured while the app ran goes into the scorecard; pictures of its pages go into the report."""

from __future__ import annotations

from omni.delivery.deployment import Deployment
from omni.pipeline.deployment import metrics, plan
from omni.pipeline.handoffs import DeploymentHandoff, PostDeployHandoff, ReviewHandoff
from omni.pipeline.pictures import take
from omni.pipeline.stage import Stage, Work
from omni.pipeline.verification import reports
from omni.review.scorecard import score


def run(work: Work) -> PostDeployHandoff:
    deployment = work.read(Deployment, work.handoff(DeploymentHandoff, "deployment").deployment)
    pictures, notes = take(work, plan(work))
    for note in notes:  # what could not be photographed is told; it does not make a working app a broken one
        work.emit("note", text=note)
    scorecard = score(reports(work), metrics(deployment))
    if digest := work.handoff(ReviewHandoff, "review").reviews:
        from omni.pipeline.reviewing import ReviewRecord  # takes time to load, and most builds ask no model

        scorecard = work.read(ReviewRecord, digest).joined(scorecard)
    return PostDeployHandoff(
        scorecard=work.put(scorecard),
        pictures=work.put(pictures),
    )


STAGE = Stage("post-deploy", "9", "Post-deploy", run, PostDeployHandoff)
