"""Derived values of an entity as Python of the generated model."""

from __future__ import annotations

from omni.spec.model import Computed, ComputedKind, Entity, FieldType, Specification

WHOLE = frozenset({FieldType.INTEGER, FieldType.MONEY, FieldType.DURATION})
MOMENTS = frozenset({FieldType.DATETIME, FieldType.DATE})


def python_type(spec: Specification, entity: Entity, computed: Computed) -> str:
    """Annotation of the value: `int`, `float`, or either with None when there may be none."""
    match computed.kind:
        case ComputedKind.COUNT:
            return "int"
        case ComputedKind.SUM:
            return "int" if _type(spec.entity(computed.child), computed.field) in WHOLE else "float"
        case ComputedKind.AVERAGE:
            return "int | None" if computed.type is FieldType.MONEY else "float | None"
        case _:
            kind = "int" if _is_whole(entity, computed) else "float"
            return f"{kind} | None" if _gaps(entity, computed.fields) else kind


def body(spec: Specification, entity: Entity, computed: Computed) -> str:
    """The statements of the property."""
    if computed.kind in {ComputedKind.PRODUCT, ComputedKind.DIFFERENCE}:
        return _same_row(entity, computed)
    child = spec.entity(computed.child)
    inverse = next(r.inverse for r in child.relations if r.target == entity.name and r.kind == "belongs-to")
    if computed.kind is ComputedKind.COUNT:
        return f"return len(self.{inverse})"
    source = f"each.{computed.field} for each in self.{inverse}"
    if _may_be_none(spec, child, computed.field):
        source += f" if each.{computed.field} is not None"
    if computed.kind is ComputedKind.SUM:
        return f"return sum({source})"
    rounded = "round(sum(values) / len(values))"
    if computed.type is not FieldType.MONEY:
        rounded = "round(sum(values) / len(values), 2)"
    return f"values = [{source}]\nreturn {rounded} if values else None"


def _same_row(entity: Entity, computed: Computed) -> str:
    one, other = computed.fields
    gaps = _gaps(entity, computed.fields)
    guard = f"if {' or '.join(f'self.{name} is None' for name in gaps)}:\n    return None\n" if gaps else ""
    types = {_type(entity, name) for name in computed.fields}
    if computed.kind is ComputedKind.PRODUCT:
        value = f"self.{one} * self.{other}"
        if _is_whole(entity, computed) and not types <= WHOLE:
            value = f"round({value})"
    elif types == {FieldType.DATETIME}:
        value = f"int((self.{one} - self.{other}).total_seconds() // 60)"
    elif types == {FieldType.DATE}:
        value = f"(self.{one} - self.{other}).days"
    else:
        value = f"self.{one} - self.{other}"
    return f"{guard}return {value}"


def _is_whole(entity: Entity, computed: Computed) -> bool:
    types = {_type(entity, name) for name in computed.fields}
    return types <= WHOLE | MOMENTS or computed.type is FieldType.MONEY


def _gaps(entity: Entity, names: tuple[str, ...]) -> list[str]:
    return [field.name for field in entity.fields if field.name in names and not field.required]


def _may_be_none(spec: Specification, entity: Entity, name: str) -> bool:
    for computed in entity.computed:
        if computed.name == name:
            return "None" in python_type(spec, entity, computed)
    return bool(_gaps(entity, (name,)))


def _type(entity: Entity, name: str) -> FieldType:
    types = {field.name: field.type for field in entity.fields} | {each.name: each.type for each in entity.computed}
    return types[name]
