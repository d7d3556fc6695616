"""What a handoff says beyond its schema."""

from __future__ import annotations

import pytest
from pydantic import JsonValue, ValidationError
from tests.agents.replies import CRITERION, RIGHT, ROUTE, SPEC, TABLE

from omni.agents.handoffs import (
    ApiContract,
    ChangedFile,
    Envelope,
    Plan,
    ProductSpec,
    kind_of,
    openapi,
    uncovered,
    unpack,
    wrong,
)
from omni.kernel.errors import OmniError


def plan(*steps: tuple[str, tuple[str, ...], tuple[str, ...]]) -> Plan:
    return Plan.model_validate(
        {"steps": [{"id": i, "do": "x", "files": [], "criteria": list(c), "after": list(a)} for i, c, a in steps]}
    )


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (plan(("1", ("C1",), ()), ("2", ("C2",), ("1",))), ""),
        (plan(("1", ("C1",), ())), "no step serves C2"),
        (plan(("1", ("C1", "C2", "C9"), ())), "there is no criterion C9"),
        (plan(("1", ("C1", "C2"), ("2",)), ("2", ("C1",), ())), "step 1 comes after 2, which is not before it"),
    ],
)
def test_a_plan_covers_every_criterion_in_an_order_that_works(made: Plan, said: str) -> None:
    assert uncovered(made, ("C1", "C2")) == said


@pytest.mark.parametrize(
    ("kind", "document", "said"),
    [
        ("ProductSpec", SPEC, ""),
        ("ProductSpec", {**SPEC, "criteria": [{**CRITERION, "id": "C2"}]}, "criteria that were given are gone: C1"),
        ("ApiContract", {"title": "Todos", "routes": [ROUTE, ROUTE]}, "there twice: GET /todos/{id}"),
        ("DataModel", {"tables": [TABLE, TABLE], "migration": []}, "there twice: todo"),
        ("DataModel", {"tables": [{**TABLE, "primary_key": ["key"]}], "migration": []}, "a key is no column: todo.key"),
    ],
)
def test_what_a_schema_cannot_say(kind: str, document: dict[str, JsonValue], said: str) -> None:
    given = Envelope(kind="ProductSpec", document=SPEC, role="specification", prompt="none", model="none")
    assert wrong(kind_of(kind).model_validate(document), [given]) == said


def test_a_contract_becomes_openapi_with_these_routes_and_no_others() -> None:
    contract = ApiContract.model_validate(RIGHT["ApiContract"])
    assert openapi(contract) == {
        "openapi": "3.1.0",
        "info": {"title": "Todos", "version": "1"},
        "paths": {
            "/todos/{id}": {
                "get": {
                    "summary": "One todo",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {
                        "200": {"description": "it is the caller's"},
                        "404": {"description": "there is none, or it is another's"},
                    },
                    "security": [{"account": []}],
                }
            }
        },
        "components": {"securitySchemes": {"account": {"type": "http", "scheme": "bearer"}}},
    }


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a\nb", ""])
def test_paths_stay_within_the_project(path: str) -> None:
    with pytest.raises(ValidationError):
        ChangedFile(path=path, why="x")


def test_a_document_is_read_as_what_it_is() -> None:
    made = Envelope(kind="ProductSpec", document=RIGHT["ProductSpec"], role="P0.1", prompt="P0.1@1", model="one")
    assert unpack(made, ProductSpec).criteria[0].id == "C1"
    with pytest.raises(OmniError, match="ProductSpec was handed over where Plan is read"):
        unpack(made, Plan)
    old = made.model_copy(update={"document": {**made.document, "schema_version": "0"}})
    with pytest.raises(OmniError, match="schema_version"):
        unpack(old, ProductSpec)


@pytest.mark.parametrize("name", ["Nothing", "omni.nothing:Plan", "Envelope", "os:path"])
def test_only_documents_are_handed_over(name: str) -> None:
    with pytest.raises(OmniError, match=r"there is no document|is not a document"):
        kind_of(name)


def test_an_envelope_has_a_digest_that_follows_its_content() -> None:
    made = Envelope(kind="Plan", document=RIGHT["Plan"], role="P1.1", prompt="P1.1@1", model="one")
    assert made.digest == made.model_copy().digest
    assert made.digest != made.model_copy(update={"model": "two"}).digest
