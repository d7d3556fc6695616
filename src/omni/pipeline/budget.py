"""A run's budget: at its end a person is asked, work goes on in place once it is raised, or what stands is delivered.

A session that a budget ended is not over: it goes on in its own log, from the workspace as it left it, as soon as
there is more to spend. So nothing is done or paid for twice, whether that is in the same process or in a later one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from omni.agents.log import Resumed, SessionLog
from omni.agents.next import cut_off
from omni.agents.session import Outcome
from omni.kernel.errors import OmniError
from omni.models.budget import Budget, tokens_of
from omni.models.errors import BUDGET_USED_UP
from omni.models.seats import seat
from omni.models.wire import Attribution, Chat, ChatReply, ChatRequest, Want
from omni.pipeline import approvals
from omni.pipeline.gates import Answer, gates
from omni.pipeline.stage import Work

POLL = 0.5
"""Seconds between two looks at whether somebody has answered."""

T = TypeVar("T")


def open_budget(work: Work) -> Budget:
    """The budget of the run, as was chosen when it began."""
    return Budget.open(work.engine, work.run.id, tokens_of(work.run.options.budget))


def more(work: Work) -> bool:
    """Whether there is something to spend: at the end of a budget a person is asked, once for each limit.

    Waits as long as the profile's gate says; where it asks nobody, the answer is no at once.
    """
    state = open_budget(work).state()
    rule, run = gates(work.run.options.profile)["budget"], work.run.id
    if not state.paused or state.tokens is None:
        return True
    if not rule.asks(0):
        return False
    approval = approvals.ask(work.engine, run, "budget", rule, state.tokens)
    while (asked := approvals.question(work.engine, run)) and asked.id == approval and not asked.expired:
        time.sleep(POLL)
    return Answer.model_validate_json(approvals.close(work.engine, approval)).decision == "approved"


def paid(work: Work, do: Callable[[], T]) -> T:
    """What `do` makes; begun again when the budget was used up and is raised. Raises OmniError (M002) otherwise."""
    while True:
        try:
            return do()
        except OmniError as error:
            if error.kind is not BUDGET_USED_UP or not more(work):
                raise


def patient(work: Work, chat: Chat) -> Chat:
    """The same chat, each question of which waits for a budget that is used up to be raised."""

    def ask(
        request: ChatRequest, want: Want, attribution: Attribution, on_text: Callable[[str], None] | None = None
    ) -> ChatReply:
        return paid(work, lambda: chat(request, want, attribution, on_text))

    return ask


def session(work: Work, log: SessionLog, take_turns: Callable[[], Outcome]) -> Outcome:
    """A session to its end, which a used-up budget is only when nobody raises it. Raises like `take_turns`.

    It waits while as many agents as the budget allows are at work.
    """

    def work_on() -> Outcome:
        with seat(work.engine, work.run.id, log.session):
            return take_turns()

    outcome = work_on()
    while outcome.ended == "budget" and more(work):
        log.append(Resumed())
        outcome = work_on()
    if outcome.ended != "budget":
        return outcome
    return outcome.model_copy(update={"summary": f"{outcome.summary}. {way(work)}"})


def way(work: Work) -> str:
    """What a person types to have the rest."""
    run = work.run.id
    return f"To go on with what is missing: omni budget {run} --raise-to TOKENS, then omni runs resume {run}"


def unfinished(log: SessionLog) -> str:
    """The session, if its budget has ended it; otherwise empty."""
    return log.session if cut_off(log.lines()) else ""
