"""The patterns of the rules, kept as data."""

from __future__ import annotations

import re
from functools import cache

from pydantic import TypeAdapter

from omni.spec.tables import read_yaml


@cache
def pattern(name: str) -> re.Pattern[str]:
    """The regular expression called `name` in `data/patterns.yaml`. Raises KeyError."""
    return re.compile(re.sub(r"<(np|number|once)>", lambda match: _text(match[1]), _text(name)))


def _text(name: str) -> str:
    return "".join(_pieces()[name])


@cache
def _pieces() -> dict[str, tuple[str, ...]]:
    return TypeAdapter(dict[str, tuple[str, ...]]).validate_python(read_yaml("patterns.yaml"))
