"""Each way to break a client, alone, in the direction in which it breaks; and its harmless twin."""
# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from copy import deepcopy

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from omni.verify.deep.openapi_diff import breaking_changes, is_new_version
from omni.verify.deep.openapi_model import Document, Node

BASE = """\
openapi: 3.1.0
info: {title: Shop, version: 1.2.0}
paths:
  /orders/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: expand, in: query, schema: {type: string, enum: [lines, customer]}}
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Order'}
        "404": {description: none}
  /orders:
    post:
      security: [{}, {key: []}]
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewOrder'}
          text/csv:
            schema: {type: string}
      responses:
        "201": {description: made}
  /old:
    get:
      deprecated: true
      responses: {"200": {description: ok}}
components:
  schemas:
    Order:
      type: object
      required: [id, total]
      properties:
        id: {type: integer}
        total: {type: number}
        state: {type: string, enum: [open, paid]}
        note: {type: string}
        owner: {anyOf: [{$ref: '#/components/schemas/Person'}, {type: 'null'}]}
        parts: {type: array, items: {$ref: '#/components/schemas/Order'}}
    NewOrder:
      type: object
      required: [total]
      properties:
        total: {type: number, minimum: 0}
        state: {type: string, enum: [open, paid]}
        note: {type: [string, 'null']}
    Person:
      allOf:
        - {type: object, required: [name], properties: {name: {type: string}}}
        - {properties: {mail: {type: string}}}
"""


def document(text: str) -> Document:
    return Document(Node(yaml.safe_load(text), ()), text)


def changes(before: str, after: str) -> list[str]:
    new = document(after)
    return [f"{change.rule}:{new.line(change.at)}" for change in breaking_changes(document(before), new)]


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("  /orders:", "  /purchases:", ["operation-removed:3"]),
        ("    post:", "    put:", ["operation-removed:16"]),
        ("  /old:", "  /older:", ["deprecated-operation-removed:3"]),
        ("/orders/{id}:\n    get:\n      parameters:\n        - {name: id", "/orders/{x}:\n    get:\n      parameters:\n        - {name: x", []),
        ("name: expand, in: query", "name: expand, in: header", ["parameter-moved:8"]),
        ("name: expand, in: query", "name: include, in: query", ["parameter-removed:5"]),
        ("in: query, schema", "in: query, required: true, schema", ["parameter-required:8"]),
        ("enum: [lines, customer]", "enum: [lines]", ["enum-value-removed:8"]),
        ("enum: [lines, customer]", "enum: [lines, customer, all]", []),
        ("{type: string, enum: [lines, customer]}", "{type: string}", []),
        ("required: true, schema: {type: integer}", "required: true, schema: {type: number}", []),
        ("required: true, schema: {type: integer}", "required: true, schema: {type: string}", ["type-changed:7"]),
        ('"200":\n          desc', '"202":\n          desc', ["status-removed:9"]),
        ('        "404": {description: none}\n', "", ["error-status-removed:9"]),
        ("          text/csv:\n            schema: {type: string}\n", "", ["media-type-removed:19"]),
        ("      requestBody:\n", "      requestBody:\n        required: true\n", ["body-required:19"]),
        ("security: [{}, {key: []}]", "security: [{key: []}]", ["auth-added:18"]),
        ("security: [{}, {key: []}]", "security: [{}]", []),
        ("        id: {type: integer}\n", "", ["response-field-removed:33"]),
        ("        note: {type: string}\n", "", ["response-field-removed:33"]),
        ("required: [id, total]", "required: [id]", ["response-field-optional:38"]),
        ("required: [id, total]", "required: [id, total, note]", []),
        ("id: {type: integer}", "id: {type: string}", ["type-changed:37"]),
        ("total: {type: number}", "total: {type: integer}", []),
        ("total: {type: number}", "total: {type: [number, 'null']}", ["nullability-changed:38"]),
        ("state: {type: string, enum: [open, paid]}\n        note: {type: string}", "state: {type: string, enum: [open]}\n        note: {type: string}", []),
        ("note: {type: string}\n", "note: {type: string}\n        more: {type: string}\n", []),
        ("required: [total]", "required: [total, note]", ["request-field-required:49"]),
        ("minimum: 0}", "minimum: 1}", ["constraint-tightened:47"]),
        ("minimum: 0}", "minimum: -1}", []),
        ("note: {type: [string, 'null']}", "note: {type: string}", ["nullability-changed:49"]),
        ("note: {type: [string, 'null']}", "note: {type: [string, 'null'], maxLength: 9}", ["constraint-tightened:49"]),
        ("note: {type: [string, 'null']}", "note: {type: [string, 'null']}\n      additionalProperties: false", ["constraint-tightened:43"]),
        ("required: [name], ", "", ["response-field-optional:50"]),
        ("        - {properties: {mail: {type: string}}}\n", "", ["response-field-removed:50"]),
        ("version: 1.2.0", "version: 1.3.0", []),
    ],
)  # fmt: skip
def test_one_change(was: str, now: str, expected: list[str]) -> None:
    assert BASE.count(was) >= 1
    assert changes(BASE, BASE.replace(was, now, 1)) == expected


def test_enum_by_direction() -> None:
    """`state` is in a response (line 39) and in a request (line 48): what is added breaks the one, removed the other."""
    assert changes(BASE, BASE.replace("[open, paid]", "[open, paid, sent]")) == ["enum-value-added:39"]
    assert changes(BASE, BASE.replace("[open, paid]", "[open]")) == ["enum-value-removed:48"]


def test_alternatives_by_direction() -> None:
    was = "owner: {anyOf: [{$ref: '#/components/schemas/Person'}, {type: 'null'}]}"
    two = "owner: {anyOf: [{$ref: '#/components/schemas/Person'}, {type: string}, {type: 'null'}]}"
    assert changes(BASE, BASE.replace(was, two)) == ["alternative-changed:41"]
    assert changes(BASE.replace(was, two), BASE) == []


SWAGGER = """\
{"swagger": "2.0", "info": {"title": "Shop", "version": "1"}, "basePath": "/v1",
 "paths": {"/orders": {"post": {
   "parameters": [{"name": "body", "in": "body", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}],
   "responses": {"200": {"description": "ok",
     "schema": {"type": "object", "properties": {"b": {"type": "string"}}}}}}}}}
"""


def test_swagger() -> None:
    assert changes(SWAGGER, SWAGGER) == []
    assert changes(SWAGGER, SWAGGER.replace('"b"', '"c"')) == ["response-field-removed:5"]
    assert changes(SWAGGER, SWAGGER.replace('"a": {"type": "string"', '"a": {"type": "integer"')) == ["type-changed:3"]
    assert changes(SWAGGER, SWAGGER.replace("/v1", "/v2")) == ["operation-removed:2"]


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [("1.2.0", "2.0.0", True), ("0.1.0", "0.2.0", True), ("1.2.0", "1.3.0", False), ("2", "1", False), ("x", "2", False)],
)  # fmt: skip
def test_new_version(then: str, now: str, expected: bool) -> None:
    old, new = (document(BASE.replace("1.2.0", version)) for version in (then, now))
    assert is_new_version(old, new) is expected


def test_a_reference_to_itself() -> None:
    loop = BASE.replace("Person:\n      allOf:", "Person:\n      $ref: '#/components/schemas/Person'\n      x:")
    assert changes(loop, loop) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["string", "object", "#/paths", "", "null"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "properties", "required", "items", "allOf", "anyOf", "oneOf", "$ref", "enum", "a",
                         "get", "responses", "200", "content", "schema", "parameters", "name", "in", "security"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES, JSON_VALUES)
def test_any_document(before: object, after: object) -> None:
    """What is no schema at all never stops it, and what did not change breaks nobody."""
    whole = yaml.safe_load(BASE)
    old, new = deepcopy(whole), deepcopy(whole)
    for each, value in ((old, before), (new, after)):
        each["components"]["schemas"]["Order"] = value
        each["paths"]["/orders"] = value
    texts = [json.dumps(each) for each in (old, new)]
    list(breaking_changes(document(texts[0]), document(texts[1])))
    assert list(breaking_changes(document(texts[1]), document(texts[1]))) == []
