"""How complete a specification is, by declared rules, from 0 to 10. Below 8 nothing is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from omni.spec.asked import PartStatus
from omni.spec.model import Operation, OperationKind, Specification
from omni.spec.words import a, listing

PASSING = 8.0


class RuleScore(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    points: float
    of: float
    missing: str
    """What to say to get the rest; empty when nothing is missing."""


class Completeness(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    score: float
    rules: tuple[RuleScore, ...]

    @property
    def passed(self) -> bool:
        return self.score >= PASSING

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(rule.missing for rule in self.rules if rule.missing)


@dataclass(frozen=True)
class Rule:
    id: str
    title: str
    of: float
    share: Callable[[Specification], float]
    """How much of it is there, 0 to 1."""
    missing: Callable[[Specification], str]


def _subject(spec: Specification) -> float:
    return float(
        bool(spec.entities) or any(op.kind is OperationKind.RUN or _adopted(op, spec) for op in spec.operations)
    )


def _adopted(operation: Operation, spec: Specification) -> bool:
    """Whether it is a model's to deliver: a custom operation that a criterion verifies."""
    custom = operation.kind is OperationKind.CUSTOM
    return custom and any(f"operation:{operation.id}" in criterion.verifies for criterion in spec.criteria)


def _detail(spec: Specification) -> float:
    if not spec.entities:
        return _subject(spec)
    told = [len(entity.fields) + len(entity.relations) > 1 for entity in spec.entities]
    return sum(told) / len(told)


def _vague(spec: Specification) -> list[str]:
    return [e.label.lower() for e in spec.entities if len(e.fields) + len(e.relations) <= 1]


def _undetailed(spec: Specification) -> str:
    if not spec.entities:
        return "Say which details each thing has."
    names = listing([a(name) for name in _vague(spec)])
    return f"Say what is known about {names}: “each … has a name, a date and a price”."


def _behaviour(spec: Specification) -> float:
    acting = {operation.entity for operation in spec.operations if operation.kind is not OperationKind.CUSTOM}
    wanted = {entity.name for entity in spec.entities if entity.ownership != "author"} or acting
    return len(wanted & acting) / len(wanted) if wanted else 0.0


def _people(spec: Specification) -> float:
    if not _subject(spec):
        return 0.0
    return 1.0 if not spec.auth or (spec.roles and spec.permissions) or not spec.entities else 0.0


def _understood(spec: Specification) -> float:
    telling = [part for part in spec.parts if part.status is not PartStatus.NARRATIVE]
    known = [part for part in telling if part.status in (PartStatus.MAPPED, PartStatus.QUESTION)]
    return len(known) / len(telling) if telling else 0.0


def _unknown(spec: Specification) -> str:
    parts = [f"“{part.text.strip(' .,;')}”" for part in spec.parts if part.status is PartStatus.NOT_DELIVERED]
    return listing(parts[:5]) + (f" and {len(parts) - 5} more" if len(parts) > 5 else "")


def _unclear(spec: Specification) -> str:
    unknown = _unknown(spec)
    return f"Say in other words, or leave out: {unknown}." if unknown else "Say what to build."


def _tested(spec: Specification) -> float:
    promised = {f"operation:{op.id}" for op in spec.operations} | {f"quality:{q.id}" for q in spec.qualities}
    promised |= {f"job:{job.name}" for job in spec.jobs} | {f"rule:{r.id}" for e in spec.entities for r in e.rules}
    shown = {ref for criterion in spec.criteria for ref in criterion.verifies}
    return len(promised & shown) / len(promised) if promised else 0.0


def _threats(spec: Specification) -> float:
    return float(bool(spec.threats) and bool(_subject(spec)))


def _decided(spec: Specification) -> float:
    return float(all(question.default for question in spec.questions)) * _subject(spec)


RULES = (
    Rule("subject", "It is clear what the app is about", 2.5, _subject,
         lambda _: "Say what it keeps or does: for example “a todo app”, “track my plants with name and species”."),
    Rule("detail", "Each thing has its details", 1.5, _detail,
         _undetailed),
    Rule("behaviour", "It is clear what can be done", 1.0, _behaviour,
         lambda _: "Say what people do with it: “users can add, edit and delete …”."),
    Rule("people", "It is clear who may do what", 1.0, _people,
         lambda _: "Say who uses it and who may see whose data."),
    Rule("understood", "The request is understood", 2.0, _understood,
         _unclear),
    Rule("criteria", "What is promised has acceptance criteria", 1.0, _tested,
         lambda _: "There is nothing yet that could be tested."),
    Rule("threats", "Its dangers are thought of", 0.5, _threats,
         lambda _: "There is nothing yet to protect."),
    Rule("decided", "Open questions have defaults", 0.5, _decided,
         lambda _: "There is nothing yet to decide on."),
)  # fmt: skip


def assess(spec: Specification) -> Completeness:
    """The score of a specification: the sum of the rules' points, rounded to one decimal."""
    scores = []
    for rule in RULES:
        share = rule.share(spec)
        missing = "" if share >= 1 else rule.missing(spec)
        scores.append(
            RuleScore(id=rule.id, title=rule.title, points=round(rule.of * share, 2), of=rule.of, missing=missing)
        )
    return Completeness(score=round(sum(score.points for score in scores), 1), rules=tuple(scores))
