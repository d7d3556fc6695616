"""The grammar file, read once and made ready for use."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from omni.spec.words import singular, stem


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
    standards: frozenset[str]
    polite: frozenset[str]
    nouns: frozenset[str]
    adverbs: frozenset[str]
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
        "standards",
        "polite",
        "nouns",
        "adverbs",
        "other_languages",
    ):
        raw[key] = frozenset(raw[key].split())
    for key in ("crud", "people"):
        raw[key] = {name: frozenset(words.split()) for name, words in raw[key].items()}
    raw["fixed"] = "|".join(rf"\b(?:{pattern})\b" for pattern in raw["fixed"])
    for state in raw["states"].values():
        state["from_"] = state.pop("from", ())
    return Grammar.model_validate(raw)


@cache
def _verbs() -> tuple[dict[str, str], dict[str, str]]:
    crud = {stem(verb): kind for kind, verbs in grammar().crud.items() for verb in sorted(verbs)}
    return crud, {stem(verb): name for name, state in grammar().states.items() for verb in state.stems}


def basic_kind(word: str) -> str:
    """The basic operation that a verb names ("adds" → create), or nothing."""
    return _verbs()[0].get(stem(word), "")


def state_named(word: str) -> str:
    """The state that a verb brings about ("closes" → close), or nothing."""
    return _verbs()[1].get(stem(word), "")


def is_thing(noun: str) -> bool:
    """Can the noun be something that is kept? "Shipments" can, "recognition" and "twice" can't."""
    last = noun.rsplit(maxsplit=1)[-1]
    if last in grammar().adverbs:
        return False
    return last in grammar().nouns or singular(last) != last or not grammar().abilities.search(last)
