"""Python source to its tree, from any thread."""

from __future__ import annotations

import ast
import threading
import warnings

_ONE_AT_A_TIME = threading.Lock()
"""CPython before 3.11.5 counts the depth of all threads' trees together, and fails when two are made at once
(gh-106905); and warnings are silenced for the whole process."""


def parse_python(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """The tree of a file. Raises what ast.parse raises; says nothing of odd escapes in the target's code."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename=filename)
