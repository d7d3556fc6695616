"""What a row of an entity carries, spelled for each place that needs it: model, migration, schema, form and test.

Times are stored in UTC. Money is an integer number of cents. A duration is minutes. A file is a reference to an upload.
"""

from __future__ import annotations

from dataclasses import dataclass

from omni.spec.model import Entity, FieldType, Relation, RelationKind, SpecField
from omni.templates.naming import pascal, snake

TEXT_TYPES = frozenset(
    {
        FieldType.STRING,
        FieldType.TEXT,
        FieldType.EMAIL,
        FieldType.URL,
        FieldType.PHONE,
        FieldType.SLUG,
        FieldType.COLOR,
    }
)
NUMBER_TYPES = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.DURATION})
LENGTHS = {
    FieldType.STRING: 200,
    FieldType.TEXT: 20_000,
    FieldType.EMAIL: 254,
    FieldType.URL: 2_000,
    FieldType.PHONE: 30,
    FieldType.SLUG: 80,
    FieldType.COLOR: 7,
}
PATTERNS = {
    FieldType.EMAIL: r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    FieldType.URL: r"^https?://[^\s/$.?#][^\s]*$",
    FieldType.PHONE: r"^\+?[0-9 ()/.\-]{4,30}$",
    FieldType.SLUG: r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$",
    FieldType.COLOR: r"^#[0-9a-fA-F]{6}$",
}
PYTHON = {
    FieldType.INTEGER: "int",
    FieldType.DURATION: "int",
    FieldType.MONEY: "int",
    FieldType.DECIMAL: "float",
    FieldType.BOOLEAN: "bool",
    FieldType.DATE: "dt.date",
    FieldType.DATETIME: "dt.datetime",
    FieldType.TIME: "dt.time",
}
COLUMNS = {
    FieldType.INTEGER: "sa.BigInteger()",
    FieldType.DURATION: "sa.BigInteger()",
    FieldType.MONEY: "sa.BigInteger()",
    FieldType.DECIMAL: "sa.Double()",
    FieldType.BOOLEAN: "sa.Boolean()",
    FieldType.DATE: "sa.Date()",
    FieldType.DATETIME: "sa.DateTime(timezone=True)",
    FieldType.TIME: "sa.Time()",
    FieldType.TEXT: "sa.Text()",
}
WIDEST = 10**12
"""Numbers stay below, so that sums fit into 64 bits and into a double without loss."""


@dataclass(frozen=True)
class Attribute:
    """One value that a person gives: a field, or a relation as the id or ids of its target."""

    name: str
    label: str
    type: str
    """A `FieldType`, or `reference` (one id), or `references` (several)."""
    required: bool
    python: str
    """Annotation of a value, never None: `str`, `dt.date`, `TodoStatus`, `uuid.UUID`, `list[uuid.UUID]`."""
    column: str
    """SQLAlchemy type in a migration; empty for `references`."""
    schema: str
    """Annotation for pydantic, with the constraints: `Annotated[str, Field(max_length=200)]`."""
    default: str
    """Python literal of the default; empty when there is none."""
    field: SpecField | None = None
    relation: Relation | None = None

    @property
    def mapped(self) -> str:
        """Annotation of the column in a model."""
        return self.python if self.required else f"{self.python} | None"

    @property
    def optional(self) -> str:
        """Annotation in a schema, with None when it may be left empty."""
        return self.schema if self.required else f"{self.schema} | None"


def attributes(entity: Entity) -> tuple[Attribute, ...]:
    """Everything that a person may set, in the order of the specification: references first, then fields."""
    references = [_reference(relation, entity) for relation in entity.relations]
    fields = [_field(field, entity) for field in entity.fields if field.type is not FieldType.FILE]
    return (
        *(a for a in references if a.type == "reference"),
        *fields,
        *(a for a in references if a.type == "references"),
    )


def file_fields(entity: Entity) -> tuple[SpecField, ...]:
    return tuple(field for field in entity.fields if field.type is FieldType.FILE)


def enum_name(entity: Entity, field: SpecField) -> str:
    return f"{entity.name}{pascal(field.name)}"


def reference_name(relation: Relation, entity: Entity) -> str:
    """`project_id`; for several, `tag_ids`, unless two relations lead to the same target."""
    if relation.kind is RelationKind.BELONGS_TO:
        return f"{relation.name}_id"
    same = [r for r in entity.relations if r.target == relation.target and r.kind is relation.kind]
    return f"{snake(relation.target) if len(same) == 1 else relation.name}_ids"


def length(field: SpecField) -> int:
    """Most characters that a text field holds."""
    return min(field.max_length or LENGTHS[field.type], LENGTHS[FieldType.TEXT])


def bound(field: SpecField, value: float | None) -> str:
    """A bound of a number as a literal in the unit in which it is stored."""
    if value is None:
        return ""
    if field.type is FieldType.MONEY:
        return str(round(value * 100))
    return repr(float(value)) if field.type is FieldType.DECIMAL else str(int(value))


def _reference(relation: Relation, entity: Entity) -> Attribute:
    name = reference_name(relation, entity)
    if relation.kind is RelationKind.BELONGS_TO:
        key = "uuid.UUID"
        return Attribute(
            name, relation.label, "reference", relation.required, key, "sa.Uuid()", key, "", None, relation
        )
    schema = "Annotated[list[uuid.UUID], Field(max_length=100)]"
    return Attribute(name, relation.label, "references", True, "list[uuid.UUID]", "", schema, "[]", None, relation)


def _field(field: SpecField, entity: Entity) -> Attribute:
    python = _python(field, entity)
    # A box that is not ticked is an answer, so a boolean is always there.
    required = field.required or field.type is FieldType.BOOLEAN
    return Attribute(
        field.name,
        field.label,
        str(field.type),
        required,
        python,
        _column(field),
        _schema(field, python, required),
        _default(field, python),
        field,
    )


def _python(field: SpecField, entity: Entity) -> str:
    return enum_name(entity, field) if field.type is FieldType.ENUM else PYTHON.get(field.type, "str")


def _column(field: SpecField) -> str:
    if field.type is FieldType.ENUM:
        return f"sa.String({max(map(len, field.choices))})"
    return COLUMNS.get(field.type) or f"sa.String({length(field)})"


def _schema(field: SpecField, python: str, required: bool) -> str:
    limits: list[str] = []
    if field.type in TEXT_TYPES:
        limits += ["min_length=1"] if required else []
        limits.append(f"max_length={length(field)}")
        if pattern := PATTERNS.get(field.type):
            limits.append(f'pattern=r"{pattern}"')
    elif field.type in NUMBER_TYPES:
        low = 0 if field.type in {FieldType.DURATION, FieldType.MONEY} else None
        limits.append(f"ge={bound(field, field.min if field.min is not None else low) or -WIDEST}")
        limits.append(f"le={bound(field, field.max) or WIDEST}")
        if field.type is FieldType.DECIMAL:
            limits.append("allow_inf_nan=False")
    return f"Annotated[{python}, Field({', '.join(limits)})]" if limits else python


def _default(field: SpecField, python: str) -> str:
    value = field.default
    if field.type is FieldType.BOOLEAN:
        return repr(bool(value)) if not isinstance(value, str) else repr(value == "true")
    if value is None:
        return ""
    if field.type is FieldType.ENUM:
        return f"{python}.{str(value).upper()}" if value in field.choices else ""
    if field.type in NUMBER_TYPES:
        return bound(field, float(value)) if not isinstance(value, str) else ""
    if field.type is FieldType.DATE and value == "today":
        return "today"
    return repr(str(value)).replace("'", '"') if field.type in TEXT_TYPES else ""
