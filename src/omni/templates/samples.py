"""Values for the tests of a generated project, as Python expressions over the running number `n`.

A value satisfies every constraint and rule of its field: what is ordered is in order, what must not be past is not,
what is unique differs with `n`, and intervals of different `n` do not overlap.
"""

from __future__ import annotations

from omni.spec.model import Entity, FieldType, Rule, RuleKind
from omni.templates.attributes import NUMBER_TYPES, WIDEST, Attribute, bound, length


def sample(attribute: Attribute, entity: Entity) -> str:
    """A valid value as JSON would carry it, as an expression over `n`. References are left to the caller."""
    field = attribute.field
    if field is None:
        return "None"
    rank = _rank(field.name, entity)
    if field.type in NUMBER_TYPES:
        return _number(attribute, rank, unique=_varies(field.name, entity))
    match field.type:
        case FieldType.BOOLEAN:
            return "False"
        case FieldType.ENUM:
            return repr(str(field.default if field.default in field.choices else field.choices[0])).replace("'", '"')
        case FieldType.DATE:
            return f"(TODAY + dt.timedelta(days=10 * n + {rank})).isoformat()"
        case FieldType.DATETIME:
            return f"(NOW + dt.timedelta(hours=10 * n + {rank})).isoformat()"
        case FieldType.TIME:
            return f'"{9 + rank:02}:00:00"'
        case FieldType.EMAIL:
            return 'f"person{n}@example.org"'
        case FieldType.URL:
            return 'f"https://example.org/{n}"'
        case FieldType.PHONE:
            return 'f"+49 30 {100000 + n}"'
        case FieldType.SLUG:
            return 'f"slug-{n}"'
        case FieldType.COLOR:
            return '"#336699"'
        case _:
            return _text(field.label, length(field))


def two(attribute: Attribute) -> tuple[str, str]:
    """Two valid values to tell rows apart by; the same twice when the field has only one."""
    field = attribute.field
    if field is None:
        return "None", "None"
    match field.type:
        case FieldType.BOOLEAN:
            return "False", "True"
        case FieldType.ENUM:
            return f'"{field.choices[0]}"', f'"{field.choices[-1]}"'
        case FieldType.DATE:
            return "TODAY.isoformat()", "(TODAY + dt.timedelta(days=1)).isoformat()"
        case FieldType.INTEGER:
            low = int(bound(field, field.min) or 0)
            return str(low), str(min(low + 1, int(bound(field, field.max) or WIDEST)))
        case _:
            limit = length(field)
            return f'"{"Alpha"[:limit]}"', f'"{"Beta"[:limit]}"'


def too_long(attribute: Attribute) -> str:
    """A text that the field refuses; empty when the attribute has no such limit."""
    if attribute.field is None or attribute.type not in {"string", "text"}:
        return ""
    return f'"x" * {length(attribute.field) + 1}'


def too_big(attribute: Attribute) -> str:
    """A number that the field refuses, as it is stored; empty when the attribute is no number."""
    if attribute.field is None or attribute.type not in NUMBER_TYPES:
        return ""
    return f"{bound(attribute.field, attribute.field.max) or WIDEST} + 1"


def strategy(attribute: Attribute) -> str:
    """A hypothesis strategy of valid values, as they are after validation; empty for references and dates."""
    field = attribute.field
    if field is None:
        return ""
    if field.type in {FieldType.STRING, FieldType.TEXT}:
        return f"texts({min(length(field), 200)})"
    if field.type in NUMBER_TYPES:
        low = bound(field, field.min) or "0"
        high = bound(field, field.max) or str(WIDEST)
        kind = "floats" if field.type is FieldType.DECIMAL else "integers"
        return f"st.{kind}({low}, {high})"
    if field.type is FieldType.BOOLEAN:
        return "st.booleans()"
    if field.type is FieldType.ENUM:
        return f"st.sampled_from({attribute.python})"
    return ""


def _text(label: str, limit: int) -> str:
    if limit < 6:
        return f"str(n)[-{limit}:]"
    return f'f"{label[: limit - 5]} {{n}}"'.replace("'", "")


def _number(attribute: Attribute, rank: int, *, unique: bool) -> str:
    assert attribute.field is not None  # noqa: S101 - numbers are fields
    field = attribute.field
    low = bound(field, field.min) or "0"
    high = bound(field, field.max) or str(WIDEST)
    start = float(low) if "." in low else int(low)
    top = float(high) if "." in high else int(high)
    ordinary = 1250 if field.type is FieldType.MONEY else 10
    value = min(max(start, ordinary), top) + rank
    text = repr(value)
    return f"{text} + n" if unique else text


def _rank(name: str, entity: Entity) -> int:
    """How many fields must be less than this one; intervals get room between them."""
    return sum(1 for rule in entity.rules if _is_upper(rule, name))


def _is_upper(rule: Rule, name: str) -> bool:
    return rule.kind is RuleKind.ORDERED and len(rule.fields) > 1 and rule.fields[1] == name


def _varies(name: str, entity: Entity) -> bool:
    unique = any(field.name == name and field.unique for field in entity.fields)
    return unique or any(rule.kind is RuleKind.UNIQUE_TOGETHER and name in rule.fields for rule in entity.rules)
