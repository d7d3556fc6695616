"""What templates ask about the entities of a specification."""

from __future__ import annotations

import re

from omni.spec.model import (
    Entity,
    Operation,
    OperationKind,
    Relation,
    RelationKind,
    Rule,
    SpecField,
    Specification,
)
from omni.templates import computing, policy
from omni.templates.attributes import (
    TEXT_TYPES,
    Attribute,
    attributes,
)

FILTER_TYPES = frozenset({"enum", "boolean", "string", "integer", "date"})


def attribute(entity: Entity, name: str) -> Attribute:
    """The attribute of that name (column or relation). Raises KeyError."""
    for found in attributes(entity):
        if name in {found.name, found.relation.name if found.relation else ""}:
            return found
    raise KeyError(f"{entity.name}.{name}")


def shown_items(spec: Specification, entity: Entity) -> list[Attribute]:
    """What a page shows of a row: what people gave, and what is computed from it."""
    derived = []
    for computed in entity.computed:
        python = computing.python_type(spec, entity, computed)
        kind = "decimal" if python.startswith("float") else str(computed.type)
        derived.append(
            Attribute(computed.name, computed.label, kind, "None" not in python, python, "", "", "", None, None)
        )
    return [*attributes(entity), *derived]


def list_columns(spec: Specification, entity: Entity) -> list[Attribute]:
    """The few that fit into a list beside the name of the row."""
    toggled = {o.field for o in operations(spec, entity, OperationKind.TOGGLE)}
    hidden = {"text", "references", "color", "slug"}
    shown = [
        item
        for item in shown_items(spec, entity)
        if item.name not in {entity.display_field, *toggled} and item.type not in hidden
    ]
    return sorted(shown, key=lambda item: item.type in {"url", "boolean"})[:4]


def relations(entity: Entity, kind: RelationKind) -> list[Relation]:
    return [relation for relation in entity.relations if relation.kind is kind]


def children(spec: Specification, entity: Entity) -> list[tuple[Entity, Relation]]:
    """Entities that belong to this one, each with the relation over which."""
    return [
        (other, relation)
        for other in spec.entities
        for relation in relations(other, RelationKind.BELONGS_TO)
        if relation.target == entity.name
    ]


def collections(spec: Specification, entity: Entity) -> list[tuple[Entity, Relation]]:
    """The children over which the entity computes something: only these become a collection on the model."""
    wanted = {computed.child for computed in entity.computed if computed.child}
    found: dict[str, tuple[Entity, Relation]] = {}
    for child, relation in children(spec, entity):
        if child.name in wanted:
            found.setdefault(child.name, (child, relation))
    return list(found.values())


def association(entity: Entity, relation: Relation) -> str:
    """Name of the table behind a many-to-many relation."""
    return f"{entity.plural}_{relation.name}"


def operations(spec: Specification, entity: Entity, *kinds: str) -> list[Operation]:
    return [o for o in spec.operations_of(entity.name) if not kinds or o.kind in kinds]


def guarded(spec: Specification, entity: Entity) -> list[tuple[Attribute, dict[str, tuple[str, ...]]]]:
    """Choices that only some roles may set: the attribute, and value → roles.

    An operation that is for some roles alone (approve, confirm) would be worth nothing if everybody who may write the
    row could write its result. A value that an operation for all leads to is open to all.
    """
    known = policy.roles(spec)
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    opened: set[tuple[str, str]] = set()
    for operation in operations(spec, entity, OperationKind.TRANSITION) if known else ():
        if operation.roles and len(operation.roles) < len(known):
            values = found.setdefault(operation.field, {})
            values[operation.value] = tuple(dict.fromkeys((*values.get(operation.value, ()), *operation.roles)))
        else:
            opened.add((operation.field, operation.value))
    closed = {
        name: {value: roles for value, roles in values.items() if (name, value) not in opened}
        for name, values in found.items()
    }
    return [(item, closed[item.name]) for item in attributes(entity) if item.type == "enum" and closed.get(item.name)]


def can(spec: Specification, entity: Entity, kind: str) -> bool:
    """Whether people can create, update or delete: an operation says so or needs it; without any, permissions do."""
    needs = kind == "create" and (
        bool(operations(spec, entity, OperationKind.IMPORT)) or bool(policy.casting(entity, spec))
    )
    if spec.operations_of(entity.name):
        return needs or bool(operations(spec, entity, kind))
    return needs or not spec.auth or policy.able_role(entity, kind, spec) is not None


def one_click(child: Entity, relation: Relation) -> bool:
    """Whether a row of a cast needs nothing but what it is cast on."""
    given = [item for item in attributes(child) if item.required and not item.default]
    return all(item.relation == relation for item in given)


def searched(spec: Specification, entity: Entity) -> list[SpecField]:
    """Text fields that a search looks into; empty when nobody asked for a search."""
    if not operations(spec, entity, OperationKind.SEARCH):
        return []
    texts = [field for field in entity.fields if field.type in TEXT_TYPES]
    return [field for field in texts if field.searchable] or texts


def filtered(spec: Specification, entity: Entity) -> list[Attribute]:
    """Attributes by which a list can be narrowed: what it belongs to, always; others when a filter was asked for."""
    asked = operations(spec, entity, OperationKind.FILTER)
    named = {operation.field for operation in asked}
    found = []
    for item in attributes(entity):
        if item.type == "reference":
            found.append(item)
        elif asked and item.field is not None and item.type in FILTER_TYPES:
            whole = named == {""} and item.type in {"enum", "boolean"}
            if item.name in named or item.field.filterable or whole:
                found.append(item)
    return found


def sorted_by(spec: Specification, entity: Entity) -> list[str]:
    """Columns by which a list can be sorted; empty when nobody asked."""
    if not operations(spec, entity, OperationKind.SORT):
        return []
    fields = [f.name for f in entity.fields if f.type not in {"text", "file"}]
    return [*fields, "created_at"]


def sort_key(entity: Entity, key: str) -> str:
    """Name of the column behind `-due_date`."""
    return reference_of(entity, key.removeprefix("-"))


def sortable(entity: Entity, key: str) -> bool:
    """Whether there is such a column to sort by; a computed value has none."""
    columns = {"created_at", "updated_at", *(f.name for f in entity.fields if f.type != "file")}
    columns |= {f"{relation.name}_id" for relation in relations(entity, RelationKind.BELONGS_TO)}
    return sort_key(entity, key) in columns


def may_be_empty(entity: Entity, key: str) -> bool:
    """Whether the column behind a sort key can be NULL, which databases place differently unless told."""
    return any(item.name == sort_key(entity, key) and not item.required for item in attributes(entity))


def reference_of(entity: Entity, name: str) -> str:
    belongs = {relation.name for relation in relations(entity, RelationKind.BELONGS_TO)}
    return f"{name}_id" if name in belongs else name


def uses(spec: Specification, *, field: str = "", operation: str = "", rule: str = "", effect: str = "") -> bool:
    """Whether the specification has a field type, an operation kind, a rule kind or a job effect."""
    return (
        any(f.type == field for entity in spec.entities for f in entity.fields)
        or any(c.type == field for entity in spec.entities for c in entity.computed)
        or any(o.kind == operation for o in spec.operations)
        or any(r.kind == rule for entity in spec.entities for r in entity.rules)
        or any(j.effect == effect for j in spec.jobs)
    )


def unique_within_owner(spec: Specification, entity: Entity) -> bool:
    """Whether what is unique is unique for each owner, since nobody sees the others' rows."""
    public = any(o.kind is OperationKind.REDIRECT for o in spec.operations_of(entity.name))
    return entity.ownership == "owner" and spec.auth and not public


def unique_groups(spec: Specification, entity: Entity) -> list[tuple[tuple[str, ...], str]]:
    """Groups of columns that are unique, each with the field that the message belongs to."""
    groups: dict[tuple[str, ...], str] = {}
    for field in entity.fields:
        if field.unique and field.type != "file":
            owner = ("owner_id",) if unique_within_owner(spec, entity) else ()
            groups[(*owner, field.name)] = field.name
    for rule in entity.rules:
        if rule.kind == "unique-together":
            columns = rule_columns(entity, rule.fields)
            if "owner_id" in columns and not policy.has_owner(entity, spec):
                continue
            groups.setdefault(columns, next((c for c in reversed(columns) if c != "owner_id"), columns[-1]))
    for operation in spec.operations:
        if operation.kind is OperationKind.CAST and operation.child == entity.name:
            relation = next(r for r in entity.relations if r.target == operation.entity)
            groups.setdefault((f"{relation.name}_id", "owner_id"), f"{relation.name}_id")
    return list(groups.items())


def rule_columns(entity: Entity, names: tuple[str, ...]) -> tuple[str, ...]:
    """Column names of the fields and relations that a rule speaks of."""
    belongs = {relation.name for relation in relations(entity, RelationKind.BELONGS_TO)}
    people = {"owner", "user", "author", "owner_value"}
    return tuple(
        f"{name}_id" if name in belongs else "owner_id" if name in people and not _is_field(entity, name) else name
        for name in names
    )


def within_column(spec: Specification, entity: Entity, rule: Rule) -> str:
    """The column whose rows must not overlap; empty when the rule holds for all rows."""
    column = rule_columns(entity, (rule.within,))[0]
    known = {f"{relation.name}_id" for relation in relations(entity, RelationKind.BELONGS_TO)}
    return column if column in known or (column == "owner_id" and policy.has_owner(entity, spec)) else ""


def _is_field(entity: Entity, name: str) -> bool:
    return any(field.name == name for field in entity.fields)


def creation_order(spec: Specification) -> list[Entity]:
    """Entities in the order in which their tables can be made: what is referred to comes first."""
    done: list[Entity] = []
    waiting = list(spec.entities)
    while waiting:
        names = {entity.name for entity in done}
        ready = [
            entity
            for entity in waiting
            if all(r.target in names | {entity.name, policy.USER} for r in relations(entity, RelationKind.BELONGS_TO))
        ] or waiting[:1]
        done += ready
        waiting = [entity for entity in waiting if entity not in ready]
    return done


def casts(spec: Specification, entity: Entity) -> list[tuple[Operation, Entity, Relation]]:
    """What people can cast on a row, each with the entity of the votes and how they refer to the row."""
    found = []
    for operation in operations(spec, entity, OperationKind.CAST):
        child = spec.entity(operation.child)
        found.append((operation, child, next(r for r in child.relations if r.target == entity.name)))
    return found


def grouping(spec: Specification, entity: Entity, operation: Operation) -> tuple[Attribute, Attribute | None]:
    """By what a summary groups, and what it adds up. Raises KeyError when there is no such attribute."""
    key = attribute(entity, operation.field)
    if not operation.value_field:
        return key, None
    return key, next(item for item in shown_items(spec, entity) if item.name == operation.value_field)


def moments(entity: Entity) -> list[SpecField]:
    """The dates and date-times of a row, the one that a calendar goes by first; only what is always there counts."""
    dates = [field for field in entity.fields if field.type in {"date", "datetime"}]
    return sorted(
        (field for field in dates if field.required),
        key=lambda field: not re.search("start|begin|date|on$|at$", field.name),
    )


def due_column(entity: Entity) -> SpecField | None:
    """The date that a row waits for, if it has one."""
    dates = [field for field in entity.fields if field.type in {"date", "datetime"}]
    return next((field for field in dates if re.search("due|deadline|expir|end|until", field.name)), None)
