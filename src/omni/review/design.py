"""Design review before code: declared rules over the specification, each worth points, 0 to 10 in all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from omni.spec.model import OperationKind, Ownership, RelationKind, Specification


@dataclass(frozen=True)
class DesignRule:
    """`faults` yields one plain sentence a fault; a rule with faults earns nothing."""

    id: str
    points: float
    faults: Callable[[Specification], Iterable[str]]


@dataclass(frozen=True)
class DesignReview:
    score: float
    findings: tuple[str, ...]


def review_design(spec: Specification) -> DesignReview:
    """Score the design before any code is written."""
    total = sum(rule.points for rule in RULES)
    earned, findings = 0.0, []
    for rule in RULES:
        faults = [f"{rule.id}: {fault}" for fault in rule.faults(spec)]
        findings += faults
        earned += 0 if faults else rule.points
    return DesignReview(round(10 * earned / total, 2), tuple(findings))


def _unresolved(spec: Specification) -> Iterable[str]:
    names = {entity.name for entity in spec.entities}
    for entity in spec.entities:
        for relation in entity.relations:
            if relation.target not in names and relation.target != "User":
                yield f"{entity.name}.{relation.name} points to {relation.target}, which is not there"


def _cycles(spec: Specification) -> Iterable[str]:
    needs = {
        entity.name: [
            relation.target
            for relation in entity.relations
            if relation.kind is RelationKind.BELONGS_TO and relation.required
        ]
        for entity in spec.entities
    }
    for start, targets in needs.items():
        seen, queue = set[str](), list(targets)
        while queue:
            name = queue.pop()
            if name == start:
                yield f"{start} needs itself before it can be created"
                break
            if name not in seen:
                seen.add(name)
                queue += needs.get(name, [])


def _unowned(spec: Specification) -> Iterable[str]:
    for entity in spec.entities:
        if entity.ownership in {Ownership.OWNER, Ownership.AUTHOR} and not spec.auth:
            yield f"{entity.name} belongs to users, but there are no accounts"
        if entity.ownership is Ownership.PARENT and entity.parent not in {item.name for item in entity.relations}:
            yield f"{entity.name} follows {entity.parent or 'a parent'}, which is not among its relations"


def _unpermitted(spec: Specification) -> Iterable[str]:
    if spec.auth:
        allowed = {permission.entity for permission in spec.permissions}
        for entity in spec.entities:
            if entity.name not in allowed and entity.ownership is not Ownership.PARENT:
                yield f"nobody may do anything with {entity.name}"


def _untested(spec: Specification) -> Iterable[str]:
    verified = {ref for criterion in spec.criteria for ref in criterion.verifies}
    for operation in spec.operations:
        if operation.kind is not OperationKind.CUSTOM and f"operation:{operation.id}" not in verified:
            yield f"no acceptance criterion covers {operation.id}"


def _unprotected(spec: Specification) -> Iterable[str]:
    personal = [f"{entity.name}.{field.name}" for entity in spec.entities for field in entity.fields if field.personal]
    if personal and not spec.privacy_threats:
        yield f"personal data ({', '.join(personal[:3])}) without a privacy model"
    if spec.auth and not spec.threats:
        yield "accounts without a threat model"


def _shapeless(spec: Specification) -> Iterable[str]:
    for entity in spec.entities:
        if entity.display_field not in {field.name for field in entity.fields}:
            yield f"{entity.name} is named by {entity.display_field}, which is not one of its fields"
        if len(entity.fields) > 40:
            yield f"{entity.name} has {len(entity.fields)} fields; split it"


RULES = (
    DesignRule("relations-resolve", 2, _unresolved),
    DesignRule("no-creation-cycle", 2, _cycles),
    DesignRule("ownership-is-possible", 2, _unowned),
    DesignRule("every-entity-has-permissions", 1, _unpermitted),
    DesignRule("every-operation-is-tested", 1, _untested),
    DesignRule("threats-are-modelled", 1, _unprotected),
    DesignRule("entities-have-shape", 1, _shapeless),
)
