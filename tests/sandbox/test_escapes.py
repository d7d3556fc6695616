from __future__ import annotations

from pathlib import Path

import pytest

from omni.sandbox.escapes import _reached


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with an environment in it."""
    environment = tmp_path / "omni" / ".venv"
    environment.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("home = /usr/bin")
    return tmp_path


def test_an_environment_that_is_mounted_below_a_home_is_no_secret(home: Path) -> None:
    assert _reached(home, {home / "omni" / ".venv"}) is None


def test_whatever_lies_beside_it_is_one(home: Path) -> None:
    (home / "omni" / "id_ed25519").write_text("secret")
    assert _reached(home, {home / "omni" / ".venv"}) == home / "omni" / "id_ed25519"


def test_without_a_mount_below_it_even_an_empty_home_is_one(tmp_path: Path) -> None:
    assert _reached(tmp_path, {Path("/opt/environment")}) == tmp_path
