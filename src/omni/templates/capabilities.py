"""What of a specification a template can deliver. The rest is named, never dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from omni.spec.model import Entity, FieldType, Job, Operation, OperationKind, Ownership, Page, PageKind, Specification
from omni.templates.catalog import Template
from omni.templates.policy import USER


@dataclass(frozen=True)
class Undelivered:
    ref: str
    """As in `omni.spec.account.refs`: `operation:todo.scan`, `field:Todo.photo`, `job:digest`, …"""
    why: str


def prune(spec: Specification, template: Template) -> tuple[Specification, tuple[Undelivered, ...]]:
    """The specification without what the template can't do, and what that was.

    What rests on something that is left out goes with it, with its own line: a page of a missing entity, a criterion of
    a missing operation.
    """
    gaps = tuple(_gaps(spec, template))
    refs = {gap.ref for gap in gaps}
    entities = tuple(_prune_entity(entity, refs) for entity in spec.entities)
    kept = {entity.name for entity in entities}
    pruned = spec.model_copy(
        update={
            "auth": spec.auth and template.auth != "no",
            "entities": entities,
            "permissions": tuple(p for p in spec.permissions if p.entity in kept),
            "operations": tuple(o for o in spec.operations if f"operation:{o.id}" not in refs),
            "pages": tuple(p for p in spec.pages if f"page:{p.path}" not in refs),
            "jobs": tuple(j for j in spec.jobs if f"job:{j.name}" not in refs),
            "integrations": tuple(i for i in spec.integrations if f"integration:{i.name}" not in refs),
            "qualities": tuple(q for q in spec.qualities if f"quality:{q.id}" not in refs),
        }
    )
    lost = tuple(c for c in spec.criteria if c.verifies and all(ref in refs for ref in c.verifies))
    pruned = pruned.model_copy(update={"criteria": tuple(c for c in spec.criteria if c not in lost)})
    return pruned, (*gaps, *(Undelivered(c.id, "What it verifies is not delivered.") for c in lost))


def _gaps(spec: Specification, template: Template) -> Iterator[Undelivered]:
    can = template.capabilities
    if spec.auth and template.auth == "no":
        yield Undelivered("auth", f"The {template.name} template has no accounts.")
    if spec.auth and spec.sign_up not in can.sign_up:
        yield Undelivered("auth", f"Sign-up by {spec.sign_up} is not part of the {template.name} template.")
    for entity in spec.entities:
        yield from _entity_gaps(entity, spec, template)
    for operation in spec.operations:
        if why := _operation_gap(operation, spec, template):
            yield Undelivered(f"operation:{operation.id}", why)
    for page in spec.pages:
        if page.kind not in can.pages:
            yield Undelivered(f"page:{page.path}", _no(template, f"pages of kind {page.kind}"))
        elif why := _page_gap(page, spec):
            yield Undelivered(f"page:{page.path}", why)
    for job in spec.jobs:
        if job.effect not in can.effects:
            yield Undelivered(f"job:{job.name}", _no(template, f"jobs with effect {job.effect}"))
        elif job.trigger not in can.triggers:
            yield Undelivered(f"job:{job.name}", _no(template, f"jobs started by {job.trigger}"))
        elif why := _job_gap(job, spec, template):
            yield Undelivered(f"job:{job.name}", why)
    for integration in spec.integrations:
        if integration.kind not in can.integrations:
            yield Undelivered(
                f"integration:{integration.name}", _no(template, f"integrations of kind {integration.kind}")
            )
    for quality in spec.qualities:
        if quality.kind not in can.qualities:
            yield Undelivered(f"quality:{quality.id}", _no(template, f"a measure for {quality.kind}"))


def _entity_gaps(entity: Entity, spec: Specification, template: Template) -> Iterator[Undelivered]:
    can, ref = template.capabilities, f"entity:{entity.name}"
    targets = {other.name for other in spec.entities} | ({USER} if spec.auth else set())
    if entity.ownership not in can.ownership:
        yield Undelivered(ref, _no(template, f"ownership {entity.ownership}"))
    for field in entity.fields:
        if field.type not in can.fields:
            yield Undelivered(f"field:{entity.name}.{field.name}", _no(template, f"fields of type {field.type}"))
    for computed in entity.computed:
        if computed.kind not in can.computed:
            yield Undelivered(
                f"computed:{entity.name}.{computed.name}", _no(template, f"computed values of kind {computed.kind}")
            )
    for relation in entity.relations:
        if relation.kind not in can.relations:
            yield Undelivered(
                f"relation:{entity.name}.{relation.name}", _no(template, f"relations of kind {relation.kind}")
            )
        elif relation.target not in targets:
            yield Undelivered(f"relation:{entity.name}.{relation.name}", f"There is no entity {relation.target}.")
    for rule in entity.rules:
        if rule.kind not in can.rules:
            yield Undelivered(f"rule:{rule.id}", _no(template, f"rules of kind {rule.kind}"))


def _operation_gap(operation: Operation, spec: Specification, template: Template) -> str:
    """Why the operation can't be delivered; empty when it can."""
    entities = {entity.name: entity for entity in spec.entities}
    if operation.kind not in template.capabilities.operations:
        return _no(template, f"operations of kind {operation.kind} ({operation.label})")
    if operation.kind is OperationKind.RUN:
        missing = [step for step in operation.steps if step not in template.capabilities.steps]
        return _no(template, f"step {', '.join(missing)}") if missing or not operation.steps else ""
    if operation.entity not in entities:
        return f"There is no entity {operation.entity or '(none given)'}."
    names = {field.name for field in entities[operation.entity].fields}
    needed = operation.kind in {OperationKind.TOGGLE, OperationKind.TRANSITION, OperationKind.INCREMENT}
    if needed and operation.field not in names:
        return f"{operation.entity} has no field {operation.field or '(none given)'}."
    if operation.kind is OperationKind.SUMMARY:
        return _summary_gap(operation, entities[operation.entity])
    if operation.kind is OperationKind.REDIRECT:
        short = any(field.type is FieldType.SLUG or field.unique for field in entities[operation.entity].fields)
        known = operation.target_field in names and short
        return "" if known else f"{operation.entity} has no short code and address to lead to."
    if operation.kind is OperationKind.CAST:
        child = entities.get(operation.child)
        if not spec.auth:
            return "One each per person needs accounts."
        if child is None:
            return f"There is no entity {operation.child or '(none given)'}."
        if not any(relation.target == operation.entity for relation in child.relations):
            return f"{child.name} does not belong to {operation.entity}."
    return ""


def _job_gap(job: Job, spec: Specification, template: Template) -> str:
    """Why the job can't be delivered; empty when it can."""
    if job.effect not in {"purge", "mark", "remind", "report"}:
        return ""
    entity = next((entity for entity in spec.entities if entity.name == job.entity), None)
    if entity is None:
        return f"There is no entity {job.entity or '(none given)'}."
    field = next((field for field in entity.fields if field.name == job.field), None)
    if job.effect == "remind":
        if not spec.auth and template.auth != "no":
            return "A reminder needs accounts to be shown to."
        dated = field is not None and field.type in {FieldType.DATE, FieldType.DATETIME}
        return "" if dated else f"{entity.name} has no date to remind of."
    settable = field is not None and (field.type is FieldType.BOOLEAN or job.value in field.choices)
    if job.effect == "mark" and not settable:
        return f"{entity.name} has no state {job.value or '(none given)'} to set."
    return ""


def _page_gap(page: Page, spec: Specification) -> str:
    entity = next((entity for entity in spec.entities if entity.name == page.entity), None)
    if entity is None:
        needed = page.kind in {PageKind.BOARD, PageKind.CALENDAR, PageKind.DASHBOARD} or page.entity
        return f"There is no entity {page.entity or '(none given)'}." if needed else ""
    types = {field.type for field in entity.fields if field.required}
    if page.kind is PageKind.BOARD and FieldType.ENUM not in types:
        return f"{entity.name} has no state to make columns of."
    if page.kind is PageKind.CALENDAR and not types & {FieldType.DATE, FieldType.DATETIME}:
        return f"{entity.name} has no date that is always there."
    if page.kind is PageKind.DASHBOARD and not any(o.kind == "summary" for o in spec.operations_of(entity.name)):
        return f"{entity.name} has no summary."
    return ""


def _summary_gap(operation: Operation, entity: Entity) -> str:
    keys = {field.name for field in entity.fields} | {r.name for r in entity.relations if r.kind == "belongs-to"}
    values = {"", *(field.name for field in entity.fields), *(computed.name for computed in entity.computed)}
    if operation.field not in keys or operation.value_field not in values:
        return f"{entity.name} has no {operation.field or 'field to group by'} and {operation.value_field} to add up."
    return ""


def _prune_entity(entity: Entity, refs: set[str]) -> Entity:
    def kept(kind: str, name: str) -> bool:
        return f"{kind}:{entity.name}.{name}" not in refs

    return entity.model_copy(
        update={
            "fields": tuple(field for field in entity.fields if kept("field", field.name)),
            "computed": tuple(computed for computed in entity.computed if kept("computed", computed.name)),
            "relations": tuple(relation for relation in entity.relations if kept("relation", relation.name)),
            "rules": tuple(rule for rule in entity.rules if f"rule:{rule.id}" not in refs),
            "ownership": Ownership.SHARED if f"entity:{entity.name}" in refs else entity.ownership,
        }
    )


def _no(template: Template, what: str) -> str:
    return f"The {template.name} template has no {what}."
