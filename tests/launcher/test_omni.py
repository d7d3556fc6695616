"""`./omni`: instant when the environment is this checkout's and this lock's, else it is made first."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, in a folder with a space in its name, whose environment is ready and says what it was called with."""
    root = tmp_path / "my omni"
    root.mkdir()
    shutil.copy(ROOT / "omni", root)
    script(root / "scripts/setup", "echo set up")
    script(root / ".venv/bin/python", 'for word in "$@"; do echo "<$word>"; done; exit 7')
    for folder in ("requirements", ".venv"):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "omni.lock").write_text("a==1\n")
    (root / ".venv/ready").write_text(f"{root}\n")
    return root


def run(omni: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([omni, *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_a_ready_environment_is_used_at_once(checkout: Path) -> None:
    said = "<-I>\n<-m>\n<omni>\n<build>\n<a todo app>\n<>\n"
    assert run(checkout / "omni", "build", "a todo app", "") == (7, said, "")


def test_a_link_to_it_works(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "omni").symlink_to(checkout / "omni")
    assert run(tmp_path / "omni") == (7, "<-I>\n<-m>\n<omni>\n", "")


def lose_the_marker(root: Path) -> Path:
    (root / ".venv/ready").unlink()
    return root


def change_the_lock(root: Path) -> Path:
    (root / "requirements/omni.lock").write_text("a==2\n")
    return root


def move(root: Path) -> Path:
    return root.rename(root.with_name("elsewhere"))


@pytest.mark.parametrize("change", [lose_the_marker, change_the_lock, move])
def test_an_environment_of_another_time_or_place_is_made_anew(checkout: Path, change: object) -> None:
    assert callable(change)
    code, out, err = run(change(checkout) / "omni", "--version")
    assert (code, out, err) == (7, "<-I>\n<-m>\n<omni>\n<--version>\n", "set up\n")


def test_an_interpreter_that_is_gone_makes_a_new_environment(checkout: Path) -> None:
    python = checkout / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/usr/bin/python3.0")
    script(
        checkout / "scripts/setup",
        f"rm {str(python)!r}; printf '#!/bin/sh\\necho new' >{str(python)!r}; chmod +x {str(python)!r}",
    )
    assert run(checkout / "omni") == (0, "new\n", "")


def test_nothing_runs_when_the_set_up_fails(checkout: Path) -> None:
    lose_the_marker(checkout)
    script(checkout / "scripts/setup", "echo no network; exit 3")
    assert run(checkout / "omni", "--version") == (3, "", "no network\n")
