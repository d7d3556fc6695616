"""The grammar file, read once and made ready for use."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from omni.spec.tables import read_yaml
from omni.spec.words import singular, stem

Words = Annotated[frozenset[str], BeforeValidator(lambda text: frozenset(str(text).split()))]
OneOf = Annotated[re.Pattern[str], BeforeValidator(lambda texts: "|".join(rf"\b(?:{text})\b" for text in texts))]


class State(BaseModel):
    """A verb that changes a row: flips boolean `field`, or sets `status` to `value` from the values `from`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    stems: tuple[str, ...]
    field: str = ""
    status: tuple[str, ...] = ()
    value: str = ""
    from_values: Annotated[tuple[str, ...], Field(alias="from")] = ()


class Grammar(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    stop: Words
    fluff: Words
    connecting: Words
    connectors: re.Pattern[str]
    fixed: OneOf
    typos: dict[str, str]
    headings: Words
    app: Words
    build: Words
    manage: Words
    verbs: Words
    crud: dict[str, Words]
    states: dict[str, State]
    people: dict[str, Words]
    audience: Words
    standards: Words
    polite: Words
    measured: Words
    technical: Words
    nouns: Words
    adverbs: Words
    other_languages: Words
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
    return Grammar.model_validate(read_yaml("grammar.yaml"))


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


def bare_noun(noun: str) -> str:
    """A noun in the singular, without articles and praise: "the nice plants" → "plant"."""
    pieces = [word for word in noun.split() if word not in grammar().stop and word not in grammar().fluff]
    return " ".join([*pieces[:-1], singular(pieces[-1])]) if pieces else ""
