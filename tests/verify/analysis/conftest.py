"""A check's view of some files, to ask the analyses with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify import played

from omni.verify.check import Context

ContextOf = Callable[[Mapping[str, str]], Context]


@pytest.fixture
def context_of(write: Callable[[Mapping[str, str]], Path]) -> ContextOf:
    """Of files by path; nothing can be run in it."""

    def made(files: Mapping[str, str]) -> Context:
        return played.context_of(write(files), "tests")

    return made
