"""Every attack of the catalogue, for real, and proof that each of them would be noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from omni.sandbox import bubblewrap
from omni.sandbox.bubblewrap import Bubblewrap
from omni.sandbox.job import Driver, Job, JobResult
from omni.sandbox.reduced import Reduced
from omni.sandbox.selftest import attacks, quick

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap"),
]


@pytest.mark.slow
def test_every_attack_is_held() -> None:
    assert [result for result in attacks(Bubblewrap()) if not result.held] == []


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_every_attack_is_held_for_an_ordinary_user() -> None:
    source = (
        "from omni.sandbox.bubblewrap import Bubblewrap; from omni.sandbox.selftest import attacks\n"
        "results = attacks(Bubblewrap()); print(len(results), [r for r in results if not r.held])"
    )
    user = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--", sys.executable, "-B", "-c", source]
    done = subprocess.run(
        user, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": "/tmp"}, cwd="/"
    )
    if "Permission denied" in done.stderr or "No module named" in done.stderr:
        pytest.skip("this checkout or its environment is below a folder that others can't read")
    assert done.stdout == "26 []\n", done.stderr


def test_without_walls_the_same_attacks_get_through() -> None:
    """The reduced driver has no walls, so what the attacks say of it shows that they look at the right things."""
    reached = {result.name for result in quick(Reduced()) if not result.held}
    assert reached >= {
        "connect out",
        "share a namespace",
        "signal a host process",
        "nested namespace",
        "reach the hypervisor",
        "dangerous system calls",
        "hold privileges",
    }


def test_a_driver_without_walls_is_not_attacked() -> None:
    (result,) = attacks(Reduced())
    assert (result.name, result.held, "apt install bubblewrap" in result.detail) == ("isolation", False, True)


def test_a_guest_that_can_not_even_start_is_not_counted_as_held() -> None:
    class Broken(Bubblewrap):
        def run(self, job: Job, *, trusted: bool = False) -> JobResult:
            return JobResult(1, "exited", "", "no python3 here\n", False, 0.1, "full")

    driver: Driver = Broken()
    assert [(result.held, result.detail) for result in quick(driver)] == [(False, "no python3 here")]


def _without(argv: list[str], wall: str) -> list[str]:
    match wall:
        case "network":
            at = argv.index("--unshare-all")
            return [*argv[:at], "--unshare-pid", "--unshare-uts", "--unshare-ipc", *argv[at + 1 :]]
        case "system call filter":
            at = argv.index("--seccomp")
            return argv[:at] + argv[at + 2 :]
        case "closed root":
            at = argv.index("/", argv.index("/tmp"))
            return argv[: at - 1] + argv[at + 1 :]
        case _:
            at = argv.index("/dev/shm")
            return argv[: at - 5] + argv[at + 3 :]


@pytest.mark.parametrize(
    ("wall", "noticed"),
    [
        ("network", {"connect out", "share a namespace"}),
        (
            "system call filter",
            {"dangerous system calls", "hold privileges", "reach the hypervisor", "type into the terminal"},
        ),
        ("closed root", {"write the system"}),
        ("closed /dev", {"write the system"}),
    ],
)
def test_taking_one_wall_away_is_noticed(wall: str, noticed: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bubblewrap.options
    monkeypatch.setattr(bubblewrap, "options", lambda *given: _without(whole(*given), wall))
    reached = {result.name for result in quick(Bubblewrap()) if not result.held}
    assert reached == noticed
