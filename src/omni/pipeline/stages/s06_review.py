"""Stage 6: the ten-dimension scorecard from evidence, and the account of every phrase of the request.

Where models wrote code, others review it: what they say stands beside the evidence, what they show to be wrong stops
the run.
"""

from __future__ import annotations

from omni.pipeline.handoffs import ImplementationHandoff, ReviewHandoff
from omni.pipeline.stage import Stage, Work
from omni.pipeline.verification import criteria_shown, reports
from omni.review.account import settle
from omni.review.scorecard import score


def run(work: Work) -> ReviewHandoff:
    implementation = work.handoff(ImplementationHandoff, "implementation")
    found = reports(work)
    scorecard = score(found, {})
    account = settle(
        work.spec(), implementation.undelivered, implementation.trace, criteria_shown(found), work.run.options.waive
    )
    missing = account.not_delivered
    reasons = [f"not delivered: “{row.text}” ({row.why}). To accept that: --waive {row.part}" for row in missing]
    reviews = unjudged = ""
    if work.run.options.model:
        from omni.pipeline.reviewing import review_code  # what asks models takes time to load

        record = review_code(work, implementation)
        scorecard, reviews = record.joined(scorecard), work.put(record) if record.authors else ""
        reasons += record.blocking(work.run.options.waive)
        unjudged = record.unjudged(work.run.options.waive)
    return ReviewHandoff(
        passed=not reasons,
        reasons=tuple(reasons),
        scorecard=work.put(scorecard),
        score=scorecard.overall,
        account=work.put(account),
        not_delivered=tuple(row.text for row in missing),
        reviews=reviews,
        unjudged=unjudged,
    )


STAGE = Stage("review", "6", "Review", run, ReviewHandoff)
