from __future__ import annotations

import pytest

from omni.spec import lexicon
from omni.spec.compiler import compile_request
from omni.spec.model import Computed, OperationKind, Ownership, RelationKind, Specification
from omni.spec.request import parse_request

NAMES = [name for name, domain in lexicon.domains().items() if domain.words]


def usual(name: str) -> Specification:
    domain = lexicon.domains()[name]
    return compile_request(
        parse_request(
            f"a {domain.words[0]} app" if not domain.template else f"a {domain.template} to {domain.words[0]}"
        )
    )


def test_there_are_at_least_twenty_five_domains() -> None:
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_names_in_a_domain_point_at_what_is_there(name: str) -> None:
    spec = usual(name)
    entities = {entity.name: entity for entity in spec.entities}
    for entity in spec.entities:
        fields = {f.name: f for f in entity.fields}
        relations = {r.name: r for r in entity.relations}
        assert {key.lstrip("-") for key in entity.sort} <= {*fields, "created_at", "updated_at"}
        assert entity.ownership is not Ownership.PARENT or relations[entity.parent].kind is RelationKind.BELONGS_TO
        for rule in entity.rules:
            held = (
                {f.name for f in entities[relations[rule.within].target].fields} if rule.kind == "capacity" else set()
            )
            assert set(rule.fields) <= {*fields, *relations, *held, "owner"}
            assert rule.within in {*relations, "owner", ""}
        for computed in entity.computed:
            child = entities.get(computed.child, entity)
            assert set(computed.fields) <= set(fields)
            assert computed.field in {"", *(f.name for f in child.fields), *(c.name for c in child.computed)}
        taken = [*fields, *relations, *(c.name for c in entity.computed)]
        taken += [r.inverse for other in spec.entities for r in other.relations if r.target == entity.name]
        assert len(taken) == len(set(taken))
    for operation in spec.operations:
        if operation.kind is OperationKind.TRANSITION:
            choices = next(f.choices for f in entities[operation.entity].fields if f.name == operation.field)
            assert {operation.value, *operation.from_values} <= set(choices)
        if operation.kind is OperationKind.RUN:
            assert set(operation.steps) <= set(lexicon.read_yaml("steps.yaml")["steps"])


def test_the_notation() -> None:
    field = lexicon.parse_field("price", "money, min 0, optional, unit EUR")
    assert (field.type, field.min, field.required, field.unit) == ("money", 0, False, "EUR")
    assert lexicon.parse_field("level", "enum low|high, default low").choices == ("low", "high")
    assert lexicon.parse_relation("list", "TodoList, optional, inverse todos", "Todo").on_delete == "set-null"
    assert lexicon.parse_computed("total", "sum InvoiceLine.amount as money") == Computed(
        name="total", label="Total", kind="sum", type="money", child="InvoiceLine", field="amount"
    )
    rule = lexicon.parse_rule("Booking", "no-overlap starts_at ends_at within resource: Taken.")
    assert (rule.id, rule.within, rule.message) == ("booking.no_overlap_starts_at_ends_at", "resource", "Taken.")


def test_an_unknown_attribute_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown attribute 'shiny'"):
        lexicon.parse_field("name", "string, shiny")
