"""Specifications for the tests of the templates, small enough to read."""

from __future__ import annotations

from omni.spec.model import (
    Criterion,
    Entity,
    FieldType,
    Operation,
    OperationKind,
    Ownership,
    Page,
    PageKind,
    Permission,
    Action,
    Request,
    Role,
    SpecField,
    Specification,
)


def todo(*, auth: bool = True) -> Specification:
    """Todos with a title, a due date and a check mark; each person has their own."""
    entity = Entity(
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
    kinds = [k for k in ("list", "view", "create", "update", "delete", "search", "filter", "sort")]
    operations = [
        Operation(id=f"todo.{k}", kind=OperationKind(k), name=k, label=k.title(), description="", entity="Todo")
        for k in kinds
    ]
    operations.append(
        Operation(
            id="todo.complete",
            kind=OperationKind.TOGGLE,
            name="complete",
            label="Complete",
            description="Mark a todo as done, or as open again.",
            entity="Todo",
            field="done",
        )
    )
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
        entities=(entity,),
        roles=(Role(name="user", label="User", description="Has todos of their own."),) if auth else (),
        permissions=(Permission(role="user", entity="Todo", actions=tuple(Action), scope="own"),) if auth else (),
        operations=tuple(operations),
        pages=(
            Page(path="/", title="Home", kind=PageKind.HOME, public=True),
            Page(path="/todos", title="Todos", kind=PageKind.LIST, entity="Todo"),
        ),
        criteria=(
            Criterion(id="AC1", given="a person", when="they add a todo", then="it is listed", verifies=("operation:todo.create",)),
            Criterion(id="AC2", given="a todo", when="it is completed", then="it is done", verifies=("operation:todo.complete",)),
        ),
    )
