"""Strategies that the property tests share."""

from __future__ import annotations

from hypothesis import strategies as st


def texts(limit: int) -> st.SearchStrategy[str]:
    """Texts of any script that are still there after trimming."""
    letters = st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"])
    return st.text(letters, min_size=1, max_size=limit)


def junk() -> st.SearchStrategy[object]:
    """What a careless or hostile client might send as a value."""
    return st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=2))
