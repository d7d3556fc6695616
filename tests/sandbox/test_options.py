"""What bubblewrap and Docker are told, whole: each word is a wall."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox import bubblewrap, docker, guest, mounts
from omni.sandbox.bubblewrap import Pipes, options
from omni.sandbox.engine import Engine
from omni.sandbox.errors import NOT_STARTED
from omni.sandbox.job import Job, Limits, Mount

JOB = Job(
    ("work", "--hard"),
    Path("/workspace"),
    {"LANG": "de", "KEY": "v"},
    limits=Limits(wall=10, memory=300, disk=20, processes=30),
)
GIVEN = (Mount(Path("/data")), Mount(Path("/data/file"), "/there"))


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small system in place of this machine's."""
    (tmp_path / "usr").mkdir()
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "time").write_text("")
    (tmp_path / "zone").symlink_to(tmp_path / "time")
    monkeypatch.setattr(mounts, "SYSTEM", tuple(str(tmp_path / name) for name in ("usr", "lib", "none")))
    monkeypatch.setattr(mounts, "SYSTEM_FILES", tuple(str(tmp_path / name) for name in ("zone", "none")))
    return tmp_path


def test_bubblewrap_is_told_every_wall(system: Path) -> None:
    pipes = Pipes(3, 4, 5, ((6, "/etc/passwd"), (7, "/etc/hosts")), (8,))
    told = f"""
        --unshare-all --unshare-user --disable-userns --die-with-parent --new-session
        --uid 1000 --gid 1000 --hostname omni --cap-drop ALL --clearenv
        --seccomp 3 --info-fd 4 --block-fd 5
        --ro-bind {system}/usr {system}/usr
        --symlink usr/lib {system}/lib
        --ro-bind-try {system}/zone {system}/zone
        --ro-bind-try {system}/none {system}/none
        --perms 0444 --ro-bind-data 6 /etc/passwd
        --perms 0444 --ro-bind-data 7 /etc/hosts
        --proc /proc --ro-bind /proc/sys /proc/sys
        --dev /dev --size 20971520 --perms 1777 --tmpfs /dev/shm --remount-ro /dev
        --size 20971520 --tmpfs /work --size 20971520 --perms 1777 --tmpfs /tmp
        --ro-bind /data /data --ro-bind /data/file /there
        --remount-ro / --chdir /work
        --setenv PATH /usr/local/bin:/usr/bin:/bin --setenv HOME /tmp --setenv LANG de --setenv TZ UTC --setenv KEY v
    """
    assert options(JOB, GIVEN, pipes) == told.split()
    assert pipes.all() == (3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(("uid", "user"), [(0, "65534:65534"), (1000, "1000:1000")])
def test_docker_is_told_every_wall(system: Path, uid: int, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    told = f"""
        /bin/docker run --interactive --init --pull never --name omni-1 --label omni-sandbox
        --network none --ipc private --cgroupns private --hostname omni --user {user}
        --read-only --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=/profile.json
        --ulimit nofile=4096:4096 --ulimit nproc=4096:4096
        --memory 300m --memory-swap 300m --pids-limit 32 --cpu-shares 3072 --log-driver none --shm-size 20m
        --tmpfs /work:size=20m,nosuid,nodev,exec,mode=1777
        --tmpfs /tmp:size=20m,nosuid,nodev,exec,mode=1777
        --mount type=bind,source={system}/usr,target={system}/usr,readonly
        --mount type=bind,source={system}/time,target={system}/zone,readonly
        --mount type=bind,source=/data,target=/data,readonly
        --mount type=bind,source=/data/file,target=/there,readonly
        --env-file /variables --workdir /work {docker.image_name()}
    """
    job = Job(**(vars(JOB) | {"mounts": GIVEN}))
    env = ("--env-file", "/variables")
    argv = docker.arguments(Engine(Path("/bin/docker")), job, "omni-1", Path("/profile.json"), env)
    at = argv.index("/bin/sh")
    assert argv[:at] == told.split()
    assert tuple(argv[at:]) == guest.gated(JOB)


def test_the_gate_sets_the_caps_and_waits_for_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    script = """ulimit -c 0; ulimit -n 4096; ulimit -f 40960; ulimit -t 36
ulimit -u 32 2>/dev/null || ulimit -p 32
echo 'omni: ready'; read -r word && [ "$word" = go ] || exit 125
exec "$@"
"""
    half = Job(("work", "--hard"), Path(), limits=Limits(wall=10.1, disk=20, processes=30))
    assert guest.gated(half) == ("/bin/sh", "-c", script, "omni", "work", "--hard")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert "ulimit -t 16\n" in guest.gated(half)[2]


def _said(script: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(["sh", "-c", script], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)


def test_the_gate_that_stands_is_left_as_it_is() -> None:
    with _said("echo 'omni: ready'; cat") as process:
        guest.await_gate(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"go\n")
        assert process.stdout.read(3) == b"go\n"
        process.kill()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'no namespaces' >&2", "no namespaces"),
        ("echo no >&2; echo 'omni: readx'", "no"),
        ("echo no >&2; echo 'not omni: ready'", "no"),
        ("printf '\\377' >&2", "\N{REPLACEMENT CHARACTER}"),
        ("exit 0", "no answer within 20 s"),
    ],
)
def test_what_is_said_in_place_of_the_gate_is_the_reason(script: str, why: str) -> None:
    with _said(script) as process, pytest.raises(OmniError) as caught:
        guest.await_gate(process)
    assert (caught.value.kind.code, caught.value.why) == ("SB002", why)


def test_a_sandbox_that_says_nothing_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "START", 0.1)
    with _said("exec sleep 60") as process, pytest.raises(OmniError) as caught:
        guest.await_gate(process)
    assert (process.returncode, caught.value.why) == (-9, "no answer within 0 s")


@pytest.mark.parametrize("info", [b"", b"{}x", b'{"child-pid": "x"}'])
def test_bubblewrap_that_names_no_process_has_not_started(info: bytes) -> None:
    with _said("echo 'no rights' >&2") as process:
        process.wait(10)
        with pytest.raises(OmniError) as caught:
            bubblewrap._init_pid(info, process)
    assert (caught.value.kind.code, caught.value.why) == ("SB002", "no rights")


def test_bubblewrap_names_the_process() -> None:
    with _said("exit 0") as process:
        assert bubblewrap._init_pid(b'{"child-pid": 77, "cgroup-namespace": 1}', process) == 77


DOCKER = "In Docker, start the container with"
SYSCTL = "On the machine itself: `sysctl -w user.max_user_namespaces=15000`"


@pytest.mark.parametrize(
    ("said", "advised"),
    [
        ("bwrap: No permissions to create new namespace", SYSCTL),
        ("bwrap: setting up uid map: Permission denied.", "apparmor_restrict_unprivileged_userns=0"),
        ("bwrap: loopback: Failed RTM_NEWADDR", "apparmor_restrict_unprivileged_userns=0"),
        ("bwrap: Can't mount proc on /newroot/proc", f"/proc is masked, as Docker does. {DOCKER}"),
        ("bwrap: pivot_root: Operation not permitted", f"The container forbids pivot_root. {DOCKER}"),
        ("something else", NOT_STARTED.fix),
    ],
)
def test_the_advice_repeats_what_was_said_and_says_what_to_type(said: str, advised: str) -> None:
    advice = bubblewrap.advice(OmniError(NOT_STARTED, said))
    assert advice.startswith(f"{said.rstrip('.')}. ")
    assert advised in advice
