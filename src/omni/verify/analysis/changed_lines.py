"""Which lines of a file a change is about."""

from __future__ import annotations

import difflib

from omni.verify import repository
from omni.verify.check import Context


def changed_lines(context: Context, path: str) -> frozenset[int]:
    """Numbers, from 1, of the lines that are not as in the base. Raises OmniError when git can't say."""
    base = repository.commit(context.root, context.base or "HEAD")
    before = repository.text_at(context.root, base, path)
    return lines_not_in(before, context.text(context.inventory.by_path[path]))


def lines_not_in(before: str, after: str) -> frozenset[int]:
    """Numbers of the lines of `after` that are not in `before`."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    blocks = (range(first + 1, last + 1) for tag, _, _, first, last in matcher.get_opcodes() if tag != "equal")
    return frozenset(number for block in blocks for number in block)
