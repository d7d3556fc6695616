"""Canonical JSON: the same value always gives the same bytes, so bytes can be hashed and signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = "Mapping[str, JsonValue]"


def dumps(value: JsonValue) -> bytes:
    """UTF-8 JSON with keys sorted by code point and no white space.

    Raises ValueError for NaN, infinities and lone surrogates, which JSON cannot say, and TypeError for anything else.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(value: JsonValue) -> str:
    """SHA-256 of the canonical bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(dumps(value)).hexdigest()
