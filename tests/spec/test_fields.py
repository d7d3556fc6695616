from __future__ import annotations

import pytest

from omni.spec.fields import field_of


def told(text: str) -> str | None:
    found = field_of(text, ())
    if found is None:
        return None
    field = found.field
    limits = [
        "" if field.required else "?",
        f"[{field.min or 0:g}..{field.max:g}]" if field.max is not None else "",
        f"({'|'.join(field.choices)})" if field.choices else "",
        field.unit,
        "unique" if field.unique else "",
        "personal" if field.personal else "",
        f"<={field.max_length}" if field.type == "string" and field.max_length not in (None, 200) else "",
        "" if found.sure else "guessed",
    ]
    return " ".join(filter(None, [f"{field.name}:{field.type}", *limits]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a name", "name:string"),
        ("last watered date", "last_watered_date:date ?"),
        ("price", "price:money"),
        ("price in euros", "price:money EUR"),
        ("weight in kg", "weight:decimal ? kg"),
        ("rating between 1 and 5", "rating:integer ? [1..5]"),
        ("rating 1-5", "rating:integer ? [1..5]"),
        ("status (open, closed)", "status:enum (open|closed)"),
        ("a type (blood, saliva or tissue)", "type:enum (blood|saliva|tissue)"),
        ("vaccinated (yes/no)", "vaccinated:boolean"),
        ("email", "email:email personal"),
        ("phone number", "phone_number:phone ? personal"),
        ("SKU (unique)", "sku:string unique <=60"),
        ("nickname of at most 20 characters", "nickname:string personal <=20"),
        ("an optional note", "note:text ?"),
        ("ingredients", "ingredients:text ?"),
        ("due date (required)", "due_date:date"),
        ("is done", "is_done:boolean"),
        ("a list of cakes", "cakes:text ?"),
        ("nemesis", "nemesis:string ? guessed"),
        ("handwriting recognition", None),
        ("recognises handwriting", None),
        ("shares lists with friends", None),
        ("automatically", None),
        ("", None),
    ],
)
def test_a_few_words_to_a_field(text: str, expected: str | None) -> None:
    assert told(text) == expected
