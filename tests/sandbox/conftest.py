"""Fixtures of the sandbox's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A small project."""
    folder = tmp_path / "workspace"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a\n")
    (folder / "sub" / "run").write_text("#!/bin/sh\necho ran\n")
    (folder / "sub" / "run").chmod(0o755)
    return folder
