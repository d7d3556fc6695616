"""`scripts/setup`: what it says on machines that lack something, and that a kill or a move at any time does no harm.

Programs of the machine are replaced by scripts of the test: only what is on the given PATH is there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASE = ("awk", "cat", "cmp", "cp", "date", "dirname", "env", "flock", "grep", "head", "ln", "mkdir", "readlink", "rm")
BASE += ("sed", "sh", "tail", "true")
ALL = ("git", "make", "bwrap", "chromium")


class Machine:
    """A checkout without an environment, and the programs that are there."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / "omni", folder / "bin"
        self.bin.mkdir()
        for name in BASE:
            (self.bin / name).symlink_to(shutil.which(name) or name)
        for name in ("omni", "scripts/setup", "requirements/omni.lock", "requirements/dev.lock"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.program("id", "echo 1000")

    def program(self, name: str, text: str = "true") -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        argv = [str(self.root / "scripts/setup"), *arguments]
        env = {"PATH": str(self.bin), "HOME": str(self.root), **environ}
        return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def setup(self, *arguments: str, **environ: str) -> tuple[int, list[str]]:
        process = self.start(*arguments, **environ)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said.splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_unknown_option_is_a_usage_error(machine: Machine) -> None:
    assert machine.setup("--fast") == (2, ["usage: scripts/setup [--dev]"])


def test_without_rights_it_says_what_to_type(machine: Machine) -> None:
    wanted = "git make bubblewrap chromium"
    said = [
        f"omni setup: missing: {wanted}. Type: sudo apt-get install -y {wanted}",
        "omni setup: Omni needs git; then run it again.",
    ]
    assert machine.setup() == (3, said)


def test_the_tests_need_more(machine: Machine) -> None:
    _, said = machine.setup("--dev")
    assert said[0].endswith(" redis-server valgrind")


@pytest.mark.parametrize("rights", ["root", "sudo"])
def test_with_rights_it_installs(machine: Machine, rights: str) -> None:
    """Lists first; a package that can't be had and that Omni needs ends it, with what apt-get said."""
    machine.program("id", "echo 0" if rights == "root" else "echo 1000")
    machine.program("sudo", f'echo "sudo $*" >>{machine.root}/calls; shift; exec "$@"')
    machine.program(
        "apt-get",
        f'echo "$*" >>{machine.root}/calls; case "$*" in *update*) ;; *) echo E: no network; exit 100 ;; esac',
    )
    machine.program("dpkg")
    assert machine.setup() == (
        3,
        [
            "omni setup: refreshing the package lists",
            "omni setup: installing git with apt-get",
            "E: no network",
            "omni setup: apt-get could not install git",
            "omni setup: Omni needs it. Check the network (and on Ubuntu that apt knows “universe”), then try again.",
        ],
    )
    calls = (machine.root / "calls").read_text().splitlines()
    assert calls[-1] == "-qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends git"
    assert any(call.startswith("sudo -n") for call in calls) == (rights == "sudo")


def test_a_checkout_that_cannot_be_written_is_one_clear_error(machine: Machine, tmp_path: Path) -> None:
    """`test -w` is what knows of read-only disks; here it is made to say so."""
    setup = machine.root / "scripts/setup"
    setup.write_text(setup.read_text().replace('[ -w "$root" ]', "false"))
    said = f"omni setup: {machine.root} can't be written to. Clone or copy it to a folder of yours, and run it there."
    assert machine.setup() == (3, [said])


def test_two_at_once_wait_for_each_other(machine: Machine) -> None:
    (machine.root / ".setup").mkdir()
    with (machine.root / ".setup/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = machine.start()
        assert second.stdout
        assert second.stdout.readline() == "omni setup: waiting for another set-up to end\n"
        assert second.poll() is None
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 3
    assert said.startswith("omni setup: missing: git")


@pytest.mark.slow
def test_without_a_network_it_is_one_clear_error(machine: Machine) -> None:
    for name in ALL:
        machine.program(name)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    code, said = machine.setup(**nowhere)
    assert code == 3
    assert said[1] == "omni setup: installing Omni's libraries, pinned by hash"
    assert said[-1] == (
        "omni setup: uv, which installs them, could not be fetched. Check the network, or the package index that pip"
        " and uv are told to use; then try again."
    )
    assert not (machine.root / ".venv/ready").exists()


def _copy(target: Path) -> None:
    for name in ("omni", "src", "scripts", "requirements", "pyproject.toml"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)


def _version(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([root / "omni", "--version"], capture_output=True, text=True, cwd="/")


@pytest.mark.slow
@pytest.mark.host
def test_from_scratch_through_kills_and_a_move(tmp_path: Path) -> None:
    """In a folder with a space in its name: killed twice on the way, it ends ready; moved, it is made anew."""
    root = tmp_path / "my omni"
    root.mkdir()
    _copy(root)
    environ = {**os.environ, "OMNI_HOME": str(tmp_path / "home")}
    for seconds in (0.3, 1.5, 4):
        process = subprocess.Popen(
            [root / "omni", "--version"], env=environ, stderr=-3, stdout=-3, start_new_session=True
        )
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = _version(root)
    assert (done.returncode, done.stdout) == (0, "omni 0.1.0\n"), done.stderr
    # On a fast machine with everything at hand, the last kill may come when it is ready already.
    assert done.stderr.splitlines()[-1:] in ([], ["omni setup: ready"])

    began = time.monotonic()
    assert _version(root).stderr == ""
    assert time.monotonic() - began < 1

    moved = root.rename(tmp_path / "moved")
    done = _version(moved)
    assert (done.returncode, done.stdout) == (0, "omni 0.1.0\n"), done.stderr
    assert f"omni setup: making {moved}/.venv with Python" in done.stderr
