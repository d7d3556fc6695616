"""Names."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.templates.specs import criterion, plain, todo

from omni.spec.model import FieldType, SpecField
from omni.templates.naming import camel, kebab, package_name, pascal, settle, snake

WORDS = st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=4)


@given(WORDS)
def test_styles_lead_into_each_other(words: list[str]) -> None:
    name = "_".join(words)
    assert snake(pascal(name)) == snake(camel(name)) == snake(kebab(name)) == name


@pytest.mark.parametrize(("name", "result"), [("HTTPRequest", "http_request"), ("InvoiceLine", "invoice_line")])
def test_capitals_of_an_abbreviation_stay_together(name: str, result: str) -> None:
    assert snake(name) == result


@pytest.mark.parametrize(
    ("name", "package"),
    [("todo", "todo"), ("time-tracking", "time_tracking"), ("calendar", "calendar_app"), ("property", "property_app")],
)
def test_a_package_never_hides_another(name: str, package: str) -> None:
    assert package_name(todo().model_copy(update={"name": name})) == package


def test_names_that_are_taken_give_way_everywhere() -> None:
    odd = (SpecField(name=name, label=name, type=FieldType.STRING) for name in ("metadata", "from", "created_at"))
    criteria = (criterion("AC1", "entity:Session", "permission:user.Session", "page:/sessions"),)
    update = {"entities": (plain("Session", "sessions", *odd),), "operations": (), "criteria": criteria}
    settled = settle(todo(auth=False).model_copy(update=update))
    (entity,) = settled.entities
    assert settled.criteria[0].verifies == ("entity:SessionRecord", "permission:user.SessionRecord", "page:/sessions")
    assert entity.name == "SessionRecord"
    assert [field.name for field in entity.fields] == ["title", "metadata_value", "from_value"]
    assert not any(keyword.iskeyword(field.name) for field in entity.fields)


def test_names_that_are_free_stay() -> None:
    assert settle(todo()) is todo() or settle(todo()) == todo()
