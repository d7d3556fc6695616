from __future__ import annotations

from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.verify.tools import open_tools


@pytest.fixture(scope="session")
def ast_grep() -> Path:
    """The program, from the tools environment of this machine's Omni home."""
    settings = load_settings()
    return open_tools(settings.home, settings.offline, print).path("ast-grep")
