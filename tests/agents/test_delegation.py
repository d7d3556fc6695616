"""Parts of a task that another session does: on the same limits, by a model as the part needs, whole after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from sqlalchemy import Engine
from tests.agents.test_session import FINISH, READ, TASK, Desk, Killed, says, write

from omni.agents import session
from omni.agents.compaction import digest
from omni.agents.limits import Limits, spent
from omni.agents.log import Called, Closed, Entry, Line, Replied, Resumed, SessionLog, is_part, sessions
from omni.agents.session import Outcome, Task, run_session
from omni.agents.transcript import transcript
from omni.kernel import clock
from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings, load_settings
from omni.models.errors import BUDGET_USED_UP
from omni.models.gateway import open_gateway
from omni.models.script import Call, Match, Reply, Rule, Script, serve
from omni.models.wire import Attribution, ChatReply, ChatRequest, Want

RUN = "0190"
TASK = TASK.model_copy(update={"delegates": True, "context": ("# What is there",)})


def part(instructions: str, complexity: str) -> tuple[str, str]:
    return ("delegate", json.dumps({"instructions": instructions, "complexity": complexity}))


class Team:
    """A model that plans and two that write: told apart by what each is asked. Answered once, kept in the ledger."""

    def __init__(self, planner: list[ChatReply]) -> None:
        self.planner = planner
        self.asked: list[tuple[str, str]] = []
        """Call and capability."""
        self.openings: dict[str, str] = {}
        self.ledger: dict[str, ChatReply] = {}
        self.kill_at = -1
        self.budget: int | None = None
        """Questions that it pays for; None: any number."""

    def __call__(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        if attribution.call in self.ledger:
            return self.ledger[attribution.call]
        if len(self.asked) == self.kill_at:
            self.kill_at = -1
            raise Killed
        if len(self.asked) == self.budget:
            raise OmniError(BUDGET_USED_UP, "nothing is left")
        self.asked.append((attribution.call, want.capability))
        session, _, turn = attribution.call.rpartition(":")
        self.openings[session] = str(request.messages[1].content)
        summary = json.dumps({"summary": f"{want.capability} did it"})
        writer = [says("", write(want.capability[0])), says("", ("finish", summary))]
        reply = (writer if is_part(session) else self.planner)[int(turn) - 1]
        self.ledger[attribution.call] = reply
        return reply


PLAN = [says("Two parts.", part("Write the parser.", "simple"), part("Prove it.", "hard")), says("", FINISH)]
ASKED = [
    (f"{TASK.session}:1", "balanced"),
    (f"{TASK.session}+call_1_0:1", "fast"),
    (f"{TASK.session}+call_1_0:2", "fast"),
    (f"{TASK.session}+call_1_1:1", "heavy"),
    (f"{TASK.session}+call_1_1:2", "heavy"),
    (f"{TASK.session}:2", "balanced"),
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'omni.db'}"))
    yield opened
    opened.dispose()


def run(engine: Engine, team: Team, desk: Desk, task: Task = TASK) -> Outcome:
    return run_session(task, team, desk, SessionLog(engine, task.session))


def results(engine: Engine) -> list[Called]:
    return [e for line in SessionLog(engine, TASK.session).lines() if isinstance(e := line.entry, Called)]


def test_an_easy_part_and_a_hard_one_go_to_different_models(engine: Engine) -> None:
    team, desk = Team(PLAN), Desk()
    outcome = run(engine, team, desk)
    assert (outcome.ended, outcome.summary, desk.text) == ("done", "It works.", "fh")
    assert team.asked == ASKED
    assert [(each.ok, each.text) for each in results(engine)[:2]] == [(True, "fast did it"), (True, "heavy did it")]
    opening = team.openings[f"{TASK.session}+call_1_0"]
    assert opening.startswith("# What is there\n\nThis is one part of a larger task")
    assert opening.endswith("# Your part\nWrite the parser.")
    assert "Make it work." not in opening
    assert [is_part(name) for name in sessions(engine, RUN)] == [False, True, True]
    lines = SessionLog(engine, TASK.session).lines()
    assert (outcome.steps, outcome.usage.total) == (6, 660)  # with what the parts took
    assert "- turn 1, a part done by a colleague: heavy did it" in digest(lines, 8000)
    assert "### ✓ delegate complexity=hard\n\n```\nProve it.\n```" in transcript(TASK.session, lines)


@pytest.mark.parametrize("place", range(6))
def test_killed_anywhere_it_goes_on_there(place: int, engine: Engine) -> None:
    team, desk = Team(PLAN), Desk()
    team.kill_at = place
    with pytest.raises(Killed):
        run(engine, team, desk)
    desk.text += "what a killed tool left"
    assert run(engine, team, desk).ended == "done"
    assert (team.asked, desk.text) == (ASKED, "fh")


@pytest.mark.parametrize("place", range(1, 5))
def test_a_part_that_the_budget_cuts_off_goes_on_once_it_is_raised(place: int, engine: Engine) -> None:
    """Nobody is asked twice, what stands is kept, and until then it counts what was paid for."""
    team, desk, log = Team(PLAN), Desk(), SessionLog(engine, TASK.session)
    team.budget = place
    task = TASK.model_copy(update={"limits": Limits(steps=6)})
    outcome = run(engine, team, desk, task)
    assert (outcome.ended, outcome.summary) == ("budget", "nothing is left")
    assert (outcome.steps, outcome.usage.total) == (place, 110 * place)
    assert len(results(engine)) == (place > 2)
    left = desk.text
    assert run(engine, team, desk, task) == outcome  # a kill after it: what stands is the same
    assert desk.text == left
    for paid in (place, None):  # taken up again for nothing, then raised
        team.budget = paid
        log.append(Resumed())
        desk.text += "what the template has, to be delivered meanwhile"
        outcome = run(engine, team, desk, task)
        assert outcome.steps == len(team.asked)
    assert (outcome.ended, outcome.usage.total) == ("done", 660)
    assert (team.asked, desk.text) == (ASKED, "fh")
    assert [each.ok for each in results(engine)] == [True, True, True]


def test_the_time_of_a_part_that_was_cut_off_is_its_own_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the part took is not taken from what it is given, too."""
    ticks = count()
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=10 * next(ticks)))
    team, log = Team(PLAN), SessionLog(engine, TASK.session)
    given: list[float] = []

    def within(task: Task, *rest: Any) -> Outcome:
        given.append(task.limits.seconds)
        return run_session(task, *rest)

    monkeypatch.setattr(session, "run_session", within)
    team.budget, desk = 2, Desk()
    assert run(engine, team, desk).ended == "budget"
    team.budget = None
    log.append(Resumed())
    run(engine, team, desk)
    assert given[0] == given[1] > given[2]


def test_killed_between_a_part_that_was_cut_off_and_who_waits_for_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, desk, append = Team(PLAN), Desk(), SessionLog.append
    team.budget = 2

    def killed(log: SessionLog, entry: Entry) -> Line:
        if isinstance(entry, Closed) and not is_part(log.session):
            raise Killed
        return append(log, entry)

    with monkeypatch.context() as patch:
        patch.setattr(SessionLog, "append", killed)
        with pytest.raises(Killed):
            run(engine, team, desk)
    team.budget = None
    assert run(engine, team, desk).ended == "done"
    assert (team.asked, desk.text) == (ASKED, "fh")


def test_a_part_has_what_is_left_of_the_limits(engine: Engine) -> None:
    team = Team([says("", part("Go.", "simple"), part("Go.", "hard")), says("", FINISH)])
    outcome = run(engine, team, Desk(), TASK.model_copy(update={"limits": Limits(steps=4)}))
    assert [each.text for each in results(engine)] == snapshot(
        ["fast did it", "Not done, it ended by limit: The limit of 1 turns is reached."]
    )
    assert (outcome.ended, outcome.steps) == ("limit", 4)


def test_one_level_and_no_nonsense(engine: Engine) -> None:
    team = Team([says("", ("delegate", '{"complexity": "hard"}'), ("delegate", "x")), says("", READ), says("", FINISH)])
    run(engine, team, Desk())
    assert [each.text for each in results(engine)[:2]] == snapshot(
        [
            "Not delegated: instructions: Field required.",
            "Not delegated: the arguments: Input should be a valid dictionary or instance of Part.",
        ]
    )
    assert not any("+" in call for call, _ in team.asked)
    assert spent(SessionLog(engine, TASK.session).lines()).steps == 3


def test_the_router_gives_each_part_to_a_model_of_its_capability(tmp_path: Path) -> None:
    """Through the real router: who answered stands in the logs."""

    def says_once(reply: Reply, **match: str) -> Rule:
        return Rule(match=Match.model_validate(match), reply=reply, times=1)

    ended = Reply(tool_calls=(Call(name="finish", arguments={"summary": "Done."}),))
    parts = tuple(
        Call(name="delegate", arguments={"instructions": "Do it.", "complexity": complexity})
        for complexity in ("simple", "hard")
    )
    rules = (
        says_once(Reply(tool_calls=parts), model="middling"),
        *(says_once(ended, model=name) for name in ("small", "large", "middling")),
    )
    with serve(Script(rules=rules)) as url:
        models = ", ".join(
            f'{{ wire_name = "{name}", capability = "{capability}", tools = true }}'
            for name, capability in (("small", "fast"), ("middling", "balanced"), ("large", "heavy"))
        )
        secret = tmp_path / "models.toml"
        secret.write_text(f'[[endpoint]]\nname = "local"\nbase_url = "{url}"\nmodels = [{models}]\n')
        secret.chmod(0o600)
        settings = load_settings({"home": str(tmp_path)})
        engine = open_database(settings)
        with open_gateway(settings, engine) as gateway:
            task = TASK.model_copy(update={"attribution": Attribution(run=RUN)})
            outcome = run_session(task, gateway.chat, Desk(), SessionLog(engine, TASK.session))
        answered = {
            name.rpartition("#")[2]: {
                e.reply.model for line in SessionLog(engine, name).lines() if isinstance(e := line.entry, Replied)
            }
            for name in sessions(engine, RUN)
        }
        engine.dispose()
    assert outcome.ended == "done"
    assert answered == {"0": {"middling"}, "0+call_1_0": {"small"}, "0+call_1_1": {"large"}}


def test_a_task_that_does_not_delegate_has_no_such_tool(engine: Engine) -> None:
    asked: list[ChatRequest] = []
    team = Team([says("", part("Go.", "hard")), says("", FINISH)])

    def chat(request: ChatRequest, *rest: object) -> ChatReply:
        asked.append(request)
        return team(request, *rest)  # type: ignore[arg-type]

    run_session(TASK.model_copy(update={"delegates": False}), chat, Desk(), SessionLog(engine, TASK.session))
    assert [tool.name for tool in asked[0].tools] == ["read", "write", "fail", "finish"]
    assert len(team.asked) == 2
