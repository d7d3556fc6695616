from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omni.sandbox import linux, mounts
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


def test_the_folders_that_all_guests_see_anyway_are_not_mounted_again(tmp_path: Path) -> None:
    venv = _environment(tmp_path / "venv", Path("/opt/python/bin/python3"))
    mount = Mount(Path("/opt/python"), "/opt/python")
    assert python_mounts(venv) == (Mount(venv, str(venv)), mount)
    assert python_mounts(_environment(tmp_path / "other", Path("/python3")))[1:] == ()


def test_a_relative_environment_is_mounted_at_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _environment(tmp_path / "venv", Path("/usr/bin/python3"))
    monkeypatch.chdir(tmp_path)
    assert python_mounts(Path("venv")) == (Mount(tmp_path / "venv", str(tmp_path / "venv")),)


def test_mounts_are_staged_below_a_folder_that_everybody_can_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls that root makes; `test_bubblewrap.py` makes them for real where it may."""
    calls: list[object] = []
    stage = tmp_path / "stage"
    monkeypatch.setattr(mounts, "STAGE", stage)
    monkeypatch.setattr(linux, "unshare_mounts", lambda: calls.append("unshare"))
    monkeypatch.setattr(linux, "mount", lambda *given: calls.append(given))
    (tmp_path / "data").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("data")
    given = (Mount(tmp_path / "link"), Mount(tmp_path / "file", "/there"))
    assert mounts.stage(given) == (Mount(stage / "0", str(tmp_path / "link")), Mount(stage / "1", "/there"))
    assert calls == [
        "unshare",
        ("tmpfs", str(stage), "tmpfs", 2 | 4, "mode=755,size=1m"),
        (str(tmp_path / "data"), str(stage / "0"), "none", 4096 | 16384),
        (str(tmp_path / "file"), str(stage / "1"), "none", 4096 | 16384),
    ]
    assert ((stage / "0").is_dir(), (stage / "1").is_file(), stage.stat().st_mode & 0o777) == (True, True, 0o755)


def test_where_root_may_not_mount_they_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(linux, "unshare_mounts", refused)
    monkeypatch.setattr(mounts, "STAGE", tmp_path / "stage")
    given = (Mount(tmp_path),)
    assert mounts.stage(given) is given
    assert not (tmp_path / "stage").exists()
