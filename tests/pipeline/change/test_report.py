"""The account of a change, in words."""

from __future__ import annotations

from omni.pipeline.change.checkout import Changed
from omni.pipeline.change.handoffs import HandOverHandoff
from omni.pipeline.change.report import Account


def test_one_is_told_as_one() -> None:
    files = (Changed(path="a.py", added=1, removed=0), Changed(path="tests/test_a.py", added=12, removed=1))
    handed = HandOverHandoff(kind="bugfix", folder="", patch="", files=files, verdict="pass")
    account = Account(
        request="", run="", repository="", base="", handed=handed, fails_before={}, summary="", attempts=()
    )
    assert account.size == "1 line added, 0 removed in 1 file; 12 lines added, 1 removed in 1 file of tests"
