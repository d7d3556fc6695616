"""A value for a schema of an OpenAPI document, always the same one; and what of a value does not fit its schema."""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.deep.openapi_model import Document, Node

DEEPEST = 12
"""Levels of a value; a schema may contain itself."""
MOST = 1000
"""Parts of schemas that are looked at for one value; one that contains itself twice doubles with each level."""
FORMATS = {
    "date-time": "2024-01-31T12:00:00Z",
    "date": "2024-01-31",
    "time": "12:00:00Z",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "email": "a@example.com",
    "uri": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "b21uaQ==",
}
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def sample(document: Document, schema: Node, depth: int = 0, budget: Iterator[int] | None = None) -> object:
    """What the author gave for an example, else the plainest value of the type."""
    budget = iter(range(MOST)) if budget is None else budget
    if next(budget, None) is None:
        return None
    schema = document.resolve(schema)
    for name in ("example", "default", "const"):
        if isinstance(schema.value, dict) and name in schema.value:
            return schema.value[name]
    for name in ("examples", "enum"):
        for each in schema.get(name).items():
            return each.value
    if parts := list(schema.get("allOf").items()):
        whole = [sample(document, each, depth + 1, budget) for each in parts] if depth < DEEPEST else []
        objects = [each for each in (*whole, _object(document, schema, depth, budget)) if isinstance(each, dict)]
        return {key: value for each in objects for key, value in each.items()} or (whole[0] if whole else {})
    for name in ("oneOf", "anyOf"):
        for each in schema.get(name).items():
            return sample(document, each, depth + 1, budget) if depth < DEEPEST else None
    match _types(schema)[:1]:
        case ["object"]:
            return _object(document, schema, depth, budget)
        case ["array"]:
            return [sample(document, schema.get("items"), depth + 1, budget)] if depth < DEEPEST else []
        case ["string"]:
            least = schema.get("minLength").value
            return FORMATS.get(schema.text("format"), "text").ljust(least if isinstance(least, int) else 0, "x")
        case ["integer" | "number"]:
            least = schema.get("minimum").value
            return least if isinstance(least, int | float) else 1
        case ["boolean"]:
            return True
    return None


def _object(document: Document, schema: Node, depth: int, budget: Iterator[int]) -> dict[str, object]:
    """With all properties, and near the limit with none: there a schema contains itself."""
    if depth >= DEEPEST:
        return {}
    return {name: sample(document, each, depth + 1, budget) for name, each in schema.get("properties").members()}


def misfits(document: Document, schema: Node, value: object) -> list[str]:
    """What does not fit, by type, enum and required members; other words of JSON Schema are not looked at."""
    return list(_misfits(document, schema, value, "the body", iter(range(MOST))))


def _misfits(
    document: Document, schema: Node, value: object, where: str, budget: Iterator[int], depth: int = 0
) -> Iterator[str]:
    schema = document.resolve(schema)
    if depth > DEEPEST or next(budget, None) is None or (value is None and schema.get("nullable").value is True):
        return
    for each in schema.get("allOf").items():
        yield from _misfits(document, each, value, where, budget, depth + 1)
    for name in ("oneOf", "anyOf"):
        choices = list(schema.get(name).items())
        if choices and all(any(_misfits(document, each, value, where, budget, depth + 1)) for each in choices):
            yield f"{where} fits none of its alternatives"
    types = _types(schema)
    if types and not any(_is(value, each) for each in types):
        yield f"{where} is to be of the type {' or '.join(types)}"
        return
    allowed = [each.value for each in schema.get("enum").items()]
    if allowed and value not in allowed:
        yield f"{where} is to be one of {', '.join(map(str, allowed))[:100]}"
    if isinstance(value, dict):
        for each in schema.get("required").items():
            if each.value not in value:
                yield f"{where} lacks “{each.value}”"
        for name, member in schema.get("properties").members():
            if name in value:
                yield from _misfits(document, member, value[name], f"“{name}”", budget, depth + 1)
    if isinstance(value, list):
        for item in value:
            yield from _misfits(document, schema.get("items"), item, f"an item of {where}", budget, depth + 1)


def _types(schema: Node) -> list[str]:
    stated = [str(each.value) for each in schema.get("type").items()] or [schema.text("type")]
    if stated == [""]:
        return ["object"] if schema.get("properties").value else []
    return sorted(stated, key=lambda name: name == "null")


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES.get(name, (object,)))
