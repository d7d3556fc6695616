"""The grammar file, read once and made ready for use."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict


class State(BaseModel):
    """A verb that changes a row: flips boolean `field`, or sets `status` to `value` from the values `from`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stems: tuple[str, ...]
    field: str = ""
    status: tuple[str, ...] = ()
    value: str = ""
    from_: tuple[str, ...] = ()


class Grammar(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    stop: frozenset[str]
    fluff: frozenset[str]
    connecting: frozenset[str]
    connectors: re.Pattern[str]
    fixed: re.Pattern[str]
    typos: dict[str, str]
    headings: frozenset[str]
    app: frozenset[str]
    build: frozenset[str]
    manage: frozenset[str]
    verbs: frozenset[str]
    crud: dict[str, frozenset[str]]
    states: dict[str, State]
    people: dict[str, frozenset[str]]
    audience: frozenset[str]
    other_languages: frozenset[str]
    types: tuple[tuple[re.Pattern[str], str], ...]
    personal_names: re.Pattern[str]
    units: dict[str, str]
    abilities: re.Pattern[str]
    beyond: tuple[tuple[re.Pattern[str], str], ...]
    templates: dict[str, re.Pattern[str]]
    native: re.Pattern[str]
    foreign: re.Pattern[str]


@cache
def grammar() -> Grammar:
    """The grammar in `data/grammar.yaml`."""
    text = (files("omni.spec") / "data" / "grammar.yaml").read_text(encoding="utf-8")
    raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both loaders are safe ones
    for key in (
        "stop",
        "fluff",
        "connecting",
        "app",
        "build",
        "manage",
        "verbs",
        "audience",
        "headings",
        "other_languages",
    ):
        raw[key] = frozenset(raw[key].split())
    for key in ("crud", "people"):
        raw[key] = {name: frozenset(words.split()) for name, words in raw[key].items()}
    raw["fixed"] = "|".join(rf"\b(?:{pattern})\b" for pattern in raw["fixed"])
    for state in raw["states"].values():
        state["from_"] = state.pop("from", ())
    return Grammar.model_validate(raw)
