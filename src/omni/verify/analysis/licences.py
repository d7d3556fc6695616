"""Licences: what an expression allows, and whether a project of one licence may build on code of another.

Expressions are SPDX's (https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/). What is known of
each licence is in data/licences.toml. This is no legal advice: it is what the licences' texts say of each other.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from omni.verify.report import Model

FILE = Path(__file__).parent.parent / "data" / "licences.toml"

Kind = Literal["public-domain", "permissive", "weak", "strong", "network", "restricted"]

TEXTS = (
    ("AGPL-3.0-or-later", r"GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3"),
    ("LGPL-3.0-or-later", r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3"),
    ("LGPL-2.1-or-later", r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1"),
    ("GPL-3.0-or-later", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("GPL-2.0-or-later", r"GNU GENERAL PUBLIC LICENSE\s+Version 2"),
    ("MPL-2.0", r"Mozilla Public License,? Version 2\.0|Mozilla Public License Version 2\.0"),
    ("Apache-2.0", r"Apache License\s+Version 2\.0"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms[\s\S]*Neither the name"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
    ("MIT", r"Permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("ISC", r"Permission to use, copy, modify, and(/or)? distribute this software for any"),
    ("Unlicense", r"This is free and unencumbered software released into the public domain"),
)
"""What the text of a licence looks like; a licence before those that its text holds too."""


class Conflict(Model):
    project: frozenset[str]
    dependency: frozenset[str]
    because: str


class Table(Model):
    kinds: Mapping[Kind, tuple[str, ...]]
    builds_on: Mapping[Kind, tuple[Kind, ...]]
    exceptions: Mapping[Kind, tuple[str, ...]]
    conflict: tuple[Conflict, ...]
    aliases: Mapping[str, str]

    def kind(self, licence: str) -> Kind | None:
        """Of one id, or `id WITH exception`; None when it is not known."""
        name, _, exception = licence.partition(" WITH ")
        for kind, exceptions in self.exceptions.items():
            if exception in exceptions:
                return kind
        return next((kind for kind, names in self.kinds.items() if name in names), None)


@cache
def table() -> Table:
    return Table.model_validate(tomllib.loads(FILE.read_text("utf-8")))


def alternatives(expression: str) -> tuple[frozenset[str], ...]:
    """The ways to fulfil it: each a set of licences that hold together. Raises ValueError when it is none.

    `MIT OR (GPL-2.0-only AND ISC)` gives `{MIT}` and `{GPL-2.0-only, ISC}`.
    """
    plain = table().aliases.get(" ".join(expression.lower().replace(",", " ").split()))
    tokens = re.findall(r"[()]|[^\s()]+", plain or expression)
    if len(tokens) > 200:
        raise ValueError("too long for an expression")
    found, rest = _either(tokens)
    if rest:
        raise ValueError(f"“{rest[0]}” is not expected there")
    return found


Found = tuple[tuple[frozenset[str], ...], list[str]]


def _either(tokens: list[str]) -> Found:
    found, rest = _both(tokens)
    while rest and rest[0].upper() == "OR":
        more, rest = _both(rest[1:])
        found = (*found, *more)
    return found, rest


def _both(tokens: list[str]) -> Found:
    found, rest = _one(tokens)
    while rest and rest[0].upper() == "AND":
        more, rest = _one(rest[1:])
        found = tuple(one | other for one in found[:8] for other in more[:8])
    return found, rest


def _one(tokens: list[str]) -> Found:
    if not tokens:
        raise ValueError("it ends too early")
    if tokens[0] == "(":
        found, rest = _either(tokens[1:])
        if rest[:1] != [")"]:
            raise ValueError("a bracket is not closed")
        return found, rest[1:]
    name = _name(tokens[0])
    if len(tokens) > 2 and tokens[1].upper() == "WITH":
        return (frozenset({f"{name} WITH {tokens[2]}"}),), tokens[3:]
    return (frozenset({name}),), tokens[1:]


@cache
def _spelled() -> Mapping[str, str]:
    return {name.lower(): name for names in table().kinds.values() for name in names}


def _name(text: str) -> str:
    """As SPDX spells it."""
    name = table().aliases.get(text.lower()) or _spelled().get(text.lower()) or text
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", name) or text.upper() in {"AND", "OR", "WITH"}:
        raise ValueError(f"“{text}” is no name of a licence")
    return name


def objection(project: str, dependency: str) -> str:
    """Why a project may not build on it; empty when it may. Raises ValueError when either can't be understood."""
    reasons = []
    for ours in alternatives(project):
        for theirs in alternatives(dependency):
            reason = next(_reasons(ours, theirs), "")
            if not reason:
                return ""
            reasons.append(reason)
    return reasons[0]


def _reasons(ours: frozenset[str], theirs: frozenset[str]) -> Iterator[str]:
    """Raises ValueError for a licence that the table does not know."""
    for own in sorted(ours):
        for other in sorted(theirs):
            kind, foreign = table().kind(own), table().kind(other)
            if kind is None or foreign is None:
                raise ValueError(f"“{other if kind else own}” is not in the table of licences")
            if foreign not in table().builds_on[kind]:
                yield f"{other} ({WORDS[foreign]}) can't be part of a program under {own}"
            for conflict in table().conflict:
                if own in conflict.project and other in conflict.dependency:
                    yield f"{other} can't be part of a program under {own}: {conflict.because}"


WORDS: Mapping[Kind, str] = {
    "public-domain": "public domain",
    "permissive": "permissive",
    "weak": "copyleft of files or libraries",
    "strong": "copyleft of the whole program",
    "network": "copyleft of the whole program, also where it is only used over a network",
    "restricted": "not free: it restricts who may use it, or for what",
}


def of_text(text: str) -> str:
    """The licence whose text this is; empty when it is none of the usual ones."""
    return next((name for name, pattern in TEXTS if re.search(pattern, text[:20_000])), "")
