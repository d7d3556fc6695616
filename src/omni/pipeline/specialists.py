"""Specialists of a run: who was called at which stage, on which tokens, what they handed over and what came of it.

Who is called is data (`omni.agents.assignment`). What one could not do is said by name, and the build goes on without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from omni.agents.assignment import assigned
from omni.agents.handoffs import Criterion, Envelope, ProductSpec
from omni.agents.roles import NOT_GIVEN, Does, Role, asker, consult, load_role, roles
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.tables import events as event_rows
from omni.models.budget import Budget, tokens_of
from omni.models.gateway import open_gateway
from omni.models.ledger import usage
from omni.models.seats import seat
from omni.models.typed import Asker, quoted
from omni.models.wire import Attribution, Chat
from omni.pipeline.budget import open_budget
from omni.pipeline.handoffs import SpecificationHandoff
from omni.pipeline.stage import Work
from omni.spec.model import Specification
from omni.templates.capabilities import prune
from omni.templates.catalog import get

NO_ROOM = declare(
    "P050", "A specialist would use what others need", Exit.INCOMPLETE, "Give the run more tokens: omni build --budget"
)
SHARE, EACH = 4, 20
"""One part in so many of what the work may use is for all specialists together, and for each of them."""
LONGEST_LINE = 600
"""Characters (`omni.agents.handoffs.Line`)."""
CALLED = "specialist.called"
"""Event: a specialist was granted tokens. What was granted once holds when the run is taken up again."""
OF_THE_PROGRAM = "specification"
"""Whose document it is that no model wrote."""

Outcome = Literal["handed over", "kept", "taken back", "nothing to do", "failed", "not asked"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Contribution(Model):
    """What came of calling one specialist."""

    role: str
    prompt: str
    outcome: Outcome
    why: str = ""
    """What it says it did; or why nothing came of it."""
    model: str = ""
    """Who answered, as `provider/model`; several, who changed the code together, with a comma between."""
    envelope: Envelope | None = None
    commit: str = ""
    """Of a change that was kept."""


class Contributions(Model):
    each: tuple[Contribution, ...]


@dataclass(frozen=True)
class Desk:
    """Where the specialists of a stage are asked, on the run's account."""

    work: Work
    spec: Specification
    chat: Chat

    def call(self, role: Role) -> str:
        """The name of what a specialist is asked at this stage."""
        return f"{self.work.stage}#{self.work.attempt}/{role.id}"

    def who(self, role: Role) -> Asker:
        account = Attribution(run=self.work.run.id, stage=self.work.stage, call=self.call(role))
        return asker(role, self.chat, account, model=named(self.work))

    @contextmanager
    def at_work(self, role: Role) -> Iterator[int | None]:
        """Give a specialist a seat among the run's agents, and tokens; None: as many as it likes.

        Raises OmniError (P050) where too few are left.
        """
        tokens = self._grant(role)
        with seat(self.work.engine, self.work.run.id, f"{self.work.run.id}/{self.call(role)}"):
            yield tokens

    def _grant(self, role: Role) -> int | None:
        work = self.work
        state = Budget(work.engine, work.run.id).state()
        if (tokens := tokens_of(work.run.options.budget)) is None or state.tokens is None:
            each = None
        else:
            each = (tokens - state.kept) // EACH
            left = min((state.tokens - state.kept) // SHARE - spent(work), state.tokens - state.kept - state.used)
            if left < each and not self._granted(role):
                raise OmniError(NO_ROOM, f"{max(0, left)} tokens are left for specialists, it needs {each}")
        if not self._granted(role):
            work.emit(CALLED, role=role.id, title=role.title)
        return each

    def without(self, role: Role, problem: OmniError) -> Contribution:
        """A specialist of whom nothing came, said by name."""
        self.work.emit("note", text=f"without the {role.title} ({role.id}): {problem}")
        unasked = problem.kind in {NO_ROOM, NOT_GIVEN}
        return contribution(role, "not asked" if unasked else "failed", str(problem))

    def _granted(self, role: Role) -> bool:
        data = event_rows.c.data
        found = select(event_rows.c.id).where(
            event_rows.c.run_id == self.work.run.id,
            event_rows.c.kind == CALLED,
            data["stage"].as_string() == self.work.stage,
            data["attempt"].as_integer() == self.work.attempt,
            data["role"].as_string() == role.id,
        )
        with self.work.engine.connect() as connection:
            return connection.execute(found.limit(1)).first() is not None


@contextmanager
def desk(work: Work, spec: Specification) -> Iterator[Desk]:
    open_budget(work)
    with open_gateway(work.settings, work.engine) as gateway:
        yield Desk(work, spec, gateway.chat)


def called(work: Work, spec: Specification, does: Does) -> tuple[Role, ...]:
    """The specialists that this stage calls for such work, in order; none where no model is asked."""
    if not work.run.options.model:
        return ()
    found = assigned(work.stage, spec, tokens_of(work.run.options.budget))
    return tuple(role for role in found if role.call and role.call.does == does)


def advise(work: Work, spec: Specification, document: str) -> str:
    """Ask for the documents that come before code; digest of what came of it, empty where nobody is called.

    `document`: the specification as Markdown. Each one reads what those before it handed over.
    """
    asked = called(work, spec, "document")
    if not asked:
        return ""
    left = to_write(spec)
    given = {envelope.kind: envelope for envelope in (left,) if envelope}
    case = quoted("docs/spec.md", document) + "\n\n" + quoted("left to write", _left(spec))
    made = []
    with desk(work, spec) as found:
        for role in asked:
            made.append(_consulted(found, role, case, tuple(given.values())))
            if envelope := made[-1].envelope:
                given[envelope.kind] = envelope
    return work.put(Contributions(each=tuple(made)))


def documents(work: Work) -> tuple[Envelope, ...]:
    """What was handed over before code, newest specification; empty where nobody was asked."""
    return tuple(each.envelope for each in before_code(work) if each.envelope)


def before_code(work: Work) -> tuple[Contribution, ...]:
    return contributions(work, work.handoff(SpecificationHandoff, "specification").specialists)


def contributions(work: Work, digest: str) -> tuple[Contribution, ...]:
    """What is kept under a digest; nothing for an empty one."""
    return work.read(Contributions, digest).each if digest else ()


def author(work: Work) -> Role:
    """Who writes the code: the specialist for it where the documents that it works from are there, or the Developer."""
    held = {envelope.kind for envelope in documents(work)}
    spec, tokens = work.spec(), tokens_of(work.run.options.budget)
    able = (
        role
        for role in assigned("implementation", spec, tokens)
        if role.call and role.call.does == "code" and held.issuperset(role.inputs)
    )
    return next(able, load_role("developer"))


def shown_to(role: Role, given: Sequence[Envelope]) -> tuple[str, ...]:
    """The documents that a role reads, as blocks of data."""
    read = {*role.inputs, *role.optional}
    return tuple(quoted(envelope.kind, envelope.model_dump_json()) for envelope in given if envelope.kind in read)


def contribution(role: Role, outcome: Outcome, why: str = "") -> Contribution:
    return Contribution(role=role.id, prompt=role.prompt_id, outcome=outcome, why=why)


def named(work: Work) -> str:
    """The model that was asked for by name; empty: the router chooses."""
    return "" if work.run.options.model == "auto" else work.run.options.model


def spent(work: Work) -> int:
    """Tokens that specialists have used beside the author and the reviewers."""
    beside = {role.id for role in roles().values() if role.call and role.call.does in {"document", "change"}}
    rows = usage(work.engine, ("role",), run=work.run.id)
    return sum(row.prompt + row.completion + row.wasted for row in rows if row.key[0] in beside)


def to_write(spec: Specification) -> Envelope | None:
    """What the template leaves to a model, as the program reads the request; None where no criterion says it."""
    refs = {gap.ref for gap in prune(spec, get(spec.template))[1]}
    criteria = tuple(
        Criterion(id=each.id, given=_line(each.given), when=_line(each.when), then=_line(each.then))
        for each in spec.criteria
        if refs & {each.id, *each.verifies}
    )
    if not criteria:
        return None
    document = ProductSpec(
        summary=_line(spec.summary),
        criteria=criteria,
        questions=tuple(_line(question.text) for question in spec.questions),
        assumptions=tuple(_line(assumption.text) for assumption in spec.assumptions),
    )
    return Envelope(
        kind=ProductSpec.__name__,
        document=document.model_dump(mode="json"),
        role=OF_THE_PROGRAM,
        prompt="none",
        model="none",
    )


def _line(text: str) -> str:
    """A text as long as a line of a document may be; the specification has all of it."""
    return text.strip()[:LONGEST_LINE] or "(nothing is said)"


def _left(spec: Specification) -> str:
    gaps = prune(spec, get(spec.template))[1]
    said = {f"operation:{operation.id}": operation.description for operation in spec.operations}
    return "\n".join(f"- {gap.ref}: {said.get(gap.ref) or gap.why}" for gap in gaps)


def _consulted(found: Desk, role: Role, case: str, given: tuple[Envelope, ...]) -> Contribution:
    task = role.call.task if role.call else ""
    try:
        with found.at_work(role):
            said = consult(role, found.who(role), task, given, case)
    except OmniError as problem:
        return found.without(role, problem)
    document = said.answer.document
    counted = ", ".join(
        f"{len(value)} {name}" for name, value in document if isinstance(value, tuple) and value and name != "files"
    )
    update = {"model": said.answer.model, "envelope": said.envelope}
    return contribution(role, "handed over", f"{role.output}: {counted}").model_copy(update=update)
