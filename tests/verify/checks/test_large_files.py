from __future__ import annotations

from collections.abc import Callable

Found = Callable[..., list[str]]


def test_large_and_built(found: Found) -> None:
    files = {"big.csv": "x" * (1 << 20) + "yy", "app.pyc": b"\0\0", "poetry.lock": "x" * (2 << 20), "a.py": "x = 1\n"}
    assert found("large-files", files) == ["warning built-file app.pyc:None", "warning large-file big.csv:None"]
