"""What a file template finds in its context, beside the entity it is rendered for."""

from __future__ import annotations

import json
from functools import partial

from omni.spec.model import (
    Action,
    Entity,
    Operation,
    OperationKind,
    RelationKind,
    Specification,
)
from omni.templates import computing, policy, samples
from omni.templates.attributes import (
    NUMBER_TYPES,
    TEXT_TYPES,
    attributes,
    bound,
    enum_name,
    file_fields,
    length,
    reference_name,
)
from omni.templates.catalog import Template
from omni.templates.localization import german, messages
from omni.templates.naming import camel, kebab, pascal, snake
from omni.templates.questions import (
    association,
    attribute,
    can,
    casts,
    children,
    collections,
    creation_order,
    due_column,
    filtered,
    grouping,
    guarded,
    list_columns,
    may_be_empty,
    moments,
    one_click,
    operations,
    relations,
    rule_columns,
    searched,
    shown_items,
    sort_key,
    sortable,
    sorted_by,
    unique_groups,
    uses,
    within_column,
)

API_PATHS = frozenset({"account", "session", "sessions", "users"})
FRONT_END_PATHS = frozenset({"admin", "api", "assets", "dashboard", "health", "log-in", "metrics", "sign-up"})
HUES = (152, 172, 196, 212, 228, 250, 272, 296, 322)
"""Accent colours of the projects, away from the red of errors."""
ROW_OPERATIONS = (OperationKind.TOGGLE, OperationKind.TRANSITION, OperationKind.INCREMENT)


def context(spec: Specification, template: Template, package: str) -> dict[str, object]:
    """Names for the templates: the specification and small functions that answer questions about it."""
    return {
        "spec": spec,
        "template": template,
        "package": package,
        "web": "web" in template.parts,
        "api": "api" in template.parts,
        "snake": snake,
        "kebab": kebab,
        "pascal": pascal,
        "camel": camel,
        "literal": literal,
        "attributes": attributes,
        "attribute": attribute,
        "file_fields": file_fields,
        "has_files": any(file_fields(entity) for entity in spec.entities),
        "most_files": max((len(file_fields(entity)) for entity in spec.entities), default=0),
        "shown_items": partial(shown_items, spec),
        "list_columns": partial(list_columns, spec),
        "length": length,
        "hue": HUES[sum(spec.name.encode()) % len(HUES)],
        "enum_fields": lambda entity: [f for f in entity.fields if f.type == "enum"],
        "enum_name": enum_name,
        "bound": bound,
        "reference_name": reference_name,
        "number_types": NUMBER_TYPES,
        "text_types": TEXT_TYPES,
        "belongs": partial(relations, kind=RelationKind.BELONGS_TO),
        "many": partial(relations, kind=RelationKind.MANY_TO_MANY),
        "children": partial(children, spec),
        "computed_python": partial(computing.python_type, spec),
        "computed_body": partial(computing.body, spec),
        "collections": partial(collections, spec),
        "association": association,
        "can": partial(can, spec),
        "one_click": one_click,
        "casts": partial(casts, spec),
        "pages": lambda entity, kind: [page for page in spec.pages if (page.kind, page.entity) == (kind, entity.name)],
        "moments": moments,
        "grouping": partial(grouping, spec),
        "due_column": due_column,
        "guarded": partial(guarded, spec),
        "admin_role": policy.admin_role(spec),
        "operations": partial(operations, spec),
        "row_operations": lambda entity: [o for o in operations(spec, entity) if o.kind in ROW_OPERATIONS],
        "searched": partial(searched, spec),
        "filtered": partial(filtered, spec),
        "sort_key": sort_key,
        "sortable": sortable,
        "may_be_empty": may_be_empty,
        "sorted_by": partial(sorted_by, spec),
        "uses": partial(uses, spec),
        "roles": policy.roles(spec),
        "first_role": policy.first_role(spec),
        "initial_role": policy.initial_role(spec) if spec.roles else None,
        "rights": lambda entity, role="": policy.rights(entity, role, spec),
        "actions": tuple(Action),
        "able_role": partial(policy.able_role, spec=spec),
        "ownable": partial(policy.ownable, spec=spec),
        "keeping_to_own": partial(policy.keeping_to_own, spec=spec),
        "has_owner": partial(policy.has_owner, spec=spec),
        "parent_of": policy.parent_of,
        "unique_groups": partial(unique_groups, spec),
        "rule_columns": rule_columns,
        "within_column": partial(within_column, spec),
        "creation_order": creation_order(spec),
        "criteria": partial(criteria, spec),
        "shows": partial(shows, spec),
        "german": german,
        "path_of": path_of,
        "op_refs": partial(operation_refs, spec),
        "rule_refs": lambda entity, kind: [f"rule:{rule.id}" for rule in entity.rules if rule.kind == kind],
        "quality_refs": lambda kind: [f"quality:{quality.id}" for quality in spec.qualities if quality.kind == kind],
        "permission_refs": lambda entity: [f"permission:{role.name}.{entity.name}" for role in spec.roles],
        "role_refs": lambda: [f"role:{role.name}" for role in spec.roles],
        "operation_role": partial(operation_role, spec),
        "expected_error": expected_error,
        "messages": partial(messages, spec, template),
        "sample": samples.sample,
        "samples": samples,
        "USER": policy.USER,
    }


def path_of(entity: Entity) -> str:
    """Where the API and its front end keep the rows: `invoice-lines`, out of the way of their own addresses."""
    path = kebab(entity.plural)
    return f"{path}-list" if path in API_PATHS | FRONT_END_PATHS else path


def literal(value: object) -> str:
    """A string as Python and JSON both write it, in double quotes."""
    return json.dumps(value, ensure_ascii=False)


def criteria(spec: Specification, *refs: str) -> tuple[str, ...]:
    """Ids of the acceptance criteria that verify any of these spec items."""
    return tuple(c.id for c in spec.criteria if set(c.verifies) & set(refs))


def shows(spec: Specification, *refs: str | list[str]) -> str:
    """The decorator that says which criteria a test shows, as a line; empty when none."""
    flat = [ref for given in refs for ref in ([given] if isinstance(given, str) else given)]
    ids = ", ".join(f'"{identifier}"' for identifier in criteria(spec, *flat))
    return f"@pytest.mark.criterion({ids})\n" if ids else ""


def operation_refs(spec: Specification, entity: Entity, *kinds: str) -> list[str]:
    return [f"operation:{operation.id}" for operation in operations(spec, entity, *kinds)]


def operation_role(spec: Specification, entity: Entity, operation: Operation) -> str | None:
    """A role that may take the operation on a row of its own; None when nobody may."""
    names = [role.name for role in spec.roles] or ["user"]
    needed = Action.READ if operation.roles or operation.kind is OperationKind.INCREMENT else Action.UPDATE
    return next(
        (
            name
            for name in names
            if (not operation.roles or name in operation.roles) and policy.rights(entity, name, spec)[needed] != "none"
        ),
        None,
    )


def expected_error(rights: policy.Rights, action: str, theirs: bool) -> str:
    """What somebody meets who tries the action on a row: NotFound when they may not even see it."""

    def allowed(scope: policy.Scope) -> bool:
        return scope == "all" or (scope == "own" and not theirs)

    if rights[Action.READ] == "none":
        return "Forbidden"
    if not allowed(rights[Action.READ]):
        return "NotFound"
    return "None" if allowed(rights[Action(action)]) else "Forbidden"
