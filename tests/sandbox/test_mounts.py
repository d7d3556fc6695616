from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omni.sandbox.job import Mount
from omni.sandbox.mounts import python_mounts


def _environment(root: Path, base: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "python").symlink_to(base)
    return root


def test_an_environment_on_the_systems_python_is_one_mount(tmp_path: Path) -> None:
    venv = _environment(tmp_path / "venv", Path("/usr/bin/python3"))
    assert python_mounts(venv) == (Mount(venv, str(venv)),)


def test_every_folder_on_the_way_to_the_interpreter_is_mounted_where_links_expect_it(tmp_path: Path) -> None:
    """The layout that uv makes: environment → minor version (a link to a folder) → patch version."""
    real = tmp_path / "python" / "cpython-3.11.9"
    (real / "bin").mkdir(parents=True)
    (real / "bin" / "python3.11").touch()
    minor = tmp_path / "python" / "cpython-3.11"
    minor.symlink_to("cpython-3.11.9")
    venv = _environment(tmp_path / "venv", minor / "bin" / "python3.11")
    assert python_mounts(venv) == (Mount(venv, str(venv)), Mount(real, str(minor)), Mount(real, str(real)))


def test_links_within_one_folder_and_relative_ones_are_followed(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "bin").mkdir(parents=True)
    (base / "bin" / "python3.11").touch()
    (base / "bin" / "python3").symlink_to("python3.11")
    venv = _environment(tmp_path / "venv", Path("../../base/bin/python3"))
    assert python_mounts(venv) == (Mount(venv, str(venv)), Mount(base, str(base)))


@pytest.mark.slow
def test_a_real_environment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    assert python_mounts(tmp_path / "venv")[0] == Mount(tmp_path / "venv", str(tmp_path / "venv"))
