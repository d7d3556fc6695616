from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.spec import words


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("todo", "todos"), ("category", "categories"), ("box", "boxes"), ("class", "classes"), ("person", "people"),
        ("expense", "expenses"), ("quiz", "quizzes"), ("status", "statuses"), ("day", "days"), ("alias", "aliases"),
        ("news", "news"), ("address", "addresses"), ("recipe", "recipes"), ("match", "matches"),
    ],
)  # fmt: skip
def test_singular_and_plural_are_inverse(one: str, many: str) -> None:
    assert (words.singular(many), words.plural(one)) == (one, many)


@pytest.mark.parametrize(
    "forms", ["mark marks marked marking", "stop stops stopped stopping", "publish publishes published"]
)
def test_forms_of_a_verb_have_one_stem(forms: str) -> None:
    assert len({words.stem(form) for form in forms.split()}) == 1


@given(st.text(max_size=80))
def test_snake_is_always_a_name(text: str) -> None:
    name = words.snake(text + "x")
    assert name.isascii()
    assert name.isidentifier()
    assert len(name) <= 48


def test_labels_and_lists() -> None:
    assert words.label("InvoiceLine") == "Invoice line"
    assert words.pascal("invoice line") == "InvoiceLine"
    assert words.plural_phrase("Invoice line") == "Invoice lines"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert [words.a(noun) for noun in ("invoice", "user", "hour", "todo")] == [
        "an invoice",
        "a user",
        "an hour",
        "a todo",
    ]
