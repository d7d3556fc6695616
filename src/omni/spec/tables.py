"""The data files of this room, read once each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml
from pydantic import JsonValue


@cache
def read_yaml(name: str) -> dict[str, JsonValue]:
    """A file of `data/`."""
    text = (files("omni.spec") / "data" / name).read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, JsonValue] = yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe ones
    return data
