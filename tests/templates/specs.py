"""Specifications for the tests of the templates, small enough to read."""

from __future__ import annotations

from omni.spec.asked import Request
from omni.spec.model import (
    Action,
    Criterion,
    Entity,
    FieldType,
    Operation,
    OperationKind,
    Ownership,
    Page,
    PageKind,
    Permission,
    Relation,
    RelationKind,
    Role,
    SpecField,
    Specification,
)

KINDS = ("list", "view", "create", "update", "delete", "search", "filter", "sort")


def todo(*, auth: bool = True) -> Specification:
    """Todos with a title, a due date and a check mark; each person has their own."""
    return Specification(
        name="todo",
        title="Todo",
        summary="A todo app with user accounts." if auth else "A todo list.",
        request=Request(text="a todo app with user auth"),
        domain="todo",
        template="web-app",
        auth=auth,
        sign_up="open" if auth else "none",
        parts=(),
        entities=(_todo_entity(auth=auth),),
        roles=(Role(name="user", label="User", description="Has todos of their own."),) if auth else (),
        permissions=(Permission(role="user", entity="Todo", actions=tuple(Action), scope="own"),) if auth else (),
        operations=(
            *(operation("Todo", kind) for kind in KINDS),
            operation("Todo", "toggle", "complete", field="done"),
        ),
        pages=(
            Page(path="/", title="Home", kind=PageKind.HOME, public=True),
            Page(path="/todos", title="Todos", kind=PageKind.LIST, entity="Todo"),
        ),
        criteria=(
            criterion("AC1", "operation:todo.create"),
            criterion("AC2", "operation:todo.complete"),
        ),
    )


def _todo_entity(*, auth: bool) -> Entity:
    return Entity(
        name="Todo",
        plural="todos",
        label="Todo",
        label_plural="Todos",
        description="Something to do.",
        fields=(
            SpecField(name="title", label="Title", type=FieldType.STRING, max_length=120, searchable=True),
            SpecField(name="notes", label="Notes", type=FieldType.TEXT, required=False, searchable=True),
            SpecField(name="due_date", label="Due date", type=FieldType.DATE, required=False),
            SpecField(
                name="priority",
                label="Priority",
                type=FieldType.ENUM,
                choices=("low", "normal", "high"),
                default="normal",
                filterable=True,
            ),
            SpecField(name="done", label="Done", type=FieldType.BOOLEAN, default=False, filterable=True),
        ),
        ownership=Ownership.OWNER if auth else Ownership.SHARED,
        display_field="title",
        sort=("done", "-created_at"),
    )


def operation(entity: str, kind: str, name: str = "", *, field: str = "") -> Operation:
    name = name or kind
    return Operation(
        id=f"{entity.lower()}.{name}",
        kind=OperationKind(kind),
        name=name,
        label=name.capitalize(),
        description=f"{name.capitalize()} a {entity.lower()}.",
        entity=entity,
        field=field,
    )


def criterion(identifier: str, *verifies: str) -> Criterion:
    return Criterion(id=identifier, given="a todo", when="it is used", then="it works", verifies=verifies)


def plain(name: str, plural: str, *fields: SpecField, **values: object) -> Entity:
    """An entity with a title and these fields."""
    title = SpecField(name="title", label="Title", type=FieldType.STRING)
    given: dict[str, object] = {
        "name": name,
        "plural": plural,
        "label": name,
        "label_plural": plural.capitalize(),
        "description": f"{name}.",
        "fields": (title, *fields),
        "display_field": "title",
    }
    return Entity.model_validate(given | values)


def belongs_to(name: str, target: str, inverse: str) -> Relation:
    return Relation(name=name, label=name.capitalize(), kind=RelationKind.BELONGS_TO, target=target, inverse=inverse)
