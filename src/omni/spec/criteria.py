"""Acceptance criteria in Given/When/Then for everything a specification promises."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel, ConfigDict

from omni.spec import words
from omni.spec.model import (
    Action,
    Criterion,
    Entity,
    FieldType,
    Integration,
    Job,
    Operation,
    OperationKind,
    Ownership,
    Page,
    Permission,
    Quality,
    RelationKind,
    Rule,
    RuleKind,
    SpecField,
    Specification,
    Trigger,
)
from omni.spec.tables import read_yaml

Row = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]
"""given, when, then, verifies, sources"""


class AccountText(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    given: str
    when: str
    then: str


class Texts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    account: tuple[AccountText, ...]
    operations: dict[OperationKind, dict[str, str]]


@cache
def _texts() -> Texts:
    return Texts.model_validate(read_yaml("criteria.yaml"))


def criteria(spec: Specification) -> tuple[Criterion, ...]:
    """The criteria of a specification, numbered in reading order."""
    return tuple(
        Criterion(id=f"AC{number}", given=given, when=when, then=then, verifies=verifies, sources=sources)
        for number, (given, when, then, verifies, sources) in enumerate(_rows(spec), 1)
    )


def _rows(spec: Specification) -> Iterator[Row]:
    if spec.auth:
        for step in _texts().account:
            yield step.given, step.when, step.then, (f"auth:{step.key}",), ()
    for role in spec.roles:
        if role.name not in ("user", "admin"):
            text = f"they may do what the table of permissions says for {role.label.lower()}, and no more"
            yield "An admin", f"they make somebody {role.label.lower()}", text, (f"role:{role.name}",), role.sources
        elif role.name == "admin":
            text = "they are an admin; everybody who signs up later is not"
            yield "No account yet", "the first person signs up", text, ("role:admin",), role.sources
    for entity in spec.entities:
        yield from _entity(entity)
        for operation in spec.operations_of(entity.name):
            yield _operation(operation, entity)
    for operation in spec.operations:
        if not operation.entity:
            yield _run(operation)
    for permission in spec.permissions:
        yield from _permission(permission, spec)
    for page in spec.pages:
        yield _page(page, spec)
    yield from (_job(job) for job in spec.jobs)
    yield from (_integration(integration) for integration in spec.integrations)
    yield from (_quality(quality) for quality in spec.qualities)


def _entity(entity: Entity) -> Iterator[Row]:
    one = entity.label.lower()
    bad = [text for field in entity.fields if (text := _bad(field))]
    needed = [r.label.lower() for r in entity.relations if r.required and r.kind is RelationKind.BELONGS_TO]
    bad += [f"no {name}" for name in needed]
    if bad:
        then = "nothing is stored, and each wrong field is named with what is wrong"
        yield (
            f"Somebody who may add {words.a(one)}",
            f"they send {_some(bad)}",
            then,
            (f"entity:{entity.name}",),
            entity.sources,
        )
    for computed in entity.computed:
        then = f"it shows the {computed.label.lower()}, worked out from what is stored ({computed.kind})"
        yield (
            words.a(one).capitalize(),
            "it is read",
            then,
            (f"computed:{entity.name}.{computed.name}",),
            computed.sources,
        )
    for rule in entity.rules:
        yield _rule(rule, entity)


def _bad(field: SpecField) -> str:
    name = field.label.lower()
    if field.type is FieldType.ENUM:
        return f"{words.a(name)} other than {words.listing(field.choices)}"
    if field.type in (FieldType.EMAIL, FieldType.URL, FieldType.PHONE, FieldType.SLUG, FieldType.COLOR):
        return f"a malformed {name}"
    if field.min is not None or field.max is not None:
        low, high = (
            f"under {field.min:g}" if field.min is not None else "",
            f"over {field.max:g}" if field.max is not None else "",
        )
        return f"{words.a(name)} {' or '.join(x for x in (low, high) if x)}"
    if field.type in (FieldType.STRING, FieldType.TEXT):
        limit = f"{words.a(name)} of more than {field.max_length} characters"
        return f"an empty {name} or {limit}" if field.required else limit
    return f"no {name}" if field.required and field.default is None else ""


def _some(items: list[str]) -> str:
    return " or ".join(items) if len(items) < 3 else ", ".join(items[:-1]) + " or " + items[-1]


def _rule(rule: Rule, entity: Entity) -> Row:
    one = entity.label.lower()
    names = words.listing([words.label(name).lower() for name in rule.fields])
    within = f" of the same {words.label(rule.within).lower()}" if rule.within else ""
    given, when = {
        RuleKind.UNIQUE_TOGETHER: (words.a(one).capitalize(), f"another with the same {names} is added"),
        RuleKind.ORDERED: (f"{words.a(one).capitalize()} to add", f"{names} are in the wrong order"),
        RuleKind.NO_OVERLAP: (
            f"{words.a(one).capitalize()}{within}",
            "another is added that overlaps it; one that only touches it is accepted",
        ),
        RuleKind.NOT_PAST: (f"{words.a(one).capitalize()} to add", f"its {names} is in the past"),
        RuleKind.CAPACITY: (
            f"A {words.label(rule.within).lower() or one} that is full by its {names}",
            f"one more {one} is added",
        ),
    }[rule.kind]
    return given, when, f"it is refused: “{rule.message}”", (f"rule:{rule.id}",), rule.sources


def _operation(operation: Operation, entity: Entity) -> Row:
    roles = [words.label(role).lower() for role in operation.roles]
    actor = words.a(_some(roles)).capitalize() if roles else "Somebody who may"
    names = {
        "one": entity.label.lower(),
        "many": entity.label_plural.lower(),
        "prefix": operation.prefix,
        "from_values": words.listing(operation.from_values),
        "formats": words.listing([name.upper() for name in operation.formats or ("csv",)]),
        **{key: words.label(getattr(operation, key)).lower() for key in ("field", "value", "value_field", "child")},
    }
    texts = _texts().operations[operation.kind]
    said = [text for key, text in texts.items() if key == "then" or getattr(operation, key.removeprefix("when_"))]
    then = "".join(said).format(**names)
    return actor, f"they {_act(operation, names['one'])}", then, (f"operation:{operation.id}",), operation.sources


def _act(operation: Operation, one: str) -> str:
    label = operation.label[:1].lower() + operation.label[1:]
    if operation.kind in ONE:
        verb, _, noun = label.partition(" ")
        label = f"{verb} {words.a(noun)}"
    return f"use “{operation.label}” on {words.a(one)}" if operation.kind not in BASIC else label


ONE = (OperationKind.VIEW, OperationKind.CREATE, OperationKind.UPDATE, OperationKind.DELETE)
BASIC = frozenset(OperationKind) - {
    OperationKind.TOGGLE,
    OperationKind.TRANSITION,
    OperationKind.INCREMENT,
    OperationKind.CAST,
    OperationKind.CUSTOM,
    OperationKind.REDIRECT,
    OperationKind.SUMMARY,
    OperationKind.EXPORT,
}


def _run(operation: Operation) -> Row:
    steps = ", then ".join(operation.steps)
    then = f"it does: {steps}; on bad input it says what is wrong and exits with another code than 0"
    return "Valid input", f"“{operation.label}” is run", then, (f"operation:{operation.id}",), operation.sources


def _permission(permission: Permission, spec: Specification) -> Iterator[Row]:
    entity = spec.entity(permission.entity)
    who, many = words.label(permission.role).lower(), entity.label_plural.lower()
    ref = (f"permission:{permission.role}.{permission.entity}",)
    may = words.listing([action.value for action in permission.actions])
    if permission.scope == "own":
        then = f"they are answered as if it did not exist, and it stays as it was (they may {may} their own only)"
        if entity.ownership is Ownership.AUTHOR:
            then = f"they are refused, and it stays as it was (they may {may} their own only)"
        verb = words.listing([action.value for action in permission.actions if action is not Action.CREATE]).replace(
            " and ", " or "
        )
        if verb:
            yield (
                f"{words.a(who).capitalize()} and another person's {many}",
                f"they try to {verb} one",
                then,
                ref,
                permission.sources,
            )
        return
    granted = {
        a for p in spec.permissions if (p.role, p.entity) == (permission.role, permission.entity) for a in p.actions
    }
    missing = [action.value for action in Action if action not in granted]
    if missing:
        yield (
            f"{words.a(who).capitalize()}",
            f"they try to {_some(missing)} {many}",
            f"they are refused; they may {may} them",
            ref,
            permission.sources,
        )
    else:
        yield (
            f"{words.a(who).capitalize()}",
            f"they {may} {many}",
            "it is done, whoever made them",
            ref,
            permission.sources,
        )


def _page(page: Page, spec: Specification) -> Row:
    given = "A visitor without an account" if page.public else "Somebody who is logged in"
    how = "works without JavaScript" if spec.template == "web-app" else "can be used with the keyboard alone"
    then = f"it answers 200, {how} and has no WCAG 2.1 AA fault that a tool can find"
    if not page.public:
        then += "; a visitor without an account is led to the log-in page"
    return given, f"they open “{page.title}” ({page.path})", then, (f"page:{page.path}",), page.sources


def _job(job: Job) -> Row:
    when = {
        Trigger.SCHEDULE: f"its time comes ({job.schedule}, UTC)",
        Trigger.EVENT: f"{job.event} happens",
        Trigger.QUEUE: "a message arrives",
    }[job.trigger]
    then = f"{job.description[:1].lower()}{job.description[1:].rstrip('.')}; done twice, the outcome is the same"
    return (
        f"The job “{job.label}” and rows that it is about, and others that it is not",
        when,
        then,
        (f"job:{job.name}",),
        job.sources,
    )


def _integration(integration: Integration) -> Row:
    does = integration.description[:1].lower() + integration.description[1:].rstrip(".")
    then = f"{does}; when the other side fails, it is tried again and nothing here is lost"
    return (
        f"“{integration.name}” is configured",
        "its occasion comes",
        then,
        (f"integration:{integration.name}",),
        integration.sources,
    )


def _quality(quality: Quality) -> Row:
    then = f"{quality.metric or 'it'} is {quality.target}" if quality.target else quality.statement
    return (
        "The running app",
        f"it is measured: {quality.statement.rstrip('.').lower()}",
        then,
        (f"quality:{quality.id}",),
        quality.sources,
    )
