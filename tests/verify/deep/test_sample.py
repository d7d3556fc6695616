from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.deep.openapi_model import Document, Node
from omni.verify.deep.sample import DEEPEST, misfits, sample

NODE = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "id": {"type": "integer"}}}


def of(schema: object) -> tuple[Document, Node]:
    root = {"components": {"schemas": {"Node": NODE, "Name": {"type": "string", "minLength": 6}}}, "it": schema}
    document = Document(Node(root, ()), "")
    return document, document.at(("it",))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"$ref": "#/components/schemas/Name"}, "textxx"),
        ({"type": "string", "format": "date"}, "2024-01-31"),
        ({"type": ["null", "integer"], "minimum": 3}, 3),
        ({"type": "number"}, 1),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "default": "d", "enum": ["b", "d"]}, "d"),
        ({"type": "string", "examples": ["e"], "enum": ["b", "e"]}, "e"),
        ({"type": "object", "example": {"a": None}}, {"a": None}),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"properties": {"a": {"const": 0}, "b": {"type": "array", "items": {}}}}, {"a": 0, "b": [None]}),
        ({"allOf": [{"properties": {"a": {"const": 1}}}], "properties": {"b": {"const": 2}}}, {"a": 1, "b": 2}),
        ({"allOf": [{"type": "string"}]}, "text"),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, 1),
        ({}, None),
        (None, None),
    ],
)
def test_the_plainest_value(schema: object, value: object) -> None:
    assert sample(*of(schema)) == value
    assert list(misfits(*of(schema), value)) == []


def test_a_schema_that_contains_itself_ends() -> None:
    value, depth = sample(*of(NODE)), 0
    while isinstance(value, dict) and "next" in value:
        value, depth = value["next"], depth + 1
    assert depth == DEEPEST
    for word in ("allOf", "oneOf", "anyOf"):
        schema: dict[str, object] = {word: [{"$ref": "#/it"}]}
        sample(*of(schema))
        list(misfits(*of(schema), {}))


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer"}, "1", ["the body is to be of the type integer"]),
        ({"type": "integer"}, True, ["the body is to be of the type integer"]),
        ({"type": "integer"}, 1.5, ["the body is to be of the type integer"]),
        ({"type": "integer"}, 1.0, []),
        ({"type": ["string", "null"]}, 1, ["the body is to be of the type string or null"]),
        ({"type": "string", "nullable": True}, None, []),
        ({"enum": ["a", "b"]}, "c", ["the body is to be one of a, b"]),
        ({"type": "object", "required": ["a", "b"]}, {"a": 1}, ["the body lacks “b”"]),
        (
            {"properties": {"a": {"type": "array", "items": {"type": "string"}}}},
            {"a": ["x", 1]},
            ["an item of “a” is to be of the type string"],
        ),
        ({"allOf": [{"required": ["a"]}]}, {}, ["the body lacks “a”"]),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, 1, ["the body fits none of its alternatives"]),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, 1, []),
        ({"type": "unheard-of"}, 1, []),
    ],
)
def test_what_does_not_fit(schema: object, value: object, said: list[str]) -> None:
    assert list(misfits(*of(schema), value)) == said


LEAVES = st.sampled_from(
    [
        {"type": "string", "minLength": 9},
        {"type": "integer", "minimum": -4},
        {"type": ["null", "number"]},
        {"type": "boolean"},
        {"enum": [3, "x"]},
        {},
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda each: {"type": "array", "items": each}, inner)
        | st.builds(lambda each: {"oneOf": each}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(
            lambda each: {"type": "object", "properties": each, "required": list(each)},
            st.dictionaries(st.sampled_from("abc"), inner),
        )
    ),
    max_leaves=8,
)


def test_a_schema_that_contains_itself_often_ends_soon() -> None:
    many: dict[str, object] = {"type": "object", "properties": {name: {"$ref": "#/it"} for name in "abcdefgh"}}
    assert len(str(sample(*of(many)))) < 100_000
    assert misfits(*of({"allOf": [{"$ref": "#/it"}] * 9}), {}) == []


@given(SCHEMAS)
def test_what_is_made_for_a_schema_fits_it(schema: object) -> None:
    document, node = of(schema)
    assert list(misfits(document, node, sample(document, node))) == []
