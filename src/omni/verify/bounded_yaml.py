"""Foreign YAML, read so that it can't take the process down."""

from __future__ import annotations

import yaml

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 200
"""Levels. No person writes so many, and libyaml's composer has no bound: it overflows the stack."""


def bounded_yaml(text: str) -> str:
    """The text, once it is known to be safe for `YAML_LOADER`.

    Raises RecursionError when it is nested too deeply, yaml.YAMLError when it is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=YAML_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise RecursionError(f"nested deeper than {DEEPEST} levels")
    return text
