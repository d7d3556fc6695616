from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.verify.suggestions import Suggestion, _signs, suggest

Write = Callable[[Mapping[str, str | bytes]], Path]

CARDS = """\
from django.db import models


class Payment(models.Model):
    card_number = models.TextField()
    cvv = models.TextField()
    email = models.TextField()
"""
ROUTES = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/orders")\ndef orders():\n    return []\n'


@pytest.mark.parametrize(
    ("files", "signs"),
    [
        ({}, {}),
        ({"web/a.tsx": "", "web/b.html": ""}, {"pages": ("it has pages", "web/a.tsx")}),
        ({"src/domain/order.py": ""}, {"domain": ("it names its domain", "src/domain/order.py")}),
        ({"domains/order.py": "", "a.html.py": "", "locale.py": ""}, {}),
        ({"locale/de.po": "", "app/locales/a": ""}, {"catalogs": ("it has translations", "app/locales/a")}),
        ({"api.py": ROUTES}, {"routes": ("it answers GET /orders", "api.py:6")}),
        (
            {"app/models.py": CARDS},
            {
                "personal-data": ("it stores payments.email", "app/models.py:7"),
                "card-data": ("it stores payments.card_number", "app/models.py:5"),
                "tables": ("it keeps payments", "app/models.py:4"),
            },
        ),
    ],
)
def test_each_sign_with_the_first_place_that_shows_it(
    write: Write, files: dict[str, str], signs: dict[str, tuple[str, str]]
) -> None:
    assert _signs(write(files)) == {"always": ("every project", ""), **signs}


def test_what_is_left_out_of_the_verification_shows_nothing(write: Write) -> None:
    left_out = '[verify]\nprofiles = ["wcag"]\n[[verify.exclude]]\npath = "old/**"\nbecause = "it is not ours"\n'
    root = write({"old/a.html": "", "omni.toml": left_out})
    assert "pages" not in _signs(root)
    write({"a.html": ""})
    assert [each for each in suggest(root) if each.profile == "wcag"] == [
        Suggestion(profile="wcag", chosen=True, because="it has pages", where="a.html")
    ]
