"""Who and what may say that a change is right."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Literal

import pytest
from tests.pipeline.change.changing import changing, committed, left

from omni.kernel.events import replay
from omni.models.script import Match, Record, Reply, Rule, Script, serve
from omni.pipeline import approvals, budget, decision
from omni.pipeline.change.flow import BASELINE, EDIT, PROOF, REVIEW, TEST
from omni.pipeline.change.handoffs import BaselineHandoff, EditHandoff, JudgedHandoff, ProofHandoff, RedHandoff
from omni.pipeline.change.intended import Intended, Outcome
from omni.pipeline.change.judging import ChangeReview, approving, judge
from omni.pipeline.change.kinds import Kind
from omni.pipeline.change.suite import Ran, Suite
from omni.pipeline.run import RunOptions, stage_records
from omni.pipeline.stage import Work
from omni.verify.report import CheckResult, Report, Status

FILES = {"shop.py": "def total(prices):\n    return sum(prices[1:])\n"}
MENDED = {"shop.py": "def total(prices):\n    return sum(prices)\n"}
CITE = {"path": "shop.py", "line": 2, "quote": "sum(prices)"}
SCORE = {"dimension": "correctness", "score": 9, "because": "it adds them all", "cites": [CITE]}
OUTCOMES: tuple[Literal["failed", "passed"], ...] = ("failed", "passed")
JUDGED = {"feedback": "It adds.", "scores": [SCORE]}


def proved(work: Work, *authors: str, green: tuple[str, ...] = ()) -> None:
    """A change that its tests prove, each attempt by one author."""
    commit = committed(work, MENDED)
    suite = work.put(Suite())
    left(work, BASELINE, BaselineHandoff(suite=suite))
    for author in authors:
        left(work, EDIT, EditHandoff(commit=commit, changed=True, ended="done", summary="", model=author))
    left(work, PROOF, ProofHandoff(commit=commit, suite=suite, green=green))


def enable(work: Work, url: str, *models: str) -> None:
    rows = ", ".join(f'{{ wire_name = "{name}", capability = "heavy", context = 65536 }}' for name in models)
    (work.settings.home / "models.toml").write_text(
        f'[[endpoint]]\nname = "local"\nbase_url = "{url}"\nmodels = [{rows}]\n'
    )


def says(reply: object) -> Script:
    return Script(
        rules=(
            Rule(match=Match(system="(reviewer)"), reply=Reply(text=json.dumps(reply)), times=0),
            Rule(match=Match(), reply=Reply(text="{}"), times=0),
        )
    )


def test_a_review_waits_for_a_budget_that_is_used_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "POLL", 0.01)
    record, made = Record(), list[JudgedHandoff]()
    options = RunOptions(budget="100", profile="supervised")
    with changing(tmp_path, "fix the sum", FILES, options) as work, serve(says(JUDGED), record) as url:
        enable(work, url, "writer", "other")
        proved(work, "local/writer")
        thread = threading.Thread(target=lambda: made.append(judge(work)), daemon=True)
        thread.start()
        while approvals.question(work.engine, work.run.id) is None:
            assert thread.is_alive()
            time.sleep(0.01)
        assert record.chats == 0
        decision.raise_budget(work.settings, work.engine, work.run.id, 1_000_000, "ada")
        thread.join(60)
        assert work.read(ChangeReview, made[0].record).speaks == ("judged by local/other",)
    assert (made[0].unjudged, made[0].doubt, made[0].passed) == ("", "", True)


def test_who_wrote_any_part_of_it_does_not_judge_it(tmp_path: Path) -> None:
    record = Record()
    with changing(tmp_path, "fix the sum", FILES) as work, serve(says(JUDGED), record) as url:
        enable(work, url, "writer", "other")
        proved(work, "local/writer", "local/other")
        made = judge(work)
        assert work.read(ChangeReview, made.record).authors == ("local/other", "local/writer")
    assert record.chats == 0
    assert made.doubt == (
        "nobody could judge: no other model than local/other, local/writer is enabled, and a model does not approve "
        "its own work"
    )
    assert made.unjudged.startswith("nobody but its author says that it is right: no other model than local/other, ")


@pytest.mark.parametrize(
    ("testers", "speaks"),
    [(("local/one", "local/two"), ("test_sum, by local/one, local/two, failed and passes",)),
     (("local/writer", "local/two"), ())],
)  # fmt: skip
def test_a_test_speaks_for_a_change_if_its_author_wrote_no_part_of_it(
    tmp_path: Path, testers: tuple[str, ...], speaks: tuple[str, ...]
) -> None:
    with changing(tmp_path, "fix the sum", FILES) as work:
        for each in testers:
            left(work, TEST, RedHandoff(commit="", model=each))
        proved(work, "local/writer", green=("test_sum",))
        assert work.read(ChangeReview, judge(work).record).speaks == speaks


@pytest.mark.parametrize(
    ("kind", "outcome", "speaks"),
    [
        ("bugfix", "shown", ("judged by local/other",)),
        ("bugfix", "kept", ()),
        ("feature", "kept", ()),
        ("refactor", "kept", ("judged by local/other",)),
        ("refactor", "broken", ()),
        ("migration", "kept", ("judged by local/other",)),
    ],
)
def test_a_test_from_the_request_speaks_for_what_it_tells_apart(
    kind: Kind, outcome: Literal["shown", "kept", "broken"], speaks: tuple[str, ...]
) -> None:
    tried = (Outcome(name="test_sum", code="", outcome=outcome),)
    for independent in (True, False):
        intent = (Intended(model="local/other", independent=independent, tried=tried),)
        record = ChangeReview(authors=("local/writer",), intent=intent)
        assert approving(record, kind) == (speaks if independent else ())


@pytest.mark.parametrize(("score", "speaks"), [(3.0, ()), (9.0, ("judged by local/other",))])
def test_who_doubts_it_does_not_speak_for_it_by_a_test(score: float, speaks: tuple[str, ...]) -> None:
    scored = CheckResult(
        check="review-code",
        title="",
        tier=2,
        status=Status.PASS,
        tool="local/other",
        metrics={"review-code.correctness": score},
    )
    report = Report(target="", tiers=(2,), results=(scored,), seconds=0, isolation="none")
    tried = (Outcome(name="test_sum", code="", outcome="shown"),)
    intent = (Intended(model="local/other", independent=True, tried=tried),)
    record = ChangeReview(authors=("local/writer",), report=report, intent=intent)
    assert approving(record, "bugfix") == speaks


@pytest.mark.parametrize(("score", "unjudged"), [(1, True), (7.5, True), (7.6, False)])
def test_who_finds_little_that_is_right_does_not_say_that_it_is(
    tmp_path: Path, score: float, *, unjudged: bool
) -> None:
    with (
        changing(tmp_path, "fix the sum", FILES) as work,
        serve(says({**JUDGED, "scores": [{**SCORE, "score": score}]})) as url,
    ):
        enable(work, url, "writer", "other")
        proved(work, "local/writer")
        made = judge(work)
    why = f"local/other gives {score:g} of 10 for correctness, where a person decides up to 7.5"
    said = f"nobody but its author says that it is right: {why}. To accept that: --waive independence"
    assert (made.passed, made.unjudged) == (True, said if unjudged else "")


def test_a_score_for_something_else_does_not_say_that_it_is_right(tmp_path: Path) -> None:
    polite = {**JUDGED, "scores": [{**SCORE, "dimension": "readability", "score": 10}]}
    with changing(tmp_path, "fix the sum", FILES) as work, serve(says(polite)) as url:
        enable(work, url, "writer", "other")
        proved(work, "local/writer")
        assert judge(work).unjudged.startswith("nobody but its author says that it is right: nobody answered with ")


def test_a_review_that_nobody_could_make_is_not_called_passed(tmp_path: Path) -> None:
    alone = "nobody could judge: no other model than local/writer is enabled, and a model does not approve its own work"
    with changing(tmp_path, "fix the sum", FILES, RunOptions(waive=("independence",))) as work, serve(says({})) as url:
        enable(work, url, "writer")
        proved(work, "local/writer")
        made = judge(work)
        left(work, REVIEW, made)
        record = stage_records(work.engine, work.run.id)[-1]
        event = replay(work.engine, work.run.id)[-1]
    assert (made.passed, made.unjudged, made.doubt) == (True, "", alone)
    assert (record.name, record.status, event.data["passed"], event.data["doubt"]) == (
        "change-review",
        "unjudged",
        True,
        alone,
    )


def test_a_review_in_which_nobody_answers_says_so(tmp_path: Path) -> None:
    silent = Script(rules=(Rule(match=Match(), reply=Reply(status=400), times=0),))
    with changing(tmp_path, "fix the sum", FILES) as work, serve(silent) as url:
        enable(work, url, "writer", "other")
        proved(work, "local/writer")
        assert judge(work).doubt.startswith("nobody could judge: ")


@pytest.mark.parametrize(
    ("more", "speaks"),
    [
        ({}, True),
        ({"tests/test_new.py": "def test_new(): ...\n"}, True),
        ({"tests/test_shop.py": "def test_old(): ...\n"}, False),
        ({"conftest.py": "import shop\n"}, False),
    ],
)
def test_a_test_that_failed_speaks_if_the_change_left_it_alone(
    tmp_path: Path, more: dict[str, str], *, speaks: bool
) -> None:
    with changing(tmp_path, "fix the sum", FILES) as work:
        commit = committed(work, MENDED | more)
        red, green = (
            work.put(Suite(tests={"tests/test_shop.py::test_old": Ran(outcome=outcome, path="tests/test_shop.py")}))
            for outcome in OUTCOMES
        )
        left(work, BASELINE, BaselineHandoff(suite=red))
        left(work, EDIT, EditHandoff(commit=commit, changed=True, ended="done", summary="", model="local/writer"))
        left(work, PROOF, ProofHandoff(commit=commit, suite=green))
        said = ("tests/test_shop.py::test_old was there and failed, and passes",)
        assert work.read(ChangeReview, judge(work).record).speaks == (said if speaks else ())
