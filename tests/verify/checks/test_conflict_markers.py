from __future__ import annotations

from collections.abc import Callable

Found = Callable[..., list[str]]

CONFLICT = "a = 1\n" + "<" * 7 + " ours\nb = 1\n" + "=" * 7 + "\nb = 2\n" + ">" * 7 + " theirs\n"


def test_conflict(found: Found) -> None:
    assert found("conflict-markers", {"a.txt": CONFLICT}) == ["error merge-conflict a.txt:2"]


def test_headings_and_single_markers_are_none(found: Found) -> None:
    assert found("conflict-markers", {"a.rst": "Title\n=======\n", "b.md": "<" * 7 + " alone\n"}) == []
