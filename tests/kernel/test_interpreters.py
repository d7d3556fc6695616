"""Which Python the environments of tools are made with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel import environments
from omni.kernel.environments import base_python, bring_python, newest_python
from omni.kernel.errors import OmniError

Program = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a shell script on PATH."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, script: str) -> Path:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return put


NEWEST = environments._NEWEST


def test_omnis_own_is_the_newest_where_there_is_no_other(tmp_path: Path, program: Program) -> None:
    assert newest_python(tmp_path) == base_python()


@pytest.mark.skipif(sys.version_info.minor >= NEWEST, reason="there is none newer that is known")
def test_a_newer_one_on_path_is_taken_if_it_works(tmp_path: Path, program: Program) -> None:
    program(f"python3.{NEWEST}", "exit 1")  # a stand-in for a version that is not installed
    assert newest_python(tmp_path / "a") == base_python()
    program(f"python3.{NEWEST}", f"echo {NEWEST} /opt/python/bin/python3.{NEWEST}")
    assert newest_python(tmp_path / "b") == Path(f"/opt/python/bin/python3.{NEWEST}")


@pytest.mark.skipif(sys.version_info.minor >= NEWEST, reason="there is none newer that is known")
def test_one_that_uv_brought_is_taken(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "home" / "pythons" / f"cpython-3.{NEWEST}.1-linux" / "bin"
    python = f"{inside}/python3.{NEWEST}"
    made = f"mkdir -p {inside}; printf '#!/bin/sh\\necho {NEWEST} {python}\\n' > {python}; chmod +x {python}"
    uv = program("uv", made)
    monkeypatch.setattr(environments, "_uv", lambda: str(uv))
    assert bring_python(tmp_path / "home", lambda _: None) == inside / f"python3.{NEWEST}"


def test_one_that_can_not_be_had_is_said_so(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = program("uv", "echo 'error: Failed to download' >&2; exit 2")
    monkeypatch.setattr(environments, "_uv", lambda: str(uv))
    with pytest.raises(OmniError, match=r"uv could not fetch CPython 3\..*Failed to download") as raised:
        bring_python(tmp_path, lambda _: None)
    assert base_python().name in raised.value.fix
