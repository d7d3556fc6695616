"""Stage 10: the retrospective, and what this run teaches the next estimate."""

from __future__ import annotations

from omni.pipeline.estimates import record
from omni.pipeline.handoffs import ImplementationHandoff, LearningHandoff, ReviewHandoff
from omni.pipeline.run import stage_records
from omni.pipeline.stage import Stage, Work


def run(work: Work) -> LearningHandoff:
    implementation = work.handoff(ImplementationHandoff, "implementation")
    review = work.handoff(ReviewHandoff, "review")
    times = [(stage.name, stage.seconds) for stage in stage_records(work.engine, work.run.id) if stage.ended_at]
    record(work.engine, work.run.id, work.spec(), implementation.lines, sum(seconds for _, seconds in times))
    slowest = max(times, key=lambda row: row[1])
    lines = [
        f"# Retrospective: {work.spec().title}",
        "",
        f"- Built from template {work.spec().template}: {implementation.files} files, {implementation.lines} lines.",
        f"- Score {review.score}/10; not delivered: {', '.join(review.not_delivered) or 'nothing'}.",
        f"- Slowest stage: {slowest[0]}, {slowest[1]:.1f} s of {sum(seconds for _, seconds in times):.1f} s.",
        "",
        "| stage | seconds |",
        "|---|---|",
        *(f"| {name} | {seconds:.1f} |" for name, seconds in times),
        "",
    ]
    return LearningHandoff(retrospective=work.store.put("\n".join(lines).encode()))


STAGE = Stage("learning", "10", "Learning", run, LearningHandoff)
