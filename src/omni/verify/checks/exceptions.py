"""Exceptions from the rules: each needs a reason, and a waiver ends on its day."""

from __future__ import annotations

from collections.abc import Iterator

from omni.kernel.clock import now
from omni.verify.check import Check, Context, Item
from omni.verify.suppression import allowances


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        for allowance in allowances(context.text(file)):
            if not allowance.reason:
                message = f"{allowance.rule} is allowed here without a reason, so it is not"
                advice = "Say why, on the same line: … because REASON"
                yield context.finding("without-reason", message, file.path, allowance.stands_on, fix=advice)
    for waiver in context.project.waivers:
        if waiver.until < now().date():
            message = f"the waiver of {waiver.rule} for {waiver.path} by {waiver.who} ended on {waiver.until}"
            advice = "Mend what it covered, or decide anew until when."
            yield context.finding("waiver-expired", message, "omni.toml", fix=advice)


CHECK = Check(
    id="exceptions",
    title="Exceptions from the rules have a reason, and have not run out",
    tier=1,
    globs=("**",),
    config=("omni.toml",),
    run=run,
    fresh_for=3600,
    why="An exception that nobody explains or ends is a rule that was given up in silence.",
)
