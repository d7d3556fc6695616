from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from omni.pipeline.change import suite
from omni.sandbox.bubblewrap import Bubblewrap
from omni.verify.config import ProjectConfig

TESTS = """
import sys

def test_right():
    assert True

def test_wrong():
    assert not 1

def test_only_in_company():
    assert any("::" in argument for argument in sys.argv)
"""


@pytest.mark.host
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap")
def test_what_fails_only_now_and_then_is_told_from_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(TESTS)
    tester = suite.Tester(tmp_path, ProjectConfig(), Path(sys.prefix), Bubblewrap)
    ran = tester.run()
    assert ran.named("failed") == {"test_a.py::test_wrong", "test_a.py::test_only_in_company"}
    calmed, flaky = suite.settled(tester, ran, ran.named("failed"))
    assert flaky == ("test_a.py::test_only_in_company",)
    assert calmed.named("failed") == {"test_a.py::test_wrong"}
    assert calmed.tests["test_a.py::test_right"] == suite.Ran(outcome="passed", path="test_a.py")
