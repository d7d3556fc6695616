"""Parts of a text made blank, line by line, in one pass however many parts there are or are never closed."""

from __future__ import annotations

import re
from collections.abc import Iterable

Pair = tuple[str, str]


def blanked(text: str, pairs: Iterable[Pair], mark: str = " ") -> str:
    """Each part from an opening to the nearest closing as `mark`s, with its line feeds; what is never closed stays."""
    for opening, closing in pairs:
        kept: list[str] = []
        at = 0
        while (start := text.find(opening, at)) >= 0:
            end = text.find(closing, start + len(opening))
            if end < 0:
                break
            end += len(closing)
            kept += [text[at:start], re.sub(r"[^\n]", mark, text[start:end])]
            at = end
        text = "".join([*kept, text[at:]])
    return text
