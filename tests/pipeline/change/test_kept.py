"""A refactoring: what tests that were there say for it, and what it may not take from them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.pipeline.change.changing import changing, committed, left

from omni.pipeline.change.flow import BASELINE, EDIT, PROOF
from omni.pipeline.change.handoffs import BaselineHandoff, EditHandoff, ProofHandoff
from omni.pipeline.change.judging import ChangeReview, judge
from omni.pipeline.change.stages import prove
from omni.pipeline.change.suite import Ran, Suite
from omni.pipeline.run import RunOptions
from omni.pipeline.stage import Work
from omni.verify.report import Report

LONG = (
    "def total(prices):\n    sum_up = 0\n    for price in prices:\n        sum_up += price\n    return sum_up + TAX\n"
)
SHORT = "def total(prices):\n    return sum(prices) + TAX\n"
TEST = "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) > 3\n    assert total([]) > 0\n"
FILES = {"shop.py": f"TAX = 19\n\n\n{LONG}", "tests/test_shop.py": TEST}
SUITE = Suite(tests={"tests/test_shop.py::test_total": Ran(outcome="passed", path="tests/test_shop.py")})
OPTIONS = RunOptions(environment=sys.prefix)


def edited(work: Work, files: Mapping[str, str]) -> str:
    report = Report(target="", tiers=(1,), results=(), seconds=0, isolation="none")
    commit = committed(work, files)
    left(work, BASELINE, BaselineHandoff(suite=work.put(SUITE), report=work.put(report)))
    left(work, EDIT, EditHandoff(commit=commit, changed=True, ended="done", summary="", model="local/writer"))
    return commit


@pytest.mark.host
@pytest.mark.parametrize(
    ("files", "speaks"),
    [
        (
            {"shop.py": f"TAX = 19\n\n\n{SHORT}"},
            ("the tests that were there, unchanged, run each function that changed (1), and end as before",),
        ),
        ({"shop.py": f"TAX = 7\n\n\n{SHORT}"}, ()),
        ({"shop.py": f"TAX = 19\n\n\n{SHORT}", "conftest.py": "import shop\n\nshop.TAX = 19\n"}, ()),
        ({"shop.py": f"TAX = 19\n\n\n{SHORT}", "page.html": "<b>"}, ()),
    ],
)
def test_tests_that_were_there_speak_for_functions_alone(
    tmp_path: Path, files: Mapping[str, str], speaks: tuple[str, ...]
) -> None:
    with changing(tmp_path, "simplify the total", FILES, OPTIONS) as work:
        left(work, PROOF, ProofHandoff(commit=edited(work, files), suite=work.put(SUITE)))
        assert work.read(ChangeReview, judge(work).record).speaks == speaks


@pytest.mark.host
def test_a_refactoring_leaves_its_tests_what_they_assert(tmp_path: Path) -> None:
    less = TEST.replace("    assert total([]) > 0\n", "")
    with changing(tmp_path, "simplify the total", FILES, OPTIONS) as work:
        edited(work, {"shop.py": f"TAX = 19\n\n\n{SHORT}", "tests/test_shop.py": less})
        assert prove(work).reasons == ("tests/test_shop.py asserts less than before: test_total",)
