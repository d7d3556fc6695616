"""Each row of the doctor, on machines that have this and lack that: programs of the test in place of the real ones."""

from __future__ import annotations

import os
import shutil
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel import doctor
from omni.kernel.doctor import DoctorRow
from omni.kernel.settings import Settings

Put = Callable[[str, str], None]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a program on the path, where there is nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def program(name: str, body: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)

    return program


def settings(tmp_path: Path, **given: object) -> Settings:
    return Settings.model_validate({"home": tmp_path / "home", "database_url": "sqlite://"} | given)


def test_a_program_that_is_there(put: Put) -> None:
    put("git", "echo git version 2.39; echo more")
    row = doctor._program("git", ("--version",), "packages", "apt-get install -y git", required=True)
    assert row == DoctorRow("git", True, True, "git version 2.39", "packages", "")


@pytest.mark.parametrize(
    ("body", "found"),
    [("echo broken >&2; exit 1", "broken"), ("exit 1", "ended by exited"), ("kill -9 $$", "ended by signal")],
)
def test_a_program_that_does_not_work(put: Put, body: str, found: str) -> None:
    put("git", body)
    assert doctor._program("git", (), "packages", "Type this.") == DoctorRow(
        "git", False, False, found, "packages", "Type this."
    )


def test_a_program_that_is_missing(put: Put) -> None:
    row = doctor._program("git", (), "packages", "Type this.")
    assert row == DoctorRow("git", False, False, "not there", "packages", "Type this.")


Version = namedtuple("Version", "major minor micro level serial")


@pytest.mark.parametrize(("minor", "ok"), [(10, False), (11, True), (12, True)])
def test_python(monkeypatch: pytest.MonkeyPatch, minor: int, ok: bool) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, minor, 4, "final", 0))
    fix = "" if ok else "apt-get install -y python3.11 python3.11-venv"
    found = f"3.{minor}.4 at {sys.executable}"
    assert doctor._python() == DoctorRow("Python", ok, True, found, "Omni itself (3.11 or newer)", fix)


def test_exactly_python_3_11_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11))
    assert doctor._python().ok


def test_uv_beside_the_interpreter_or_on_the_path(tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "own/python"))
    row = doctor._uv()
    assert (row.name, row.ok, row.required, row.fix) == ("uv", False, True, f"{tmp_path}/own/python -m pip install uv")
    put("uv", "echo uv on the path")
    assert doctor._uv().found == "uv on the path"
    (tmp_path / "own").mkdir()
    shutil.copy(tmp_path / "bin/uv", tmp_path / "own/uv")
    (tmp_path / "own/uv").write_text("#!/bin/sh\necho uv beside\n")
    assert doctor._uv().found == "uv beside"


def test_git_is_required_and_bubblewrap_is_not(tmp_path: Path, put: Put) -> None:
    rows = {row.name: row.required for row in doctor.examine(settings(tmp_path))}
    assert (rows["git"], rows["uv"], rows["bwrap"], rows["node"], rows["docker"]) == (True, True, False, False, False)


def test_docker_or_podman(put: Put) -> None:
    put("docker", "echo 'no daemon' >&2; exit 1")
    row = doctor._docker()
    assert (row.name, row.ok, row.found, row.fix[:8]) == ("docker", False, "no daemon", "apt-get ")
    put("podman", "echo 4.3.1")
    row = doctor._docker()
    assert (row.name, row.ok, row.found, row.fix) == ("docker", True, "Podman 4.3.1", "")
    put("docker", "echo 28.0")
    assert doctor._docker().found == "28.0"


@pytest.mark.parametrize(("euid", "dropped"), [(0, True), (1000, False)])
def test_namespaces(tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch, euid: int, dropped: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    log = tmp_path / "log"
    put("bwrap", f'echo "bwrap $*" >> {log}')
    put("setpriv", f'echo "setpriv $1 $2 $3 $4" >> {log}; shift 4; exec "$@"')
    row = doctor._namespaces()
    assert (row.ok, row.required, row.found, row.fix) == (True, False, "work for an unprivileged user", "")
    attempt = "bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev true"
    drop = ["setpriv --reuid=65534 --regid=65534 --clear-groups --"] if dropped else []
    assert log.read_text().splitlines() == [*drop, attempt]


def test_namespaces_that_are_not_allowed(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(doctor, "_namespace_fix", lambda: "Type this.")
    put("bwrap", "echo 'no permission' >&2; echo more >&2; exit 1")
    row = doctor._namespaces()
    assert (row.ok, row.found, row.fix) == (False, "no permission", "Type this.")


def test_namespaces_without_what_drops_rights(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    put("bwrap", "exit 0")
    assert doctor._namespaces().fix == "apt-get install -y util-linux"


@pytest.mark.parametrize(
    ("there", "fix"),
    [
        (
            {"/.dockerenv": ""},
            "Start the container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined",
        ),
        (
            {"/proc/sys/kernel/unprivileged_userns_clone": "0\n"},
            "sysctl -w kernel.unprivileged_userns_clone=1   (to keep it: in /etc/sysctl.d/omni.conf)",
        ),
        (
            {
                "/proc/sys/kernel/unprivileged_userns_clone": "1\n",
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
            },
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0   (to keep it: in /etc/sysctl.d/omni.conf)",
        ),
        ({"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0"}, "sysctl -w user.max_user_namespaces=10000"),
        ({}, "sysctl -w user.max_user_namespaces=10000"),
    ],
)
def test_what_to_type_about_namespaces(monkeypatch: pytest.MonkeyPatch, there: dict[str, str], fix: str) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: str(path) in there)
    monkeypatch.setattr(Path, "read_text", lambda path: there[str(path)])
    assert doctor._namespace_fix() == fix


@pytest.mark.parametrize(
    ("unified", "folders", "writable", "found"),
    [
        (True, {"/sys/fs/cgroup/user/a"}, True, "v2, writable"),
        (True, {"/sys/fs/cgroup/user/a"}, False, "v2, not writable"),
        (True, set(), True, "none"),
        (False, {"/sys/fs/cgroup/memory"}, True, "v1, writable"),
        (False, set(), False, "none"),
    ],
)
def test_cgroups(monkeypatch: pytest.MonkeyPatch, unified: bool, folders: set[str], writable: bool, found: str) -> None:
    monkeypatch.setattr(Path, "exists", lambda _path: unified)
    monkeypatch.setattr(Path, "read_text", lambda _path: "0::/user/a\n")
    monkeypatch.setattr(Path, "is_dir", lambda path: str(path) in folders)
    monkeypatch.setattr(os, "access", lambda _path, mode: writable and mode == os.W_OK)
    row = doctor._cgroups()
    ok = found.endswith(", writable")
    fix = "" if ok else "Run Omni as root, or with: systemd-run --user --scope -p Delegate=yes omni …"
    assert (row.ok, row.required, row.found, row.fix) == (ok, False, found, fix)


def test_a_browser_on_the_path_or_of_playwright(tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert doctor._chromium().found == "not there"
    cached = tmp_path / ".cache/ms-playwright/chromium-1/chrome-linux/chrome"
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert doctor._chromium() == DoctorRow(
        "Chromium", True, False, str(cached), "screenshots and tests in a real browser", ""
    )
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "elsewhere"))
    assert not doctor._chromium().ok
    put("google-chrome", "")
    assert doctor._chromium().found == str(tmp_path / "bin/google-chrome")


@pytest.mark.parametrize(
    ("body", "ok"), [("echo v20.0.0", True), ("echo v19.9.9", False), ("echo 22", False), ("echo v22; exit 1", False)]
)
def test_node(put: Put, body: str, ok: bool) -> None:
    put("node", body)
    row = doctor._node()
    assert (row.ok, row.required, bool(row.fix)) == (ok, False, not ok)


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(0, 0, 3 << 30))
    row = doctor._disk(settings(tmp_path))
    assert (row.ok, row.required, row.found) == (True, True, f"3.0 GiB free at {tmp_path}")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(0, 0, (3 << 30) - 1))
    row = doctor._disk(settings(tmp_path))
    assert (row.ok, row.fix) == (False, "Free space, or point OMNI_HOME elsewhere (wanted: 3 GiB)")


def test_environments(tmp_path: Path) -> None:
    online, offline = settings(tmp_path), settings(tmp_path, offline=True)
    assert doctor._environments(online).found == "none yet"
    assert not doctor._environments(offline).ok
    for name in ("b-1", "a-1", "half"):
        (tmp_path / "home/envs" / name).mkdir(parents=True)
    for name in ("b-1", "a-1"):
        (tmp_path / "home/envs" / name / ".complete").touch()
    row = doctor._environments(offline)
    assert (row.ok, row.required, row.found, row.fix) == (True, False, "a-1, b-1", "")


def test_a_database_that_opens(tmp_path: Path) -> None:
    row = doctor._database(settings(tmp_path, database_url=f"sqlite:///{tmp_path}/omni.db"))
    assert (row.ok, row.required, row.found, row.fix) == (True, True, f"sqlite:///{tmp_path}/omni.db", "")
