"""What holds for every check: it can be read in a list, and each finding says why and what to do."""

from __future__ import annotations

import pytest

from omni.verify.check import Check
from omni.verify.registry import checks


def test_there_are_enough() -> None:
    own = [check for check in checks() if check.tier in {1, 2}]
    assert len(own) >= 16


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.id)
def test_declaration_reads_well(check: Check) -> None:
    assert check.title[0].isupper()
    assert not check.title.endswith(".")
    assert len(check.title) <= 70
    assert check.languages or check.globs
    assert check.tool or check.run
