"""A home for the services under test."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.kernel.settings import load_settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the tools that this machine's Omni has."""
    here = load_settings().home / "envs"
    (tmp_path / "home" / "envs").mkdir(parents=True)
    for folder in here.glob("tools-*"):
        (tmp_path / "home" / "envs" / folder.name).symlink_to(folder)
    return tmp_path / "home"
