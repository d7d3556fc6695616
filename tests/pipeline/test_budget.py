"""At the end of a budget: who is asked, what goes on, and that nothing is done or paid for twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from tests.agents.test_session import TASK, Desk, says, write

from omni.agents.log import Closed, Resumed, SessionLog
from omni.agents.session import Outcome, run_session
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.errors import OmniError
from omni.kernel.events import replay
from omni.kernel.settings import Settings
from omni.kernel.tables import approvals as approvals_table
from omni.kernel.tables import audit_entries, stages
from omni.models import ledger
from omni.models.budget import Budget, tokens_of
from omni.models.ledger import Asked, Cost
from omni.models.wire import Attribution, ChatReply, ChatRequest, Usage, Want
from omni.pipeline import approvals, budget, decision, runner
from omni.pipeline.gates import Answer, Gate
from omni.pipeline.handoffs import Approval, GateHandoff
from omni.pipeline.run import Run, RunOptions, create, end_stage, load, reopened, set_status, stage_records, start_stage
from omni.pipeline.runner import Runner, call_plainly
from omni.pipeline.stage import Work
from omni.pipeline.stages.s07_human_gate import STAGE
from omni.pipeline.workspace import Workspace
from omni.sandbox.job import Driver

GIVEN = 2_000
HANDOFF = GateHandoff(approvals=())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "POLL", 0.01)


@dataclass
class Site:
    """A run at work, with a model that writes four times and ends; each question takes 600 tokens."""

    settings: Settings
    engine: Engine
    run: Run
    desk: Desk = field(default_factory=Desk)
    asked: list[str] = field(default_factory=list)

    @property
    def work(self) -> Work:
        workspace = Workspace(self.settings.home, self.run.created_at)
        store = ArtifactStore(self.settings.home / "artifacts")
        return Work(self.run, "implementation", 0, self.settings, self.engine, store, workspace, _no_driver)

    @property
    def log(self) -> SessionLog:
        return SessionLog(self.engine, f"{self.run.id}/implementation#0.0")

    def chat(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        begun = ledger.begin(self.engine, attribution, 300, 300)
        if not isinstance(begun, Asked):
            assert begun is not None
            return begun
        turn = int(attribution.call.rpartition(":")[2])
        self.asked.append(attribution.call)
        last = turn > 4
        reply = says("", ("finish", '{"summary": "All is there."}') if last else write(str(turn)))
        reply = reply.model_copy(update={"usage": Usage(prompt=300, completion=300)})
        ledger.answered(self.engine, begun, reply, Cost(), keep=True)
        return reply

    def work_on(self) -> Outcome:
        task = TASK.model_copy(update={"session": self.log.session, "attribution": Attribution(run=self.run.id)})
        budget.open_budget(self.work)
        return budget.session(self.work, self.log, lambda: run_session(task, self.chat, self.desk, self.log))

    def in_the_background(self) -> tuple[threading.Thread, list[Outcome]]:
        """At work, until the run waits for a person."""
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.append(self.work_on()), daemon=True)
        thread.start()
        while approvals.question(self.engine, self.run.id) is None:
            assert thread.is_alive()
            time.sleep(0.01)
        return thread, outcomes

    def decide(self, decision_: str, by: str = "ada") -> None:
        answer = Answer.model_validate({"decision": decision_, "by": by, "reason": "so"})
        decision.decide(self.settings, self.engine, self.run.id, answer)


def _no_driver() -> Driver:
    raise AssertionError("nothing runs here")


@pytest.fixture
def site(tmp_path: Path, database_url: str, engine: Engine, request: pytest.FixtureRequest) -> Site:
    options = RunOptions(model="auto", budget=str(GIVEN), profile=getattr(request, "param", "supervised"))
    return Site(
        Settings(home=tmp_path, database_url=database_url), engine, create(engine, "a tool that counts", options)
    )


def ended(site: Site) -> list[str]:
    return [line.entry.ended for line in site.log.lines() if isinstance(line.entry, Closed)]


@pytest.mark.parametrize("site", ["autonomous"], indirect=True)
def test_where_nobody_is_asked_it_ends_at_once_and_says_how_to_go_on(site: Site) -> None:
    outcome = site.work_on()
    assert (outcome.ended, site.desk.text) == ("budget", "123")
    way = f"omni budget {site.run.id} --raise-to TOKENS, then omni runs resume {site.run.id}"
    assert outcome.summary.endswith(f"To go on with what is missing: {way}")
    assert budget.unfinished(site.log) == site.log.session
    assert approvals.decided(site.engine, site.run.id) == ()


def test_the_run_waits_for_a_person_and_goes_on_in_place(site: Site) -> None:
    thread, outcomes = site.in_the_background()
    assert load(site.engine, site.run.id).status == "waiting"
    site.decide("approved")
    thread.join(60)
    (outcome,) = outcomes
    assert (outcome.ended, outcome.summary, site.desk.text) == ("done", "All is there.", "1234")
    assert site.asked == [f"{site.log.session}:{turn}" for turn in range(1, 6)], "nothing is asked twice"
    assert Budget(site.engine, site.run.id).state().tokens == 2 * GIVEN
    assert approvals.decided(site.engine, site.run.id) == (
        Approval(gate="budget", decision="approved", by="ada", reason="raised"),
    )
    assert ended(site) == ["budget", "done"]
    assert load(site.engine, site.run.id).status == "running"
    with site.engine.connect() as connection:
        (kept,) = connection.execute(select(audit_entries.c.body)).scalars()
    facts = json.loads(kept)
    assert (facts["actor"], facts["action"], facts["subject"]) == ("ada", "run.budget", site.run.id)
    assert facts["detail"] == {"from": GIVEN, "to": 2 * GIVEN}


def test_a_raise_that_is_too_small_is_asked_about_again(site: Site) -> None:
    thread, outcomes = site.in_the_background()
    first = approvals.waiting(site.engine, site.run.id).id
    decision.raise_budget(site.settings, site.engine, site.run.id, GIVEN + 50, "ada")
    while (asked := approvals.question(site.engine, site.run.id)) is None or asked.id == first:
        assert thread.is_alive()
        time.sleep(0.01)
    decision.raise_budget(site.settings, site.engine, site.run.id, None, "bob")
    thread.join(60)
    assert [outcome.ended for outcome in outcomes] == ["done"]
    assert [each.by for each in approvals.decided(site.engine, site.run.id)] == ["ada", "bob"]


def test_who_says_no_is_asked_once_and_what_stands_is_delivered(site: Site) -> None:
    thread, outcomes = site.in_the_background()
    site.decide("rejected")
    thread.join(60)
    assert [outcome.ended for outcome in outcomes] == ["budget"]
    assert not budget.more(site.work), "the same limit is not asked about again"
    assert [each.decision for each in approvals.decided(site.engine, site.run.id)] == ["rejected"]
    decision.raise_budget(site.settings, site.engine, site.run.id, 100_000, "ada")
    assert site.work_on().ended == "done", "raised later, it goes on where it was"
    assert len(site.asked) == len(set(site.asked)) == 5


def test_nobody_answers_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "gates", lambda _: {"budget": Gate(type="mandatory", timeout=0)})
    assert site.work_on().ended == "budget"
    assert [each.decision for each in approvals.decided(site.engine, site.run.id)] == ["expired"]


def test_killed_while_it_waits_it_finds_its_question_and_its_answer(site: Site) -> None:
    class Killed(BaseException):
        pass

    def kill(_: float) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", kill)
        with pytest.raises(Killed):
            site.work_on()
    first = approvals.waiting(site.engine, site.run.id).id
    thread, outcomes = site.in_the_background()  # taken up by another process
    assert approvals.waiting(site.engine, site.run.id).id == first
    site.decide("approved")
    thread.join(60)
    assert [outcome.ended for outcome in outcomes] == ["done"]
    assert len(site.asked) == len(set(site.asked)) == 5
    assert sum(isinstance(line.entry, Resumed) for line in site.log.lines()) >= 1


def test_a_stage_does_not_count_the_time_in_which_it_waits(site: Site) -> None:
    start_stage(site.engine, site.run.id, STAGE, 0)
    thread, _ = site.in_the_background()
    site.decide("rejected")
    thread.join(60)
    end_stage(site.engine, site.run.id, STAGE, 0, "", HANDOFF)
    requested = approvals_table.c.requested_at
    with site.engine.begin() as connection:
        began = connection.execute(select(requested)).scalar_one()
        connection.execute(update(stages).values(started_at=began - timedelta(seconds=5)))
        connection.execute(update(approvals_table).values(decided_at=began + timedelta(hours=20)))
        connection.execute(update(stages).values(ended_at=began + timedelta(hours=20, seconds=2)))
    (record,) = stage_records(site.engine, site.run.id)
    assert (record.waited, record.seconds) == (72_000.0, 7.0)


def test_a_limit_is_not_revised(site: Site) -> None:
    thread, _ = site.in_the_background()
    with pytest.raises(OmniError, match="A budget is approved or rejected") as refused:
        site.decide("revised")
    assert refused.value.kind.code == "P011"
    assert approvals.revisions(site.engine, site.run.id) == ()
    site.decide("rejected")
    thread.join(60)


def test_a_single_question_waits_too(site: Site) -> None:
    """As reviewers ask: outside of a session."""
    opened = budget.open_budget(site.work)
    chat = budget.patient(site.work, site.chat)
    answers: list[ChatReply] = []

    def ask() -> None:
        accounts = (Attribution(run=site.run.id, call=f"r:{turn}") for turn in range(1, 6))
        answers.extend(chat(ChatRequest(messages=()), Want(), account) for account in accounts)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    while approvals.question(site.engine, site.run.id) is None:
        assert thread.is_alive()
        time.sleep(0.01)
    assert (len(answers), opened.state().paused) == (3, True)
    site.decide("approved")
    thread.join(60)
    assert len(answers) == 5


def test_a_run_that_ended_is_open_again_once_its_budget_was_raised(site: Site) -> None:
    budget.open_budget(site.work)
    set_status(site.engine, site.run.id, "ended", "fail")
    assert decision.reopen(site.settings, site.engine, site.run.id).status == "ended"
    decision.raise_budget(site.settings, site.engine, site.run.id, 10_000, "ada")
    again = decision.reopen(site.settings, site.engine, site.run.id)
    assert (again.status, again.verdict, reopened(site.engine, site.run.id)) == ("running", "", 1)
    assert decision.reopen(site.settings, site.engine, site.run.id).status == "running"
    assert reopened(site.engine, site.run.id) == 1
    set_status(site.engine, site.run.id, "ended", "pass")
    assert decision.reopen(site.settings, site.engine, site.run.id).status == "ended", "nothing is missing"


@pytest.fixture
def unlimited(site: Site, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setattr(runner, "flow", lambda *_: "pass")
    options = site.run.options.model_copy(update={"budget": "unlimited", "profile": "autonomous"})
    assert tokens_of(options.budget) is None
    return Runner(create(site.engine, "a tool", options), site.settings, site.engine)


def test_without_approval_nothing_is_done_without_a_limit(site: Site, unlimited: Runner) -> None:
    assert call_plainly(unlimited) == "rejected"  # bare calls wait for nobody
    assert [each.decision for each in approvals.decided(site.engine, unlimited.run.id)] == ["expired"]


def test_who_approved_an_unlimited_budget_is_kept(site: Site, unlimited: Runner) -> None:
    decision.approve_unlimited(site.settings, site.engine, unlimited.run.id, "ada")
    assert call_plainly(unlimited) == "pass"
    assert approvals.decided(site.engine, unlimited.run.id) == (
        Approval(gate="unlimited_budget", decision="approved", by="ada"),
    )
    kinds = [each.kind for each in replay(site.engine, unlimited.run.id)]
    assert kinds == ["run.created", "approval.approved"]
