"""`--fix`: each tool mends what it can, one after the other, in place."""

from __future__ import annotations

from collections.abc import Iterable

from omni.verify.check import Context, Failed
from omni.verify.examine import commands


def mend(contexts: Iterable[Context]) -> None:
    """What a tool can't mend, or fails at, the verification after it will name."""
    for context in contexts:
        if context.check.fix and context.files:
            for argv in commands(context, context.check.fix):
                try:
                    context.execute(context.check.tool, *argv)
                except Failed:
                    continue
