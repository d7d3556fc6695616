"""Which names mean data that has to be protected: about people, their health, their cards; from a data file."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

DATA = Path(__file__).parent.parent / "data" / "sensitive.toml"

Family = Literal["personal", "health", "card_number", "card_code"]


@cache
def _declared() -> dict[str, dict[str, re.Pattern[str]]]:
    content = tomllib.loads(DATA.read_text("utf-8"))
    prefix = content["prefix"]
    return {
        family: {kind: re.compile(rf"{prefix}({pattern})") for kind, pattern in kinds.items()}
        for family, kinds in content.items()
        if isinstance(kinds, dict)
    }


@cache
def _people() -> re.Pattern[str]:
    return re.compile(tomllib.loads(DATA.read_text("utf-8"))["people"])


def snake(name: str) -> str:
    """`emailAddress` and `EmailAddress` as `email_address`; leading underscores go."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").replace("-", "_")


@lru_cache(maxsize=16384)
def kind_of(name: str, family: Family, about: str = "") -> str:
    """`email`, `ssn`, `diagnosis`, …; empty when the name means nothing of the family.

    `about` is what holds the value: the name of its model, or of the variable (`user` of `user.name`).
    """
    text = snake(name)
    among = _declared().get(f"{family}_among_people", {}) if about and is_person(about) else {}
    for kinds in (_declared()[family], among):
        for kind, pattern in kinds.items():
            if pattern.fullmatch(text):
                return kind
    return ""


def is_person(name: str) -> bool:
    return bool(_people().search(name))
