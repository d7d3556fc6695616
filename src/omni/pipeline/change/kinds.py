"""Which kind of change a sentence asks for, by its words."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["bugfix", "feature", "refactor", "migration"]
KINDS: tuple[Kind, ...] = ("bugfix", "feature", "refactor", "migration")
TEST_FIRST: frozenset[Kind] = frozenset({"bugfix", "feature"})
"""Kinds that begin with a test that fails. The others keep what the code does, so their tests are those there are."""


def kind_of(request: str) -> Kind:
    """The kind whose words the sentence has first; a sentence without any asks for a feature."""
    places: dict[Kind, int] = {}
    for kind in KINDS:
        found = re.search(rf"\b({_table()[kind]['words']})\b", request, re.IGNORECASE)
        if found:
            places[kind] = found.start()
    return min(places, key=lambda kind: places[kind], default="feature")


def kind_asked(chosen: str, request: str) -> Kind:
    """As it was chosen, else by the words of the request."""
    return next((kind for kind in KINDS if kind == chosen), None) or kind_of(request)


def title_of(kind: Kind) -> str:
    """How the subject of its commit begins: `fix`."""
    return _table()[kind]["title"]


@cache
def _table() -> dict[Kind, dict[str, str]]:
    data = tomllib.loads(files("omni.pipeline").joinpath("change", "kinds.toml").read_text("utf-8"))
    return {kind: data[kind] for kind in KINDS}
