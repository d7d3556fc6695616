"""A check's view of some files, to ask the analyses with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest

from omni.verify import registry
from omni.verify.check import Context
from omni.verify.config import ProjectConfig
from omni.verify.execution import Execution
from omni.verify.files import take_inventory

ContextOf = Callable[[Mapping[str, str]], Context]


@pytest.fixture
def context_of(write: Callable[[Mapping[str, str]], Path]) -> ContextOf:
    """Of files by path; nothing can be run in it."""

    def made(files: Mapping[str, str]) -> Context:
        root = write(files)
        inventory = take_inventory(root)
        check = registry.get("tests")
        return Context(check, root, inventory.files, inventory, ProjectConfig(), cast("Execution", None))

    return made
