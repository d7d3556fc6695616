from __future__ import annotations

from omni.review.design import RULES, review_design
from omni.spec.compiler import compile_request
from omni.spec.model import Ownership, Relation, RelationKind, Specification
from omni.spec.request import parse_request


def todo() -> Specification:
    return compile_request(parse_request("a todo app with user auth"))


def test_a_domain_that_is_known_is_designed_well() -> None:
    review = review_design(todo())
    assert (review.score, review.findings) == (10.0, ())


def test_each_fault_is_named_and_costs_its_points() -> None:
    spec = todo()
    first = spec.entities[0]
    lost = Relation(name="box", label="Box", kind=RelationKind.BELONGS_TO, target="Box", inverse="todos")
    itself = lost.model_copy(update={"name": "twin", "target": first.name})
    broken = first.model_copy(
        update={"relations": (lost, itself), "display_field": "nope", "ownership": Ownership.PARENT, "parent": ""}
    )
    review = review_design(
        spec.model_copy(
            update={"entities": (broken, *spec.entities[1:]), "criteria": (), "threats": (), "permissions": ()}
        )
    )
    named = {finding.partition(":")[0] for finding in review.findings}
    assert named == {rule.id for rule in RULES} - {"every-entity-has-permissions"}
    assert review.score == 1.0
