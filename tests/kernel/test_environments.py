from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omni.kernel.environments import base_python, ensure
from omni.kernel.errors import OmniError
from omni.kernel.processes import run

pytestmark = pytest.mark.host  # it fetches from the package index

_IDNA = """\
idna==3.11 \\
    --hash=sha256:771a87f49d9defaf64091e6e6fe9c18d4833f140bd19464795bc32d966ca37ea
"""


def _quiet(_: str) -> None:
    return


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lock") / "tiny.lock"
    path.write_text(_IDNA)
    return path


@pytest.fixture(scope="module")
def made(lock: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment; its packages are then in uv's cache, so the tests after it need no network."""
    return ensure("tiny", lock, tmp_path_factory.mktemp("home"), False, _quiet)


def test_it_holds_the_locked_packages_compiled_and_open_to_all(made: Path) -> None:
    assert list(made.glob("lib/python*/site-packages/idna/__pycache__/core.*.pyc"))
    assert run([str(made / "bin/python"), "-c", "import idna; print(idna.__version__)"], timeout=20).stdout == "3.11\n"
    for path in made.rglob("*"):
        mode = path.lstat().st_mode
        assert stat.S_ISLNK(mode) or mode & 0o004, path
        assert not stat.S_ISDIR(mode) or mode & 0o001, path
    assert Path(os.path.realpath(made / "bin/python")) == Path(os.path.realpath(base_python()))


def test_it_is_made_once_and_then_needs_neither_network_nor_uv(
    made: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("omni.kernel.environments._uv", lambda: pytest.fail("uv was asked for"))
    assert ensure("tiny", lock, made.parent.parent, True, said.append) == made
    assert said == []


def test_another_lock_is_another_environment(made: Path, lock: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.lock"
    other.write_text(lock.read_text() + "# changed\n")
    assert ensure("tiny", other, made.parent.parent, True, _quiet) != made


_CALL = "import sys; from pathlib import Path; from omni.kernel.environments import ensure;"
_CALL += "print(ensure('tiny', Path(sys.argv[1]), Path(sys.argv[2]), True, lambda said: print(said, file=sys.stderr)))"


def test_its_programs_outlive_the_home_that_lent_it_a_folder(made: Path, lock: Path, tmp_path: Path) -> None:
    shared, home = tmp_path / "shared", tmp_path / "home"
    shared.mkdir()
    home.mkdir()
    (home / "envs").symlink_to(shared)
    environment = ensure("tiny", lock, home, False, _quiet)
    (home / "envs").unlink()
    assert environment.parent == shared
    assert run([str(environment / "bin" / "python"), "-c", "import idna"], timeout=60).exit_code == 0


def test_processes_that_want_it_together_build_it_once(made: Path, lock: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _CALL, str(lock), str(tmp_path)]
    callers = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [caller.communicate(timeout=120) for caller in callers]
    assert len({out for out, _ in outputs}) == 1
    assert "".join(err for _, err in outputs).count("Setting up tiny") == 1


@pytest.mark.slow
def test_a_kill_at_any_instant_leaves_nothing_half_made(made: Path, lock: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _CALL, str(lock), str(tmp_path)]
    for delay in (0.15, 0.25, 0.35, 0.45, 0.6):
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as caller:
            time.sleep(delay)
            caller.send_signal(signal.SIGKILL)
    venv = ensure("tiny", lock, tmp_path, True, _quiet)
    assert run([str(venv / "bin/python"), "-c", "import idna"], timeout=20).ok


@pytest.mark.parametrize("content", ["idna==3.11\n", "idna==3.11 --hash=sha256:" + "0" * 64 + "\n", "%%%\n"])
def test_a_lock_that_does_not_hold_is_refused_and_leaves_no_environment(
    tmp_path: Path, content: str, made: Path
) -> None:
    lock = tmp_path / "bad.lock"
    lock.write_text(content)
    with pytest.raises(OmniError, match="An environment can't be set up"):
        ensure("bad", lock, tmp_path, True, _quiet)
    assert list(tmp_path.glob("envs/bad-*/.complete")) == []
