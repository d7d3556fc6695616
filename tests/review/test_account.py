from __future__ import annotations

import pytest

from omni.review.account import settle
from omni.spec.account import refs
from omni.spec.asked import Part, PartStatus, Request
from omni.spec.compiler import compile_request
from omni.spec.model import Criterion, Specification
from omni.spec.request import parse_request
from omni.templates.capabilities import prune
from omni.templates.catalog import get

PARTS = (
    Part(id="P1", sentence=1, start=0, end=10, text="a todo app", status=PartStatus.MAPPED, items=("entity:Todo",)),
    Part(
        id="P2",
        sentence=1,
        start=11,
        end=40,
        text="and recognises handwriting",
        status=PartStatus.NOT_DELIVERED,
        note="No template can recognise handwriting.",
    ),
    Part(
        id="P3",
        sentence=2,
        start=41,
        end=60,
        text="with simple reports",
        status=PartStatus.QUESTION,
        items=("operation:todo.report",),
    ),
    Part(id="P4", sentence=3, start=61, end=68, text="Thanks!", status=PartStatus.NARRATIVE, note="Politeness."),
)
CRITERIA = (
    Criterion(id="AC1", given="a user", when="they add a todo", then="it is there", verifies=("entity:Todo",)),
    Criterion(id="AC2", given="a user", when="they report", then="it shows", verifies=("operation:todo.report",)),
)
SPEC = Specification(
    name="todo",
    title="Todo",
    summary="A todo app.",
    request=Request(text="a todo app and recognises handwriting. with simple reports. Thanks!"),
    domain="todo",
    template="web-app",
    auth=True,
    parts=PARTS,
    criteria=CRITERIA,
)
TRACE = {"AC1": ("tests/test_a.py",), "AC2": ("tests/test_b.py",)}
SHOWN = {"AC1": True, "AC2": True}


def outcomes(account_of: dict[str, object]) -> list[str]:
    values = {"undelivered": {}, "trace": TRACE, "shown": SHOWN, "waived": ()} | account_of
    return [row.outcome for row in settle(SPEC, **values).rows]  # type: ignore[arg-type]


def test_the_kind_of_program_is_shown_by_all_that_it_does() -> None:
    part = PARTS[0].model_copy(update={"items": ("template:web-app",)})
    spec = SPEC.model_copy(update={"parts": (part,)})
    assert settle(spec, {}, TRACE, SHOWN).rows[0].criteria == ("AC1", "AC2")
    assert settle(spec, {}, TRACE, {"AC1": True}).rows[0].outcome == "not-delivered"


def test_every_phrase_has_an_outcome() -> None:
    assert outcomes({}) == ["delivered", "not-delivered", "assumed", "narrative"]


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ({"shown": {"AC1": False, "AC2": True}}, "not-delivered"),
        ({"shown": {"AC2": True}}, "not-delivered"),
        ({"undelivered": {"entity:Todo": "no"}}, "not-delivered"),
        ({"undelivered": {"AC1": "no test"}}, "not-delivered"),
    ],
)
def test_a_phrase_without_proof_is_not_delivered(given: dict[str, object], first: str) -> None:
    assert outcomes(given)[0] == first


@pytest.mark.parametrize("waiver", ["P2", "p2", "recognises handwriting", "Recognises  HANDWRITING"])
def test_a_waiver_names_the_part(waiver: str) -> None:
    assert outcomes({"waived": (waiver,)})[1] == "waived"


@pytest.mark.parametrize("waiver", ["", "a", "P", "everything", "P22", "recognise", "with simple reports"])
def test_a_waiver_that_names_nothing_waives_nothing(waiver: str) -> None:
    assert outcomes({"waived": (waiver,)})[1] == "not-delivered"


def test_the_evidence_is_named() -> None:
    row = settle(SPEC, {}, TRACE, SHOWN).rows[0]
    assert (row.criteria, row.tests) == (("AC1",), ("tests/test_a.py",))


def test_words_that_stand_in_two_parts_waive_neither() -> None:
    twice = (*PARTS, PARTS[1].model_copy(update={"id": "P5", "text": "and recognises speech"}))
    spec = SPEC.model_copy(update={"parts": twice})
    rows = settle(spec, {}, TRACE, SHOWN, ("recognises",)).rows
    assert [row.outcome for row in rows if row.part in {"P2", "P5"}] == ["not-delivered", "not-delivered"]


@pytest.mark.parametrize(
    ("request_text", "missing"),
    [
        ("a command line tool to keep plants with name and photo", "and photo"),
        ("a command line tool to keep notes with tags", "with tags"),
    ],
)
def test_what_the_template_leaves_out_is_not_called_delivered(request_text: str, missing: str) -> None:
    """The template and the account speak of an item by the same name; all other proof is taken as given."""
    spec = compile_request(parse_request(request_text))
    _, gaps = prune(spec, get(spec.template))
    assert {gap.ref for gap in gaps} <= refs(spec) | {criterion.id for criterion in spec.criteria}
    shown = {criterion.id: True for criterion in spec.criteria}
    rows = settle(spec, {gap.ref: gap.why for gap in gaps}, {}, shown).rows
    assert [row.text for row in rows if row.outcome == "not-delivered"] == [missing]
