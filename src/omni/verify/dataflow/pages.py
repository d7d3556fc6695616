"""Templates of pages: which of their variables they show without escaping them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

RAW = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)[^{}]*\|\s*safe\b")
"""`{{ name | safe }}`"""
SHOWN = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)")
UNESCAPED = re.compile(r"\{%-?\s*autoescape\s+(?:false|off)\s*-?%\}(.*?)\{%-?\s*endautoescape", re.DOTALL)
LONGEST = 1_000_000
"""Signs; a longer one is no template that a person wrote."""


def raw_names(text: str) -> frozenset[str]:
    """The variables that a template of Jinja or Django shows as they are."""
    if len(text) > LONGEST:
        return frozenset()
    found = set(RAW.findall(text))
    for block in UNESCAPED.findall(text):
        found.update(SHOWN.findall(block))
    return frozenset(found)


class Pages:
    """The templates of a project, by any ending of their path."""

    def __init__(self, texts: Iterable[tuple[str, str]] = ()) -> None:
        self._texts = tuple(texts)

    @cached_property
    def _raw(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for path, text in self._texts:
            names = raw_names(text) if "safe" in text or "autoescape" in text else frozenset[str]()
            parts = path.split("/")
            for start in range(len(parts)) if names else ():
                ending = "/".join(parts[start:])
                found[ending] = found.get(ending, frozenset()) | names
        return found

    def raw(self, name: str) -> frozenset[str]:
        """Variables that the template of this name shows as they are."""
        return self._raw.get(name.lstrip("/"), frozenset())
