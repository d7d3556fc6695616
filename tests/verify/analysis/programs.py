"""A Python program out of texts."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from omni.verify.analysis.program import Program


def program_of(files: Mapping[str, str]) -> Program:
    """By path, such as `app/models.py`."""
    program = Program()
    for path, text in files.items():
        program.add(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."), path, ast.parse(text))
    return program
