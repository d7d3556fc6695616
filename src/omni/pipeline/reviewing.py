"""Review by models: the design before there is code, and what a model wrote after it passed verification.

Each reviewer is another model than the authors. Where there is no other, nobody is asked, and the scorecard says that
independence is missing. What a reviewer could not do is said by name, and the evidence stands as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from omni.agents.debate import Debate, debate
from omni.agents.handoffs import Change, kind_of
from omni.agents.roles import Role, asker, load_role
from omni.kernel.errors import OmniError
from omni.models.catalog import load_catalog
from omni.models.gateway import open_gateway
from omni.models.typed import Asker, quoted
from omni.models.wire import Attribution, Chat
from omni.pipeline.budget import open_budget, patient
from omni.pipeline.deployment import door as door_of
from omni.pipeline.handoffs import DesignHandoff, ImplementationHandoff, SpecificationHandoff, VerificationHandoff
from omni.pipeline.independence import INDEPENDENCE, alone, enabled
from omni.pipeline.run import stage_records
from omni.pipeline.specialists import author, called, documents, shown_to
from omni.pipeline.stage import Work
from omni.pipeline.steps import project_environment
from omni.pipeline.verification import STAGES
from omni.review.adversarial import Assault, Attacks, assault
from omni.review.citation import Findings, Material, Remark, material, read_files
from omni.review.design import DesignReview
from omni.review.findings import Found, find
from omni.review.ground import Ground
from omni.review.independence import barred
from omni.review.intent import BlackBoxTests, Intent, behaviour, verify_intent
from omni.review.judge import Review, combine, judge
from omni.review.scorecard import Scorecard
from omni.spec.model import Specification

THRESHOLD = 8.5
"""Of a design (thresholds B6.3): at or below it a person decides."""
WHOSE = "Omni-Model"
"""Trailer of a commit: who wrote it."""

MOST_ERRORS = 10
"""Of one attempt, that are told."""
SPEC = "docs/spec.md"
ALONE = "models"
"""Under this name it is said that there is no other model."""
QUESTION = "May this design be built as it is?"
NEW_LINE = "\n"

T = TypeVar("T")
P = ParamSpec("P")


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DesignRecord(Model):
    reviews: tuple[Review, ...] = ()
    debates: tuple[Debate, ...] = ()
    """One, where they disagreed."""
    missing: dict[str, str] = Field(default_factory=dict)


class ReviewRecord(Model):
    """Everything that models said of a project, and what came of it."""

    authors: tuple[str, ...]
    files: tuple[str, ...] = ()
    """Those that a model wrote: what is judged."""
    own: tuple[Change, ...] = ()
    """What the author hands over, with a score of its own work; none when it said nothing that can be used."""
    reviews: tuple[Review, ...] = ()
    found: tuple[Found, ...] = ()
    assaults: tuple[Assault, ...] = ()
    intent: tuple[Intent, ...] = ()
    """One, where the program could be tested from outside."""
    missing: dict[str, str] = Field(default_factory=dict)
    """Who could not do its part → why."""

    def joined(self, evidence: Scorecard) -> Scorecard:
        """The scorecard with what models thought of each dimension, and what the author did."""
        card = combine(evidence, self.reviews)
        if ALONE in self.missing:
            card = card.model_copy(update={"independent": False})
        return card.model_copy(update={"author": self.own[0].self_score.score}) if self.own else card

    def unjudged(self, waived: tuple[str, ...] = ()) -> str:
        """Why what a model wrote is known from its own tests alone; empty: another judged it, or a person accepts it.

        The author's tests may assert as little as the author likes, so that passing them is no proof.
        """
        tried = any(each.independent and each.tried for each in self.intent)
        judged = any(each.independent and (each.scores or each.remarks) for each in self.reviews)
        if tried or judged or INDEPENDENCE in waived or not (self.files or ALONE in self.missing):
            return ""
        why = "; ".join(self.missing.values()) or "nobody answered"
        return f"what a model wrote is shown by its own tests alone: {why}. To accept that: --waive {INDEPENDENCE}"

    def blocking(self, waived: tuple[str, ...] = ()) -> tuple[str, ...]:
        """What was really shown to be wrong; opinions don't stop a run."""
        proofs = (proof for each in self.assaults for proof in each.proofs)
        shown = [
            f"shown to be wrong: {p.attack.message} ({p.attack.path}:{p.attack.line}): {p.said.partition(NEW_LINE)[0]}"
            for p in proofs
            if p.attack.severity == "error"
        ]
        broken = [
            f"criterion {each.criterion} is not kept, by a test of {intent.model} from the specification alone: "
            f"{each.said.partition(NEW_LINE)[0]}"
            for intent in self.intent
            for each in intent.broken
            if each.criterion not in waived
        ]
        return (*shown, *broken)


@dataclass
class Panel:
    """Who is asked, on whose account, and what could not be done."""

    work: Work
    chat: Chat
    authors: tuple[str, ...]
    missing: dict[str, str] = field(default_factory=dict)

    def member(self, role_id: str, model: str = "") -> Asker:
        run = self.work.run.id
        account = Attribution(run=run, stage=self.work.stage, call=f"{self.work.stage}#{self.work.attempt}/{role_id}")
        return asker(
            load_role(role_id), self.chat, account, model=model, not_models=() if model else barred(self.authors)
        )

    def attempt(self, name: str, do: Callable[P, T], *given: P.args, **named: P.kwargs) -> tuple[T, ...]:
        """What came of it; nothing when it could not be done, and why is kept."""
        try:
            return (do(*given, **named),)
        except OmniError as problem:
            self.missing[name] = str(problem)
            self.work.emit("note", text=f"no review by {name}: {problem}")
            return ()


@contextmanager
def _panel(work: Work, authors: tuple[str, ...]) -> Iterator[Panel]:
    open_budget(work)
    with open_gateway(work.settings, work.engine) as gateway:
        yield Panel(work, patient(work, gateway.chat), authors)


def review_design(work: Work, ruled: DesignReview) -> DesignHandoff:
    """Two reviewers judge the specification and what specialists made of it; where they disagree they debate.

    A rejection needs an error that holds.
    """
    text, authors = _specification(work), _builders(work)
    if why := alone(work.settings, authors):
        record = DesignRecord(missing={ALONE: why})
        return DesignHandoff(score=ruled.score, findings=ruled.findings, reviews=work.put(record))
    design = {SPEC: text} | {f"{each.kind}.json": each.model_dump_json(indent=1) for each in documents(work)}
    with _panel(work, authors) as panel:
        one, other = panel.member("reviewer"), panel.member("architect")
        reviews = [
            review
            for who in (one, other)
            for review in panel.attempt(who.attribution.role, judge, who, "design", material(design), "", authors)
        ]
        against = [review for review in reviews if _errors(review)]
        split = len(reviews) == 2 and len(against) == 1
        whole = NEW_LINE.join(design.values())
        debates = panel.attempt("debate", debate, QUESTION, whole, one, other) if split else ()
    approved = not against or any(held.outcome == "approve" for held in debates)
    said = [f"{error.path}:{error.line} {error.message}" for review in reviews for error in _errors(review)]
    return DesignHandoff(
        score=ruled.score if approved else min(ruled.score, THRESHOLD, *(each.mean or 0.0 for each in against)),
        findings=(*ruled.findings, *said, *(f"debate: {held.rule}" for held in debates)),
        reviews=work.put(DesignRecord(reviews=tuple(reviews), debates=debates, missing=panel.missing)),
    )


def review_code(work: Work, made: ImplementationHandoff) -> ReviewRecord:
    """All reviewers over what models wrote; nothing to do where none wrote anything."""
    paths = _written(work) if made.models else ()
    if not paths:
        return ReviewRecord(authors=made.models)
    if why := alone(work.settings, made.models):
        return ReviewRecord(authors=made.models, missing={ALONE: why})
    shown, specification = read_files(work.workspace.path, paths), _specification(work)
    case = (shown, specification)
    before = _earlier_errors(work)
    ground = Ground(work.workspace.path, project_environment(work), work.driver())
    asked = [role for role in called(work, work.spec(), "review") if role.concerned(shown.files.values())]

    def extra(role: Role, told: str = "") -> str:
        return "\n\n".join(filter(None, (*shown_to(role, documents(work)), told)))

    with _panel(work, made.models) as panel:
        return ReviewRecord(
            authors=made.models,
            files=tuple(shown.files),
            own=panel.attempt("author", _own, panel, *case),
            reviews=(
                *panel.attempt("reviewer", judge, panel.member("reviewer"), "code", *case, made.models, before),
                *panel.attempt(
                    "reviewer of security",
                    judge,
                    panel.member("reviewer"),
                    "security",
                    *case,
                    made.models,
                    quoted("threat model", _threats(work.spec())),
                ),
            ),
            found=tuple(
                each
                for role in asked
                if kind_of(role.output) is Findings
                for each in panel.attempt(role.id, find, panel.member(role.id), *case, made.models, extra(role))
            ),
            assaults=tuple(
                each
                for role in asked
                if kind_of(role.output) is Attacks
                for each in panel.attempt(
                    role.id, assault, panel.member(role.id), *case, ground, made.models, extra(role, before)
                )
            ),
            intent=tuple(
                each
                for role in asked
                if kind_of(role.output) is BlackBoxTests and work.spec().criteria
                for each in panel.attempt(role.id, _intent, panel, role, specification, ground)
            ),
            missing={**panel.missing, **{path: f"not shown: {why}" for path, why in shown.left_out.items()}},
        )


def _own(panel: Panel, shown: Material, specification: str) -> Change:
    """What the author says of its own work, before it learns what others say."""
    ask = (quoted("specification", specification), shown.shown(), "Your task: hand over this work, which is yours.")
    return panel.member(author(panel.work).id, panel.authors[0]).ask(Change, "\n\n".join(ask), name="own").document


def _intent(panel: Panel, role: Role, specification: str, ground: Ground) -> Intent:
    door, waived = door_of(panel.work), panel.work.run.options.waive
    criteria = {
        each.id: f"Given {each.given}, when {each.when}, then {each.then}."
        for each in panel.work.spec().criteria
        if each.id not in waived
    }
    interface = behaviour(ground, door)
    return verify_intent(panel.member(role.id), specification, criteria, interface, ground, door, panel.authors)


def _builders(work: Work) -> tuple[str, ...]:
    """Who will write the code, as far as that is settled before it is written."""
    meant = load_catalog(work.settings).find(work.run.options.model)
    if meant:
        return tuple(f"{place.name}/{model.id}" for place, model in meant)
    names = enabled(work.settings)  # auto: it is settled where there is but one
    return names if len({name.partition("/")[2] for name in names}) == 1 else ()


def _errors(review: Review) -> tuple[Remark, ...]:
    return tuple(remark for remark in review.remarks if remark.severity == "error")


def _specification(work: Work) -> str:
    return work.store.get(work.handoff(SpecificationHandoff, "specification").document).decode()


def _earlier_errors(work: Work) -> str:
    """What verification said of earlier attempts: where something went wrong once, a reviewer looks twice."""
    said = [
        f"{record.name}, attempt {record.attempt}: {reason}"
        for record in stage_records(work.engine, work.run.id)
        if record.name in STAGES.values() and record.output
        for reason in work.read(VerificationHandoff, record.output).reasons[:MOST_ERRORS]
    ]
    return quoted("errors of earlier attempts, mended since", "\n".join(said)) if said else ""


def _threats(spec: Specification) -> str:
    rows = [f"{t.id} {t.category} at {t.boundary}: {t.threat} Against it: {t.mitigation}" for t in spec.threats]
    return "\n".join(rows) or "There is none."


def _written(work: Work) -> tuple[str, ...]:
    """The files that commits of models changed and that are still there."""
    start = work.handoff(SpecificationHandoff, "specification").commit
    log = work.workspace.git(
        "log", "--name-only", f"--format=%x00%(trailers:key={WHOSE},valueonly)%x01", f"{start}..HEAD"
    )
    paths: set[str] = set()
    for commit in log.split("\0")[1:]:
        who, _, names = commit.partition("\1")
        paths |= {name for name in names.splitlines() if name} if who.strip() not in {"", "none"} else set()
    return tuple(sorted(path for path in paths if (work.workspace.path / path).is_file()))
