"""Tests that another model wrote from the request: what they tell apart is the code before and after."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.pipeline.change.changing import changing, committed, left

from omni.models.script import Match, Reply, Rule, Script, serve
from omni.pipeline.change.flow import BASELINE, EDIT, PROOF
from omni.pipeline.change.handoffs import BaselineHandoff, EditHandoff, ProofHandoff
from omni.pipeline.change.judging import ChangeReview, judge
from omni.pipeline.change.suite import Suite
from omni.pipeline.run import RunOptions

FILES = {"shop.py": "def total(prices):\n    return sum(prices)\n"}
ADDED = {"discount.py": "def less(price, percent):\n    return price * (100 - percent) // 100\n"}
NEW = "from discount import less\n\n\ndef test_less():\n    assert less(200, 10) == 180\n"
OLD = "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
WRONG = "from discount import less\n\n\ndef test_wrong():\n    assert less(200, 10) == 190\n"
SAID = {
    "tests": [{"name": f"test_{name}", "code": code} for name, code in (("less", NEW), ("old", OLD), ("wrong", WRONG))]
}


@pytest.mark.slow
@pytest.mark.host
def test_what_a_change_adds_was_not_there_before(tmp_path: Path) -> None:
    script = Script(
        rules=(
            Rule(match=Match(system="(tester)"), reply=Reply(text=json.dumps(SAID)), times=0),
            Rule(match=Match(), reply=Reply(text="{}"), times=0),
        )
    )
    options = RunOptions(environment=sys.prefix)
    with changing(tmp_path, "add a discount", FILES, options) as work, serve(script) as url:
        rows = ", ".join(
            f'{{ wire_name = "{name}", capability = "heavy", context = 65536 }}' for name in ("writer", "other")
        )
        (work.settings.home / "models.toml").write_text(
            f'[[endpoint]]\nname = "local"\nbase_url = "{url}"\nmodels = [{rows}]\n'
        )
        commit, suite = committed(work, ADDED), work.put(Suite())
        left(work, BASELINE, BaselineHandoff(suite=suite))
        left(work, EDIT, EditHandoff(commit=commit, changed=True, ended="done", summary="", model="local/writer"))
        left(work, PROOF, ProofHandoff(commit=commit, suite=suite))
        said = judge(work)
        (intent,) = work.read(ChangeReview, said.record).intent
    assert {each.name: each.outcome for each in intent.tried} == {
        "test_less": "shown",
        "test_old": "kept",
        "test_wrong": "broken",
    }
    assert said.reasons == ("a test of local/other from the request alone fails: test_wrong: assert 180 == 190",)
