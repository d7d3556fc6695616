"""A session from its log: what it asks, when it ends, and that a kill at any place changes nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine

from omni.agents.conversation import EMPTY, NO_ANSWER, messages
from omni.agents.limits import Limits
from omni.agents.log import Called, Compacted, Entry, Line, Replied, Resumed, SessionLog, Told
from omni.agents.session import Outcome, Task, run_session
from omni.agents.summary import PROMPT
from omni.agents.tools import ToolResult
from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.events import replay
from omni.kernel.settings import Settings
from omni.models.errors import BUDGET_USED_UP
from omni.models.errors import NO_ANSWER as NOBODY
from omni.models.wire import Attribution, ChatReply, ChatRequest, Finish, Message, ToolCall, ToolSpec, Usage, Want

RUN = "0190"
TASK = Task(session=f"{RUN}/implementation#0", system="You write code.", instructions="Make it work.")


class Killed(BaseException):
    """What `kill -9` is to a process: nothing after it runs."""


@dataclass
class Desk:
    """Tools over one text. `write` appends; every call that is carried out is counted."""

    text: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(ToolSpec(name=name, description=name, parameters={}) for name in ("read", "write", "fail"))

    def writes(self, name: str) -> bool:
        return name != "read"

    def call(self, call: ToolCall) -> ToolResult:
        self.ran.append(f"{call.name} {call.arguments}")
        if call.name == "write":
            try:
                self.text += json.loads(call.arguments)["text"]
            except ValueError:
                return ToolResult(text="The arguments of `write` are no JSON.", ok=False)
        return ToolResult(text=self.text or "nothing", ok=call.name != "fail")

    def snapshot(self) -> str:
        name = str(hash(self.text))
        self.kept[name] = self.text
        return name

    def restore(self, snapshot: str) -> None:
        self.text = self.kept[snapshot]


@dataclass
class Model:
    """Answers by turn. A turn that was answered is answered again from the ledger, as the gateway does."""

    replies: Sequence[ChatReply | OmniError]
    asked: list[ChatRequest] = field(default_factory=list)
    ledger: dict[str, ChatReply] = field(default_factory=dict)
    summary: ChatReply | None = None
    """For whoever sums older turns up; None: it does not answer to that."""

    def __call__(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        if attribution.prompt == PROMPT:
            if self.summary is None:
                raise OmniError(NOBODY, "not now")
            return self.summary
        assert want.tools
        if attribution.call in self.ledger:
            return self.ledger[attribution.call]
        self.asked.append(request)
        reply = self.replies[int(attribution.call.rpartition(":")[2]) - 1]
        if isinstance(reply, OmniError):
            raise reply
        self.ledger[attribution.call] = reply
        return reply


def says(text: str = "", *calls: tuple[str, str], finish: Finish = "stop") -> ChatReply:
    called = tuple(ToolCall(id="same", name=name, arguments=arguments) for name, arguments in calls)
    return ChatReply(
        message=Message(role="assistant", content=text, tool_calls=called),
        finish=finish,
        usage=Usage(prompt=100, cached=80, completion=10),
        provider="local",
        model="m",
    )


def write(text: str) -> tuple[str, str]:
    return ("write", json.dumps({"text": text}))


FINISH = ("finish", '{"summary": "It works."}')
READ = ("read", "{}")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """SQLite alone: what a database does is for the tests of the log."""
    opened = open_database(Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'omni.db'}"))
    yield opened
    opened.dispose()


def run(engine: Engine, *replies: ChatReply | OmniError, **task: object) -> tuple[Outcome, list[Entry], Desk, Model]:
    desk, model = Desk(), Model(replies)
    log = SessionLog(engine, TASK.session)
    outcome = run_session(TASK.model_copy(update=task), model, desk, log)
    return outcome, [line.entry for line in log.lines()], desk, model


def test_it_works_until_it_says_that_it_has_finished(engine: Engine) -> None:
    outcome, entries, desk, model = run(engine, says("First.", write("a"), READ), says("", FINISH))
    assert outcome == Outcome(
        ended="done", summary="It works.", steps=2, usage=Usage(prompt=200, cached=160, completion=20)
    )
    assert desk.text == "a"
    assert [entry.kind for entry in entries] == ["began", "replied", "called", "called", "replied", "called", "closed"]
    assert [message.role for message in model.asked[1].messages] == ["system", "user", "assistant", "tool", "tool"]
    assert [event.kind for event in replay(engine, RUN)] == [f"agent.{entry.kind}" for entry in entries]


def test_the_opening_is_the_same_to_the_byte_in_every_request(engine: Engine) -> None:
    replies = [says(f"Step {n}.", write(str(n))) for n in range(6)]
    _, _, _, model = run(engine, *replies, says("", FINISH), context=("# Specification",))
    texts = ["\n".join(each.model_dump_json() for each in request.messages) for request in model.asked]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert len({request.model_dump_json(include={"tools"}) for request in model.asked}) == 1
    assert model.asked[0].messages[1].content == "# Specification\n\nMake it work."


def test_each_call_has_an_id_of_its_own(engine: Engine) -> None:
    _, entries, _, _ = run(engine, says("", READ, READ), says("", FINISH))
    assert [entry.call.id for entry in entries if isinstance(entry, Called)] == ["call_1_0", "call_1_1", "call_2_0"]


@pytest.mark.parametrize(
    ("bad", "reason", "kept_as"),
    [
        (says("I'm sorry, but I can't help with that."), "refusal", "I'm sorry, but I can't help with that."),
        (says("", finish="content_filter"), "refusal", EMPTY),
        (says(" \n"), "empty", " \n"),
        (says("def solve(", finish="length"), "cut", "def solve("),
        (says("Now I will write it."), "monologue", "Now I will write it."),
        (OmniError(NOBODY, "the stream stalled"), "failure", NO_ANSWER),
    ],
)
def test_what_is_no_answer_is_said_once_and_stays_visible(
    engine: Engine, bad: ChatReply | OmniError, reason: str, kept_as: str
) -> None:
    outcome, entries, _, model = run(engine, bad, says("", FINISH))
    assert outcome.ended == "done"
    told = [entry for entry in entries if isinstance(entry, Told)]
    assert [entry.reason for entry in told] == [reason]
    roles = [message.role for message in model.asked[1].messages]
    assert roles == ["system", "user", "assistant", "user"]
    said = model.asked[1].messages[2].content
    assert said == (kept_as if kept_as.strip() else EMPTY)


def test_a_malformed_call_is_never_sent_back_as_it_was(engine: Engine) -> None:
    outcome, entries, desk, model = run(engine, says("", ("write", '{"text": "a')), says("", FINISH))
    assert outcome.ended == "done"
    assert desk.text == ""
    called = next(entry for entry in entries if isinstance(entry, Called))
    assert (called.text, called.ok) == ("The arguments of `write` are no JSON.", False)
    assert called.call.arguments == '{"text": "a'
    assert model.asked[1].messages[2].tool_calls[0].arguments == '{"not_json": "{\\"text\\": \\"a"}'


def test_to_finish_beside_a_call_that_failed_is_not_granted(engine: Engine) -> None:
    outcome, entries, _, _ = run(engine, says("", ("fail", "{}"), FINISH), says("", FINISH))
    assert outcome.steps == 2
    assert [entry.ok for entry in entries if isinstance(entry, Called)] == [False, False, True]


@pytest.mark.parametrize(
    ("replies", "ended", "summary"),
    [
        ([says("I cannot help with that.")] * 2, "refused", "The model declined 2 times."),
        ([says("")] * 4, "stuck", "4 answers in a row could not be used: empty, empty, empty, empty."),
        (
            [says("", ("fail", "{}"))] * 6,
            "stuck",
            "Told once, and still: the same call of fail failed the same way 3 times.",
        ),
        ([says("", READ)] * 8, "stuck", "Told once, and still: the same call of read had the same result 4 times."),
        (
            [says("", READ), says("", ("fail", "{}"))] * 6,
            "stuck",
            "Told once, and still: the same two turns were taken in turn 3 times.",
        ),
        (
            [says("Hm.")] * 6,
            "stuck",
            "Told once, and still: 3 answers in a row without a call of a tool.",
        ),
        ([OmniError(BUDGET_USED_UP, "all is gone")], "budget", "all is gone"),
    ],
)
def test_it_does_not_go_on_for_ever(
    engine: Engine, replies: list[ChatReply | OmniError], ended: str, summary: str
) -> None:
    outcome, entries, _, model = run(engine, *replies)
    assert (outcome.ended, outcome.summary) == (ended, summary)
    assert len(model.asked) == len(replies)
    assert sum(isinstance(entry, Told) and entry.reason == "stuck" for entry in entries) <= 1


@pytest.mark.parametrize(
    ("limits", "reached"),
    [
        (Limits(steps=2), "2 turns"),
        (Limits(tokens=200), "200 tokens"),
        (Limits(cost=0.0002), "a cost of 0.0002"),
        (Limits(seconds=0), "0 seconds"),
    ],
)
def test_a_limit_ends_it_after_the_turn_that_reached_it(engine: Engine, limits: Limits, reached: str) -> None:
    replies = [says("", write(str(number))) for number in range(9)]
    outcome, _, desk, _ = run(engine, *replies, limits=limits, prices={"m": (1.0, 1.0)})
    assert (outcome.ended, outcome.summary) == ("limit", f"The limit of {reached} is reached.")
    assert desk.text == ("" if limits.seconds == 0 else "01")


def test_an_answer_in_words_is_the_end_of_a_task_that_asks_for_words(engine: Engine) -> None:
    outcome, entries, _, _ = run(engine, says("", READ), says("Approved."), ends_with="text")
    assert (outcome.ended, outcome.summary) == ("done", "Approved.")
    assert [spec.name for spec in entries[0].tools] == ["read", "write", "fail"]  # type: ignore[union-attr]


def test_when_nobody_answers_the_error_is_the_callers_and_the_session_goes_on_later(engine: Engine) -> None:
    down = OmniError(NOBODY, "refused")
    with pytest.raises(OmniError, match="refused"):
        run(engine, down, down, down)
    desk, model = Desk(kept={str(hash("")): ""}), Model([down] * 3 + [says("", write("a")), says("", FINISH)])
    outcome = run_session(TASK, model, desk, SessionLog(engine, TASK.session))
    assert (outcome.ended, outcome.steps, desk.text) == ("done", 5, "a")


def test_silence_is_not_waited_for(engine: Engine) -> None:
    def silent(*_: object) -> ChatReply:
        threading.Event().wait(5)
        raise AssertionError

    log = SessionLog(engine, TASK.session)
    with pytest.raises(OmniError, match=r"nothing was heard for 0\.05 seconds"):
        run_session(TASK.model_copy(update={"limits": Limits(idle=0.05)}), silent, Desk(), log)
    assert [line.entry.kind for line in log.lines()] == ["began", "failed"]


def test_a_long_session_goes_on_with_a_digest_and_the_same_opening(engine: Engine) -> None:
    replies = [says(f"Step {number}.", write("x" * 900)) for number in range(8)]
    outcome, entries, _, model = run(engine, *replies, says("", FINISH), limits=Limits(window=2500))
    assert outcome.ended == "done"
    digests = [entry for entry in entries if isinstance(entry, Compacted)]
    assert digests
    assert all(entry.by == "rule" and entry.why.endswith("not now") for entry in digests)
    assert all(entry.before > entry.after for entry in digests)
    openings = {request.messages[:2] for request in model.asked}
    assert len(openings) == 1
    digest = str(model.asked[-1].messages[3].content)
    assert "- turn 1: Step 0." in digest


def test_a_long_session_is_summed_up_by_its_model(engine: Engine) -> None:
    structure = [{"path": "x", "text": "Where it is done."}]
    notes = [f"D{number}" for number in range(2, 30)]

    class Summing(Model):
        def __call__(self, request: ChatRequest, *rest: object) -> ChatReply:
            known = [each for each in notes if f"{each} | " in str(request.messages[-1].content)]
            written = {"decisions": [{"of": known, "text": "Step by step."}], "structure": structure}
            self.summary = says(json.dumps(written if known else {}))
            return super().__call__(request, *rest)  # type: ignore[arg-type]

    replies = [says(f"Step {number}.", ("write", json.dumps({"text": "y" * 900, "path": "x"}))) for number in range(8)]
    model, log = Summing([*replies, says("", FINISH)]), SessionLog(engine, TASK.session)
    outcome = run_session(TASK.model_copy(update={"limits": Limits(window=2500)}), model, Desk(), log)
    digests = [line.entry for line in log.lines() if isinstance(line.entry, Compacted)]
    assert outcome.ended == "done"
    assert [(entry.by, entry.usage.total) for entry in digests] == [("local/m", 110)] * len(digests)
    assert "- Step by step. (D2, " in str(model.asked[-1].messages[3].content)
    events = [event.data for event in replay(engine, RUN) if event.kind == "agent.compacted"]
    assert [event["before"] for event in events] == [entry.before for entry in digests]


def test_a_server_that_takes_less_than_it_told_gets_less(engine: Engine) -> None:
    replies: list[ChatReply | OmniError] = [says(f"Step {number}.", write("x" * 500)) for number in range(3)]
    replies.append(OmniError(NOBODY, "400: this model's maximum context length is 4096 tokens"))
    outcome, entries, _, model = run(engine, *replies, says("", FINISH), limits=Limits(window=2000))
    assert outcome.ended == "done"
    assert [entry.kind for entry in entries][-4:] == ["compacted", "replied", "called", "closed"]
    assert len(str(model.asked[-1].messages)) < len(str(model.asked[-2].messages))


def test_calls_that_change_nothing_run_side_by_side_and_are_told_in_their_order(engine: Engine) -> None:
    last_began = threading.Event()

    class Waiting(Desk):
        def call(self, call: ToolCall) -> ToolResult:
            if call.id == "call_1_2":
                last_began.set()
            if call.id == "call_1_0":
                assert last_began.wait(20)  # it ends after those that began later
            return super().call(call)

    model, log = (
        Model([says("", READ, READ, READ, write("a"), READ), says("", FINISH)]),
        SessionLog(engine, TASK.session),
    )
    outcome = run_session(TASK, model, Waiting(), log)
    assert outcome.ended == "done"
    called = [line.entry for line in log.lines() if isinstance(line.entry, Called)]
    assert [(each.call.id, each.text) for each in called[:5]] == [
        ("call_1_0", "nothing"),
        ("call_1_1", "nothing"),
        ("call_1_2", "nothing"),
        ("call_1_3", "a"),
        ("call_1_4", "a"),
    ]


STORY = (
    says("Look.", READ, READ),
    says("Write.", write("a"), write("b"), READ),
    says("I'm sorry, but I can't help with that."),
    says("", ("write", "not json")),
    says("Hm."),
    says("More.", write("c")),
    says("", FINISH),
)


@dataclass
class Deadly(SessionLog):
    """A log that is killed at its nth entry: before it is kept, or right after."""

    at: int = 0
    before: bool = False

    def __init__(self, engine: Engine, session: str, at: int, *, before: bool) -> None:
        super().__init__(engine, session)
        self.at, self.before = at, before

    def append(self, entry: Entry) -> Line:
        self.at -= 1
        if self.at == 0 and self.before:
            raise Killed
        line = super().append(entry)
        if self.at == 0:
            raise Killed
        return line


@pytest.mark.parametrize("before", [True, False])
def test_killed_at_any_entry_it_ends_the_same_and_pays_for_nothing_twice(engine: Engine, before: bool) -> None:
    _, whole, desk, model = run(engine, *STORY)
    reference = (desk.text, [request.model_dump_json() for request in model.asked])
    for place in range(1, len(whole) + 1):
        task = TASK.model_copy(update={"session": f"{RUN}/{before}#{place}"})
        desk, model = Desk(), Model(STORY)
        with pytest.raises(Killed):
            run_session(task, model, desk, Deadly(engine, task.session, place, before=before))
        log = SessionLog(engine, task.session)
        if log.lines():
            desk.text += "half-done"  # what a tool in flight, or whoever came after, may have left
        outcome = run_session(task, model, desk, log)
        assert (desk.text, [request.model_dump_json() for request in model.asked]) == reference
        assert outcome.summary == "It works."
        kept = [line.entry for line in log.lines()]
        assert [entry for entry in kept if not isinstance(entry, Resumed)] == [
            entry.model_copy(update={"seconds": again.seconds}) if isinstance(entry, Called) else entry
            for entry, again in zip(whole, (e for e in kept if not isinstance(e, Resumed)), strict=True)
        ]
        in_flight = before and isinstance(whole[place - 1], Called) and whole[place - 1].call.name != "finish"
        assert len(desk.ran) <= 8 + 2 * in_flight  # calls that ran and were not kept yet


def test_what_is_sent_is_a_pure_function_of_the_log(engine: Engine) -> None:
    _, _, _, model = run(engine, *STORY)
    lines = SessionLog(engine, TASK.session).lines()
    places = [number for number, line in enumerate(lines) if isinstance(line.entry, Replied)]
    assert [messages(lines[:place]) for place in places] == [request.messages for request in model.asked]
