from __future__ import annotations

import pytest
from tests.spec.test_sentences import SENTENCES

from omni.spec.compiler import compile_request
from omni.spec.request import parse_request


@pytest.mark.parametrize("text", SENTENCES)
def test_everything_that_is_promised_has_a_criterion(text: str) -> None:
    spec = compile_request(parse_request(text))
    shown = {ref for criterion in spec.criteria for ref in criterion.verifies}
    promised = {f"operation:{o.id}" for o in spec.operations} | {f"page:{p.path}" for p in spec.pages}
    promised |= {f"rule:{rule.id}" for e in spec.entities for rule in e.rules} | {f"job:{j.name}" for j in spec.jobs}
    promised |= {f"computed:{e.name}.{c.name}" for e in spec.entities for c in e.computed}
    promised |= {f"integration:{i.name}" for i in spec.integrations} | {f"quality:{q.id}" for q in spec.qualities}
    assert promised <= shown
    assert [criterion.id for criterion in spec.criteria] == [f"AC{n}" for n in range(1, len(spec.criteria) + 1)]


def test_other_peoples_data_has_a_negative_criterion() -> None:
    spec = compile_request(parse_request("a todo app with user auth"))
    criterion = next(c for c in spec.criteria if c.verifies == ("permission:user.Todo",))
    assert (criterion.given, criterion.when, criterion.then) == (
        "A user and another person's todos",
        "they try to read, update or delete one",
        (
            "they are answered as if it did not exist, and it stays as it was "
            "(they may read, create, update and delete their own only)"
        ),
    )


def test_how_criteria_read() -> None:
    spec = compile_request(parse_request("a booking app"))
    told = {ref: f"{c.given}: when {c.when}, {c.then}" for c in spec.criteria for ref in c.verifies}
    assert told["rule:booking.no_overlap_starts_at_ends_at"] == (
        "A booking of the same resource: when another is added that overlaps it; one that only touches it is accepted, "
        "it is refused: “This is taken at that time.”"
    )
    assert told["operation:booking.confirm"] == (
        "An admin: when they use “Confirm” on a booking, its status is “confirmed”; "
        "from other values than requested it is refused"
    )
    assert (
        told["permission:user.Resource"]
        == "A user: when they try to create, update or delete resources, they are refused; they may read them"
    )
