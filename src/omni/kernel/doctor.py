"""What this machine has, what it lacks, and what to type about it (Debian and Ubuntu)."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.processes import run
from omni.kernel.settings import Settings, redact_url

_SECONDS = 20.0
_FREE_GIB = 3.0
_USER = "65534"


@dataclass(frozen=True)
class DoctorRow:
    name: str
    ok: bool
    required: bool
    """Without it, `omni build` does not work at all."""
    found: str
    """Version, place or reason."""
    needed_for: str
    fix: str
    """What to type; empty when `ok`."""


def examine(settings: Settings) -> list[DoctorRow]:
    """Look at everything Omni uses. Changes nothing but what opening the database makes."""
    return [
        _python(),
        _program("git", ("--version",), "workspaces and packages", "apt-get install -y git", required=True),
        _uv(),
        _program("bwrap", ("--version",), "full isolation of code that Omni runs", "apt-get install -y bubblewrap"),
        _namespaces(),
        _cgroups(),
        _chromium(),
        _node(),
        _docker(),
        _disk(settings),
        _database(settings),
        _environments(settings),
    ]


def _python() -> DoctorRow:
    version = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info >= (3, 11)
    fix = "" if ok else "apt-get install -y python3.11 python3.11-venv"
    return DoctorRow("Python", ok, True, f"{version} at {sys.executable}", "Omni itself (3.11 or newer)", fix)


def _uv() -> DoctorRow:
    beside = Path(sys.executable).with_name("uv")
    name = str(beside) if beside.exists() else "uv"
    fix = f"{sys.executable} -m pip install uv"
    row = _program(name, ("--version",), "environments of tools and apps", fix, required=True)
    return DoctorRow("uv", row.ok, True, row.found, row.needed_for, row.fix)


def _program(name: str, version: tuple[str, ...], needed_for: str, fix: str, *, required: bool = False) -> DoctorRow:
    row = partial(DoctorRow, name, required=required, needed_for=needed_for)
    try:
        done = run([name, *version], timeout=_SECONDS)
    except OmniError:
        return row(ok=False, found="not there", fix=fix)
    first = (done.stdout.strip() or done.stderr.strip()).partition("\n")[0]
    return row(ok=done.ok, found=first or f"ended by {done.ended}", fix="" if done.ok else fix)


def _namespaces() -> DoctorRow:
    """Whether an unprivileged user can get namespaces, which is what bubblewrap isolates with."""
    row = partial(DoctorRow, "user namespaces", required=False, needed_for="full isolation of code that Omni runs")
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return row(ok=False, found="can't be tried without bubblewrap", fix="apt-get install -y bubblewrap")
    drop = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", "--"] if os.geteuid() == 0 else []
    attempt = [bwrap, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
    try:
        done = run([*drop, *attempt], timeout=_SECONDS)
    except OmniError as error:
        return row(ok=False, found=error.why, fix="apt-get install -y util-linux")
    if done.ok:
        return row(ok=True, found="work for an unprivileged user", fix="")
    return row(ok=False, found=done.stderr.strip().partition("\n")[0], fix=_namespace_fix())


def _namespace_fix() -> str:
    if Path("/.dockerenv").exists():
        return "Start the container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
    for name, wanted in (
        ("kernel.unprivileged_userns_clone", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "0"),
    ):
        path = Path("/proc/sys") / name.replace(".", "/")
        if path.exists() and path.read_text().strip() != wanted:
            return f"sysctl -w {name}={wanted}   (to keep it: in /etc/sysctl.d/omni.conf)"
    return "sysctl -w user.max_user_namespaces=10000"


def _cgroups() -> DoctorRow:
    """Whether memory and processes of a whole job can be capped: a cgroup that this user may write."""
    row = partial(DoctorRow, "cgroups", required=False, needed_for="caps on memory and processes of what Omni runs")
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        own = Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
        folder, version = unified.parent / own, "v2"
    else:
        folder, version = Path("/sys/fs/cgroup/memory"), "v1"
    if folder.is_dir() and os.access(folder, os.W_OK):
        return row(ok=True, found=f"{version}, writable", fix="")
    fix = "Run Omni as root, or with: systemd-run --user --scope -p Delegate=yes omni …"
    return row(ok=False, found=f"{version}, not writable" if folder.is_dir() else "none", fix=fix)


def _chromium() -> DoctorRow:
    """A browser of the system, or one that Playwright installed."""
    row = partial(DoctorRow, "Chromium", required=False, needed_for="screenshots and tests in a real browser")
    cached = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    places: Iterator[str] = (found for found in map(shutil.which, names) if found)
    found = next(places, None) or next((str(path) for path in cached.glob("chromium-*/chrome-linux*/chrome")), None)
    return row(ok=found is not None, found=found or "not there", fix="" if found else "apt-get install -y chromium")


def _node() -> DoctorRow:
    row = _program("node", ("--version",), "front ends in TypeScript; without it Omni takes Node from a wheel", "")
    major = re.match(r"v(\d+)", row.found)
    if row.ok and major and int(major[1]) >= 20:
        return row
    fix = "apt-get install -y nodejs npm   (20 or newer, which Vite needs; or leave it: Omni brings its own)"
    return DoctorRow("node", False, False, row.found, row.needed_for, fix)


def _docker() -> DoctorRow:
    """The client alone is not enough: the daemon must answer. Podman, which takes the same commands, will do."""
    needed_for = "isolation where bubblewrap can't be used; services of tests; images of finished apps"
    argv = ("version", "--format", "{{.Server.Version}}")
    docker = _program("docker", argv, needed_for, "apt-get install -y docker.io && systemctl start docker")
    podman = docker if docker.ok else _program("podman", argv, needed_for, docker.fix)
    return docker if docker.ok or not podman.ok else replace(podman, name="docker", found=f"Podman {podman.found}")


def _disk(settings: Settings) -> DoctorRow:
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / (1 << 30)
    fix = "" if free >= _FREE_GIB else f"Free space, or point OMNI_HOME elsewhere (wanted: {_FREE_GIB:g} GiB)"
    return DoctorRow("disk space", not fix, True, f"{free:.1f} GiB free at {folder}", "environments and runs", fix)


def _database(settings: Settings) -> DoctorRow:
    row = partial(DoctorRow, "database", required=True, needed_for="runs, events, approvals and the audit log")
    try:
        engine = open_database(settings)
    except OmniError as error:
        return row(ok=False, found=error.why.partition("\n")[0], fix=error.fix)
    try:
        return row(ok=True, found=redact_url(settings.database_url), fix="")
    finally:
        engine.dispose()


def _environments(settings: Settings) -> DoctorRow:
    ready = sorted(path.parent.name for path in (settings.home / "envs").glob("*/.complete"))
    row = partial(DoctorRow, "environments", required=False, needed_for="checks and tests; made when first needed")
    if ready or not settings.offline:
        return row(ok=True, found=", ".join(ready) or "none yet", fix="")
    return row(ok=False, found="none yet, and Omni is told to stay offline", fix="OMNI_OFFLINE=false omni setup")
