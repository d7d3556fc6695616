"""Foreign Python and YAML, read so that they can't take the process down."""

from __future__ import annotations

import ast
import threading
import warnings

import yaml

_ONE_AT_A_TIME = threading.Lock()
"""CPython before 3.11.5 counts the depth of all threads' trees together, and fails when two are made at once
(gh-106905); and warnings are silenced for the whole process."""

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 200
"""Levels of YAML. No person writes so many, and libyaml's composer has no bound: it overflows the stack."""


def parse_python(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """The tree of a file. Raises what ast.parse raises; says nothing of odd escapes in the target's code."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename=filename)


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
