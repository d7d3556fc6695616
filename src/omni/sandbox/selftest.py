"""Tries to escape, for real, before anything foreign runs; a sandbox that leaks is not used."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.kernel.files import write_atomic
from omni.sandbox import cgroup, escapes
from omni.sandbox.errors import ESCAPED
from omni.sandbox.job import Driver, Job, JobResult, Limits, Probe, Service
from omni.sandbox.mounts import python_mounts

_ENVIRONMENT = Path(sys.prefix)
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
"""Those that a guest may not share with the host. (Docker keeps the user namespace, and drops every capability.)"""


@dataclass(frozen=True)
class AttackResult:
    name: str
    held: bool
    detail: str
    """What was reached; empty when it was held."""


def attacks(driver: Driver) -> list[AttackResult]:
    """Every attack of the catalogue against `driver`; some seconds. One without walls is not attacked: it would do
    harm, and the answer is known.
    """
    if driver.probe().isolation != "full":
        return [AttackResult("isolation", False, "; ".join(driver.probe().problems))]
    with tempfile.TemporaryDirectory(prefix="omni-attack-") as folder:
        results = quick(driver)
        for number, (name, attack) in enumerate(HEAVY.items()):
            place = Path(folder, str(number))
            (place / "workspace").mkdir(parents=True)
            detail = attack(driver, place)
            results.append(AttackResult(name, not detail, detail))
    return results


def quick(driver: Driver) -> list[AttackResult]:
    """The escapes that one hostile process can try within a moment: see `escapes.py`."""
    with tempfile.TemporaryDirectory(prefix="omni-selftest-") as folder, _treasures() as targets:
        secret = Path(folder, "secret")
        secret.write_text("canary")
        empty = Path(folder, "workspace")
        empty.mkdir()
        result = _python(driver, inspect.getsource(escapes), empty, json.dumps(targets | {"secret": str(secret)}))
    try:
        reached = json.loads(result.stdout)
    except ValueError:
        said = result.stderr.strip() or f"it ended by {result.ended}, exit code {result.exit_code}"
        return [AttackResult("run the escapes", False, said)]
    return [AttackResult(name, not detail, detail) for name, detail in reached.items()]


class Guarded:
    """A driver that is used only after it has held. The verdict is kept for this boot, below the Omni home."""

    def __init__(self, driver: Driver, home: Path) -> None:
        self._driver, self._home = driver, home
        self.name = driver.name
        self._held: dict[str, str] | None = None
        self._lock = threading.Lock()

    def probe(self) -> Probe:
        """What the driver says of itself, and how the self-test went. An escape makes it unusable."""
        probe = self._driver.probe()
        if probe.isolation is None:
            return probe
        verdict = self._verdict()
        checks = {name: not detail for name, detail in verdict.items()}
        if not all(checks.values()):
            return replace(probe, isolation=None, problems=(_escaped(verdict).why, *probe.problems), checks=checks)
        return replace(probe, checks=checks)

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:
        self._require()
        return self._driver.run(job, trusted=trusted)

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> Service:
        self._require()
        return self._driver.serve(job, port, trusted=trusted)

    def _require(self) -> None:
        verdict = self._verdict()
        if any(verdict.values()):
            raise _escaped(verdict)

    def _verdict(self) -> dict[str, str]:
        with self._lock:
            if self._held is None:
                self._held = self._remembered() or self._try()
            return self._held

    def _remembered(self) -> dict[str, str] | None:
        """Only a good verdict is remembered: what leaked is tried again, since somebody may have mended it."""
        try:
            verdict = json.loads(self._note().read_bytes())
        except (OSError, ValueError):
            return None
        return verdict if isinstance(verdict, dict) and verdict and not any(verdict.values()) else None

    def _try(self) -> dict[str, str]:
        verdict = {result.name: result.detail for result in quick(self._driver)}
        if not any(verdict.values()):
            self._note().parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._note(), json.dumps(verdict).encode())
        return verdict

    def _note(self) -> Path:
        return self._home / "sandbox" / f"held-{self.name}-{_situation()}.json"


@cache
def _situation() -> str:
    """A digest of all that could change the verdict: boot, user, kernel, bubblewrap, our own code."""
    program = shutil.which("bwrap")
    about = Path(program).stat() if program else None
    facts = [
        Path("/proc/sys/kernel/random/boot_id").read_text(),
        f"{os.geteuid()} {os.getpid() == 1} {platform.release()} {platform.python_version()}",
        f"{program} {about.st_size} {about.st_mtime_ns}" if about else "",
        *(each.read_text() for each in sorted(Path(__file__).parent.glob("*.py"))),
    ]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


def _escaped(verdict: dict[str, str]) -> OmniError:
    leaks = "; ".join(f"{name}: {detail}" for name, detail in verdict.items() if detail)
    return OmniError(ESCAPED, f"the self-test got out. {leaks}")


@contextmanager
def _treasures() -> Iterator[dict[str, str]]:
    """What a guest would like to reach, set up for real: a server, an abstract socket, a process."""
    name = f"omni-{secrets.token_hex(8)}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{name}")
        abstract.listen()
        namespaces = {each: str(Path("/proc/self/ns", each).readlink()) for each in NAMESPACES}
        yield {
            "port": str(server.getsockname()[1]),
            "abstract": name,
            "pid": str(os.getpid()),
            "started": str(cgroup.started(os.getpid())),
            "namespaces": json.dumps(namespaces),
            "mounted": json.dumps([mount.target or str(mount.source) for mount in python_mounts(_ENVIRONMENT)]),
        }


def _python(driver: Driver, source: str, workspace: Path, *arguments: str, limits: Limits | None = None) -> JobResult:
    job = Job(
        ("python3", "-I", "-S", "-c", source, *arguments),
        workspace,
        {"PATH": f"{_ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin"},
        python_mounts(_ENVIRONMENT),
        limits or Limits(wall=30),
    )
    return driver.run(job, trusted=True)


# The heavy attacks: each gets a driver and an empty place, and says what was reached.

_CAPS = Limits(wall=20, memory=192, disk=64, processes=48, output=1)


def _fork_bomb(driver: Driver, place: Path) -> str:
    source = """
import os, time
made = 0
for _ in range(2000):
    try:
        if os.fork() == 0:
            time.sleep(60)
    except OSError:
        break
    made += 1
print(made, flush=True)
os._exit(0)
"""
    result = _python(driver, source, place / "workspace", limits=_CAPS)
    made = int(result.stdout or 0)
    return f"{made} processes under a cap of {_CAPS.processes}" if made > _CAPS.processes + 2 else ""


def _memory(count: int, size: int) -> Callable[[Driver, Path], str]:
    def attack(driver: Driver, place: Path) -> str:
        source = f"""
import os, time
for _ in range({count - 1}):
    if os.fork() == 0:
        break
block = bytearray({size} << 20)
time.sleep(1)
print("kept", flush=True)
"""
        result = _python(driver, source, place / "workspace", limits=_CAPS)
        kept = result.stdout.count("kept") * size
        return f"{kept} MiB under a cap of {_CAPS.memory}" if kept > _CAPS.memory else ""

    return attack


def _fill(folder: str, files: int, size: int) -> Callable[[Driver, Path], str]:
    def attack(driver: Driver, place: Path) -> str:
        source = f"""
import os
block, stored = bytes(1 << 16), 0
try:
    for number in range({files}):
        with open("{folder}/fill%d" % number, "wb", 0) as file:
            for _ in range({size} // len(block) or 1):
                stored += file.write(block[:{size}])
        if number % 256 == 0:
            print(stored, flush=True)
except OSError:
    pass
print(stored, flush=True)
"""
        result = _python(driver, source, place / "workspace", limits=_CAPS)
        stored = int((result.stdout.split() or ["0"])[-1])
        return f"{stored >> 20} MiB in {folder} under a cap of {_CAPS.disk}" if stored > _CAPS.disk << 20 else ""

    return attack


def _plant_artifacts(driver: Driver, place: Path) -> str:
    """Links, a linked folder, a suid file, a pipe and a path upward must not come out."""
    (place / "canary").write_text("canary")
    source = f"""
import os
os.makedirs("out/real")
os.symlink("{place}/canary", "out/link")
os.symlink("{place}", "out/folder")
os.symlink("/etc", "linked")
os.mkfifo("out/pipe")
for name, mode in (("out/good", 0o644), ("out/suid", 0o4755), ("out/sgid", 0o2755)):
    open(name, "w").close()
    os.chmod(name, mode)
with open("out/sparse", "wb") as file:
    try:
        file.truncate(1 << 40)
    except OSError:
        pass
"""
    into = place / "into"
    job = Job(
        ("python3", "-I", "-S", "-c", source),
        place / "workspace",
        {"PATH": f"{_ENVIRONMENT}/bin:/usr/bin:/bin"},
        python_mounts(_ENVIRONMENT),
        _CAPS,
        ("out", "out/folder/canary", "linked/passwd", "../canary", "/etc/passwd"),
        into,
    )
    result = driver.run(job, trusted=True)
    planted = sorted(
        path.relative_to(into).as_posix() for path in into.rglob("*") if not path.is_dir() or path.is_symlink()
    )
    wrong = [name for name in planted if name not in ("out/good", "out/sparse")]
    if (into / "out/sparse").exists() and (into / "out/sparse").stat().st_size:
        wrong.append("out/sparse")
    if "out/good" not in result.collected:
        return f"nothing came out at all: {result.stderr}"
    return f"planted: {', '.join(wrong)}" if wrong else ""


def _leave_daemon(driver: Driver, place: Path) -> str:
    mark = f"omni-daemon-{secrets.token_hex(8)}"
    source = f"""
import os, time, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for stream in (0, 1, 2):
            os.close(stream)
        os.execvp("python3", ["python3", "-c", "import time; time.sleep(60)", "{mark}"])
    os._exit(0)
time.sleep(0.2)
"""
    _python(driver, source, place / "workspace")
    return "a daemon lives on" if _alive(mark) else ""


def _ignore_signals(driver: Driver, place: Path) -> str:
    mark = f"omni-deaf-{secrets.token_hex(8)}"
    source = f"""
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.execvp("python3", ["python3", "-c", "import time; time.sleep(60)", "{mark}"])
time.sleep(60)
"""
    result = _python(driver, source, place / "workspace", limits=replace(_CAPS, wall=0.5))
    if result.ended != "timeout":
        return f"it ended by {result.ended}"
    return "it lives after its time" if _alive(mark) else ""


def _flood(driver: Driver, place: Path) -> str:
    result = _python(driver, "while True: print('x' * 65536)", place / "workspace", limits=replace(_CAPS, wall=1))
    return "" if result.truncated and len(result.stdout) < 2 << 20 else f"{len(result.stdout)} bytes were kept"


def _reach_past_endpoint(driver: Driver, place: Path) -> str:
    """A job that may reach one port of the host reaches that one, and no other port, address, name or descriptor."""
    with socket.create_server(("127.0.0.1", 0)) as allowed, socket.create_server(("", 0)) as forbidden:
        ports = allowed.getsockname()[1], forbidden.getsockname()[1]
        job = Job(
            ("python3", "-I", "-S", "-c", _PAST_ENDPOINT, *map(str, ports)),
            place / "workspace",
            {"PATH": f"{_ENVIRONMENT}/bin:/usr/bin:/bin"},
            python_mounts(_ENVIRONMENT),
            _CAPS,
            endpoints=ports[:1],
        )
        result = driver.run(job, trusted=True)
    said = result.stdout.strip()
    return "" if said == "held" else said or f"nothing was tried: {result.stderr.strip()}"


_PAST_ENDPOINT = """
import os, socket, sys
allowed, forbidden = map(int, sys.argv[1:])
reached = []
for number in os.listdir("/proc/self/fd"):
    try:
        if os.readlink("/proc/self/fd/" + number).startswith("socket:"):
            reached.append("descriptor " + number + " is a socket")
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", allowed), timeout=5).close()
except OSError as error:
    reached.append("not even the endpoint: %s" % error)
others = [("127.0.0.1", forbidden), ("127.0.0.2", allowed), ("127.0.0.2", forbidden), ("169.254.169.254", 80)]
others += [("192.0.2.1", 443), ("10.0.0.1", allowed), ("::1", allowed), ("::1", forbidden)]
for address in others:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        continue
    reached.append("%s:%s answers" % address)
try:
    reached.append("a name is resolved: %s" % socket.getaddrinfo("example.com", 443)[0][4][0])
except OSError:
    pass
print("; ".join(reached) or "held")
"""


def _alive(mark: str) -> bool:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in file.read_bytes():
                return True
        except OSError:
            continue
    return False


HEAVY: dict[str, Callable[[Driver, Path], str]] = {
    "fork bomb": _fork_bomb,
    "one memory hog": _memory(1, 512),
    "many memory hogs": _memory(5, 100),
    "one big file": _fill("/work", 1, 256 << 20),
    "one big file in /tmp": _fill("/tmp", 1, 256 << 20),  # noqa: S108 - the guest's
    "one big file in /dev/shm": _fill("/dev/shm", 1, 256 << 20),  # noqa: S108 - the guest's
    "many files": _fill("/work", 40_000, 4096),
    "plant artifacts": _plant_artifacts,
    "leave a daemon": _leave_daemon,
    "ignore the time-out": _ignore_signals,
    "flood the output": _flood,
    "reach past the endpoint": _reach_past_endpoint,
}
