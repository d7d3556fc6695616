"""Scripts that a program made from others: nobody reads or mends them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from omni.verify.check import Unseen

if TYPE_CHECKING:
    from omni.verify.check import Context

MINIFIED = re.compile(r"\.min\.([cm]?js|css)$|\.bundle\.js$")


def minified(context: Context) -> Iterator[Unseen]:
    """Those among the inputs, each with why it is left out."""
    for file in context.files:
        if MINIFIED.search(file.path):
            yield Unseen(file.path, "minified: made from another source, which is to be looked at", harmless=True)
