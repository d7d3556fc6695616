"""Exceptions from the rules: each needs a reason, and a waiver ends on its day."""

from __future__ import annotations

from collections.abc import Iterator

from omni.kernel.clock import now
from omni.verify.analysis.rule import line_with
from omni.verify.check import Check, Context, Item, Scope
from omni.verify.suppression import allowances


def unexplained(context: Context) -> Iterator[Item]:
    for file in context.files:
        for allowance in allowances(context.text(file)):
            if not allowance.reason:
                message = f"{allowance.rule} is allowed here without a reason, so it is not"
                advice = "Say why, on the same line: … because REASON"
                yield context.finding("without-reason", message, file.path, allowance.stands_on, fix=advice)


def expired(context: Context) -> Iterator[Item]:
    own = context.inventory.by_path.get("omni.toml")
    text = context.text(own) if own is not None and not own.problem else ""
    for waiver in context.project.waivers:
        if waiver.until < now().date():
            message = f"the waiver of {waiver.rule} for {waiver.path} by {waiver.who} ended on {waiver.until}"
            advice = "Mend what it covered, or decide anew until when."
            line = line_with(text, str(waiver.until))
            yield context.finding("waiver-expired", message, "omni.toml", line, fix=advice)


WHY = "An exception that nobody explains or ends is a rule that was given up in silence."

CHECKS = (
    Check(
        id="exceptions",
        title="Exceptions from the rules have a reason",
        tier=1,
        globs=("**",),
        scope=Scope.FILE,
        run=unexplained,
        why=WHY,
    ),
    Check(
        id="waivers",
        title="No waiver has run out",
        tier=1,
        globs=("omni.toml",),
        run=expired,
        daily=True,
        why=WHY,
    ),
)
