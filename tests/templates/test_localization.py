"""The strings of generated projects."""

from __future__ import annotations

import re

from tests.templates.specs import todo

from omni.templates.catalog import get
from omni.templates.localization import german, messages


def test_every_key_is_there_in_every_language_with_the_same_values_to_fill_in() -> None:
    english, german_ = (messages(todo(), get("web-app"), locale) for locale in ("en", "de"))
    assert english.keys() == german_.keys()
    for key, text in english.items():
        assert set(re.findall(r"\{(\w+)[,}]", text)) == set(re.findall(r"\{(\w+)[,}]", german_[key])), key


def test_only_what_is_used_is_there() -> None:
    with_accounts, without = (messages(todo(auth=auth), get("web-app"), "en") for auth in (True, False))
    assert "account.log_in" in with_accounts
    assert not [key for key in without if key.startswith("account.")]


def test_words_that_the_glossary_knows_are_german() -> None:
    assert german("Due date") == "Fällig am"
    assert german("Frobnication") == "Frobnication"
