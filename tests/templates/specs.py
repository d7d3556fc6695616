"""Specifications for the tests of the templates, small enough to read."""

from __future__ import annotations

from typing import Literal

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
ADMIN = Role(name="admin", label="Admin", description="Looks after it.", assigned="first-user")
USER = Role(name="user", label="User", description="Uses it.", assigned="sign-up")


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


def grant(role: str, entity: str, scope: Literal["own", "all"], *actions: Action) -> Permission:
    """The actions, or all of them."""
    return Permission(role=role, entity=entity, actions=actions or tuple(Action), scope=scope)


def polls() -> Specification:
    """Polls with options, and notes, where who may add is not who may change.

    Admins add options to their own polls and change all of them; users do it the other way. Users add notes, admins
    change them.
    """
    poll = plain("Poll", "polls", ownership=Ownership.AUTHOR)
    of_a_poll = (belongs_to("poll", "Poll", "options"),)
    option = plain("Option", "options", relations=of_a_poll, ownership=Ownership.PARENT, parent="poll")
    state = SpecField(name="state", label="State", type=FieldType.ENUM, choices=("new", "done"), default="new")
    return todo().model_copy(
        update={
            "name": "polls",
            "entities": (poll, option, plain("Note", "notes", state)),
            "roles": (ADMIN, USER),
            "permissions": (
                grant("admin", "Poll", "all"),
                grant("admin", "Option", "own", Action.CREATE),
                grant("admin", "Option", "all", Action.READ, Action.UPDATE, Action.DELETE),
                grant("user", "Poll", "all"),
                grant("user", "Option", "all", Action.READ, Action.CREATE),
                grant("user", "Option", "own", Action.UPDATE, Action.DELETE),
                grant("admin", "Note", "all"),
                grant("user", "Note", "all", Action.READ, Action.CREATE),
            ),
            "operations": tuple(operation(entity, kind) for entity in ("Poll", "Option", "Note") for kind in KINDS),
            "pages": (
                Page(path="/", title="Home", kind=PageKind.HOME, public=True),
                Page(path="/polls", title="Polls", kind=PageKind.LIST, entity="Poll"),
                Page(path="/options", title="Options", kind=PageKind.LIST, entity="Option"),
                Page(path="/notes", title="Notes", kind=PageKind.LIST, entity="Note"),
                Page(path="/notes/board", title="Board", kind=PageKind.BOARD, entity="Note"),
            ),
            "criteria": (criterion("AC1", "operation:option.update"),),
        }
    )
