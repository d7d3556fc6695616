from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox import escapes, selftest
from omni.sandbox.cgroup import started
from omni.sandbox.job import Driver, Job, JobResult, Limits, Probe
from omni.sandbox.mounts import python_mounts
from omni.sandbox.selftest import HEAVY, NAMESPACES, AttackResult, Guarded, attacks, quick
from omni.sandbox.supervise import Ended


class _Driver:
    """A driver whose guest reports what the test wants; it counts what it runs."""

    name = "made-up"

    def __init__(self, reached: dict[str, str]) -> None:
        self.reached, self.ran = reached, 0

    def probe(self) -> Probe:
        return Probe(self.name, "full", ("slow today",))

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:
        self.ran += 1
        return JobResult(0, "exited", json.dumps(self.reached), "", False, 0.1, "full")

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> None:  # type: ignore[override]
        self.ran += 1


HELD, LEAKS = {"read secrets": "", "connect out": ""}, {"read secrets": "/root can be read", "connect out": ""}
JOB = Job(("true",), Path("/nowhere"))


def test_what_held_is_used_and_tried_once_a_boot(tmp_path: Path) -> None:
    driver = _Driver(HELD)
    guarded = Guarded(driver, tmp_path)
    guarded.run(JOB)
    guarded.run(JOB)
    assert driver.ran == 3
    assert guarded.probe() == Probe("made-up", "full", ("slow today",), {"read secrets": True, "connect out": True})
    again = _Driver(LEAKS)
    Guarded(again, tmp_path).run(JOB)  # remembered below the home
    assert again.ran == 1


def test_what_leaks_is_never_used_and_tried_again_next_time(tmp_path: Path) -> None:
    driver = _Driver(LEAKS)
    guarded = Guarded(driver, tmp_path)
    for use in (lambda: guarded.run(JOB), lambda: guarded.serve(JOB, 1)):
        with pytest.raises(OmniError) as caught:
            use()
        assert caught.value.kind.code == "SB003"
        assert caught.value.why == "the self-test got out. read secrets: /root can be read"
    assert driver.ran == 1
    probe = guarded.probe()
    assert (probe.isolation, dict(probe.checks)) == (None, {"read secrets": False, "connect out": True})
    mended = _Driver(HELD)
    Guarded(mended, tmp_path).run(JOB)
    assert mended.ran == 2


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"\xff", b'{"read secrets": "was reached"}'])
def test_a_damaged_note_is_not_believed(tmp_path: Path, damage: bytes) -> None:
    Guarded(_Driver(HELD), tmp_path).run(JOB)
    (note,) = (tmp_path / "sandbox").iterdir()
    note.write_bytes(damage)
    driver = _Driver(LEAKS)
    with pytest.raises(OmniError):
        Guarded(driver, tmp_path).run(JOB)


class _Guest:
    """A driver whose guest has said and done what the test wants; it keeps the job."""

    name = "made-up"

    def __init__(self, stdout: str, *, ended: Ended = "exited", truncated: bool = False, collected: str = "") -> None:
        self.answer = JobResult(0, ended, stdout, "why\n", truncated, 0.1, "full", tuple(collected.split()))
        self.job = JOB

    def probe(self) -> Probe:
        return Probe(self.name, "full")

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:
        assert trusted
        self.job = job
        return self.answer

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> None:  # type: ignore[override]
        raise NotImplementedError


CAPS = Limits(wall=20, memory=192, disk=64, processes=48, output=1)


@pytest.mark.parametrize(
    ("name", "stdout", "said"),
    [
        ("fork bomb", "50\n", ""),
        ("fork bomb", "51\n", "51 processes under a cap of 48"),
        ("fork bomb", "", ""),
        ("one memory hog", "", ""),
        ("one memory hog", "kept\n", "512 MiB under a cap of 192"),
        ("many memory hogs", "kept\n", ""),
        ("many memory hogs", "kept\nkept\n", "200 MiB under a cap of 192"),
        ("one big file", f"1\n{64 << 20}\n", ""),
        ("one big file", f"1\n{65 << 20}\n", "65 MiB in /work under a cap of 64"),
        ("one big file", "", ""),
        ("one big file in /tmp", f"{65 << 20}\n", "65 MiB in /tmp under a cap of 64"),
        ("one big file in /dev/shm", f"{65 << 20}\n", "65 MiB in /dev/shm under a cap of 64"),
        ("many files", f"{65 << 20}\n", "65 MiB in /work under a cap of 64"),
    ],
)
def test_what_exceeds_a_cap_is_an_escape(name: str, stdout: str, said: str, tmp_path: Path) -> None:
    guest = _Guest(stdout)
    assert HEAVY[name](guest, tmp_path) == said
    assert (guest.job.limits, guest.job.workspace) == (CAPS, tmp_path / "workspace")
    assert guest.job.argv[:4] == ("python3", "-I", "-S", "-c")
    assert guest.job.mounts == python_mounts(Path(sys.prefix))
    assert guest.job.env == {"PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("one memory hog", ["for _ in range(0):", "bytearray(512 << 20)"]),
        ("many memory hogs", ["for _ in range(4):", "bytearray(100 << 20)"]),
        ("one big file", ["range(1):", f"range({256 << 20} //", f"block[:{256 << 20}]", '"/work/fill%d"']),
        ("one big file in /tmp", ["range(1):", f"range({256 << 20} //", '"/tmp/fill%d"']),
        ("one big file in /dev/shm", ["range(1):", f"range({256 << 20} //", '"/dev/shm/fill%d"']),
        ("many files", ["range(40000):", "range(4096 //", "block[:4096]"]),
    ],
)
def test_each_attack_wants_far_more_than_its_cap(name: str, parts: list[str], tmp_path: Path) -> None:
    guest = _Guest("")
    HEAVY[name](guest, tmp_path)
    assert [part for part in parts if part not in guest.job.argv[4]] == []


@pytest.mark.parametrize(
    ("planted", "collected", "said"),
    [
        (["out/good"], "out/good", ""),
        (["out/good", "out/sparse"], "out/good", ""),
        (["out/good", "out/suid", "out/folder/canary"], "out/good", "planted: out/folder/canary, out/suid"),
        ([], "", "nothing came out at all: why\n"),
    ],
)
def test_what_must_not_come_out(planted: list[str], collected: str, said: str, tmp_path: Path) -> None:
    for name in planted:
        (tmp_path / "into" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "into" / name).touch()
    guest = _Guest("", collected=collected)
    assert HEAVY["plant artifacts"](guest, tmp_path) == said
    assert guest.job.collect == ("out", "out/folder/canary", "linked/passwd", "../canary", "/etc/passwd")
    assert (guest.job.into, guest.job.limits) == (tmp_path / "into", CAPS)
    assert guest.job.env == {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
    assert (tmp_path / "canary").read_text() == "canary"


def test_a_link_and_a_file_that_is_full_must_not_come_out_either(tmp_path: Path) -> None:
    (tmp_path / "into/out").mkdir(parents=True)
    (tmp_path / "into/out/link").symlink_to(tmp_path)
    (tmp_path / "into/out/sparse").write_text("full")
    guest = _Guest("", collected="out/good")
    assert HEAVY["plant artifacts"](guest, tmp_path) == "planted: out/link, out/sparse"


def test_who_lives_on_is_an_escape(tmp_path: Path) -> None:
    left: list[subprocess.Popen[bytes]] = []

    class Lingering(_Guest):
        def run(self, job: Job, *, trusted: bool = False) -> JobResult:
            (mark,) = re.findall(r"omni-\w+-\w+", job.argv[4])
            stay = "import sys; print(flush=True); sys.stdin.read()"
            pipe = subprocess.PIPE
            left.append(subprocess.Popen([sys.executable, "-c", stay, mark], stdin=pipe, stdout=pipe))
            assert left[-1].stdout is not None
            assert left[-1].stdout.readline() == b"\n"
            return super().run(job, trusted=trusted)

    for name, said in (("leave a daemon", "a daemon lives on"), ("ignore the time-out", "it lives after its time")):
        assert HEAVY[name](_Guest("", ended="timeout"), tmp_path) == ""
        guest = Lingering("", ended="timeout")
        assert HEAVY[name](guest, tmp_path) == said
        left[-1].communicate()
    assert guest.job.limits == replace(CAPS, wall=0.5)
    assert HEAVY["ignore the time-out"](_Guest("", ended="exited"), tmp_path) == "it ended by exited"


@pytest.mark.parametrize(
    ("truncated", "size", "said"),
    [
        (True, 100, ""),
        (False, 100, "100 bytes were kept"),
        (True, 2 << 20, f"{2 << 20} bytes were kept"),
        (True, (2 << 20) - 1, ""),
    ],
)
def test_a_flood_is_cut(truncated: bool, size: int, said: str, tmp_path: Path) -> None:
    guest = _Guest("x" * size, truncated=truncated)
    assert HEAVY["flood the output"](guest, tmp_path) == said
    assert guest.job.limits == replace(CAPS, wall=1)


@pytest.mark.parametrize(
    ("stdout", "said"),
    [("held\n", ""), ("127.0.0.2:80 answers\n", "127.0.0.2:80 answers"), ("", "nothing was tried: why")],
)
def test_what_lies_past_the_endpoint(stdout: str, said: str, tmp_path: Path) -> None:
    guest = _Guest(stdout)
    assert HEAVY["reach past the endpoint"](guest, tmp_path) == said
    allowed, forbidden = map(int, guest.job.argv[5:])
    assert (guest.job.endpoints, allowed != forbidden, guest.job.limits) == ((allowed,), True, CAPS)
    assert guest.job.env == {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
    assert guest.job.mounts == python_mounts(Path(sys.prefix))


def test_the_attacks_are_all_tried_and_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[Path] = []

    def attack(driver: Driver, place: Path) -> str:
        assert (place / "workspace").is_dir()
        places.append(place)
        return "" if len(places) == 1 else "it leaks"

    monkeypatch.setattr(selftest, "HEAVY", {"first": attack, "second": attack})
    assert attacks(_Guest(json.dumps(HELD | {"signal": "seen"}))) == [
        AttackResult("read secrets", True, ""),
        AttackResult("connect out", True, ""),
        AttackResult("signal", False, "seen"),
        AttackResult("first", True, ""),
        AttackResult("second", False, "it leaks"),
    ]
    assert len(set(places)) == 2


def test_the_escapes_are_told_where_the_treasures_are() -> None:
    class Looking(_Guest):
        def run(self, job: Job, *, trusted: bool = False) -> JobResult:
            super().run(job, trusted=trusted)
            targets = json.loads(job.argv[5])
            assert Path(targets["secret"]).read_text() == "canary"
            assert (job.workspace.is_dir(), list(job.workspace.iterdir())) == (True, [])
            assert (targets["pid"], targets["started"]) == (str(os.getpid()), str(started(os.getpid())))
            assert json.loads(targets["namespaces"]) == {
                name: str(Path("/proc/self/ns", name).readlink()) for name in NAMESPACES
            }
            assert json.loads(targets["mounted"]) == [mount.target for mount in python_mounts(Path(sys.prefix))]
            with socket.create_connection(("127.0.0.1", int(targets["port"])), timeout=5):
                pass
            with socket.socket(socket.AF_UNIX) as abstract:
                abstract.connect("\0" + targets["abstract"])
            return self.answer

    driver = Looking("no JSON", ended="signal")
    assert quick(driver) == [AttackResult("run the escapes", False, "why")]
    assert driver.job.argv[4] == Path(escapes.__file__).read_text()
    assert driver.job.limits == Limits(wall=30)
    silent = _Guest("", ended="signal")
    silent.answer = replace(silent.answer, stderr=" \n", exit_code=None)
    assert quick(silent) == [AttackResult("run the escapes", False, "it ended by signal, exit code None")]


def test_what_does_not_run_is_not_judged(tmp_path: Path) -> None:
    driver = _Driver(HELD)
    driver.probe = lambda: Probe("made-up", None, ("it is not installed",))  # type: ignore[method-assign]
    assert Guarded(driver, tmp_path).probe() == Probe("made-up", None, ("it is not installed",))
    assert driver.ran == 0


def test_a_guarded_driver_hands_on_what_it_is_given(tmp_path: Path) -> None:
    given: list[object] = []

    class Noting(_Driver):
        def run(self, job: Job, *, trusted: bool = False) -> JobResult:
            given.append((job, trusted))
            return super().run(job, trusted=trusted)

        def serve(self, job: Job, port: int, *, trusted: bool = False) -> None:  # type: ignore[override]
            given.append((job, port, trusted))

    guarded = Guarded(Noting(HELD), tmp_path)
    assert guarded.name == "made-up"
    guarded.run(JOB, trusted=True)
    guarded.run(JOB)
    guarded.serve(JOB, 8000, trusted=True)
    guarded.serve(JOB, 8000)
    assert given[1:] == [(JOB, True), (JOB, False), (JOB, 8000, True), (JOB, 8000, False)]


def test_the_note_is_of_this_boot_user_kernel_and_code(tmp_path: Path) -> None:
    Guarded(_Driver(HELD), tmp_path).run(JOB)
    (note,) = (tmp_path / "sandbox").iterdir()
    assert json.loads(note.read_text()) == HELD
    program = shutil.which("bwrap")
    about = Path(program).stat() if program else None
    code = [path.read_text() for path in sorted(Path(selftest.__file__).parent.glob("*.py"))]
    facts = [
        Path("/proc/sys/kernel/random/boot_id").read_text(),
        f"{os.geteuid()} {os.getpid() == 1} {platform.release()} {platform.python_version()}",
        f"{program} {about.st_size} {about.st_mtime_ns}" if about else "",
        *code,
    ]
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()
    assert note.name == f"held-made-up-{digest[:16]}.json"
