"""The driver for machines with a Docker engine and no bubblewrap: the same view of the host, hardened flags."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import select
import shutil
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.kernel.ids import uuid7
from omni.sandbox import cgroup, endpoint, mounts, seccomp
from omni.sandbox.errors import UNAVAILABLE
from omni.sandbox.guest import ENVIRONMENT, NOBODY, START, Guest, await_gate, gated
from omni.sandbox.job import Job, JobResult, Mount, Probe
from omni.sandbox.service import RelayedService, dialled
from omni.sandbox.supervise import Ended

LABEL = "omni-sandbox"
_CONTROL = "/run/omni-control"


class Docker:
    """Runs each job in a container of its own."""

    name = "docker"

    def probe(self) -> Probe:
        """Ask the engine; then make an empty sandbox with it."""
        try:
            with tempfile.TemporaryDirectory() as empty:
                self.run(Job(("true",), Path(empty)))
        except OmniError as error:
            return Probe(self.name, None, (f"{error.why.rstrip('.')}. {error.fix}",))
        return Probe(self.name, "full")

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:  # noqa: ARG002 - isolation is full for all
        """Run the command to its end. Raises OmniError when the engine can't make a container."""
        program = _program()
        if not job.endpoint:
            return Guest(job, lambda: container(program, job), "full").result()
        with _control() as (listener, mount):
            started = endpoint.listening(replace(job, mounts=(*job.mounts, mount)), _CONTROL)
            guest = Guest(started, lambda: container(program, started), "full")
            return endpoint.result(guest, lambda: listener.accept()[0], job.endpoint)

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> RelayedService:  # noqa: ARG002
        """Start a command that listens on 127.0.0.1:`port` inside. Needs a `python3` on the job's PATH."""
        program = _program()
        with _control() as (listener, mount):
            started = dialled(replace(job, mounts=(*job.mounts, mount)), port, _CONTROL)
            guest = Guest(started, lambda: container(program, started), "full")
            guest.wait_until_started()
            control, _ = listener.accept()
            return RelayedService(guest, control)


@contextmanager
def _control() -> Iterator[tuple[socket.socket, Mount]]:
    """A Unix socket on which the guest's first process calls us, and the mount that shows it inside at `_CONTROL`."""
    with tempfile.TemporaryDirectory(prefix="omni-control-") as folder, socket.socket(socket.AF_UNIX) as listener:
        Path(folder).chmod(0o755)
        place = Path(folder, "socket")
        listener.bind(str(place))
        place.chmod(0o666)
        listener.listen(1)
        listener.settimeout(START)
        yield listener, Mount(place, _CONTROL)


def arguments(docker: Path, job: Job, name: str, profile: Path) -> list[str]:
    """The whole command line of one container."""
    limits, user = job.limits, os.geteuid() or NOBODY
    memory, disk = f"{limits.memory}m", f"size={limits.disk}m,nosuid,nodev,exec"
    argv = [str(docker), "run", "--interactive", "--init", "--pull", "never", "--name", name]
    argv += ["--label", f"{LABEL}={cgroup.owner()}"]
    argv += ["--network", "none", "--ipc", "private", "--cgroupns", "private"]
    argv += ["--hostname", "omni", "--user", f"{user}:{user}"]
    argv += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    argv += ["--security-opt", f"seccomp={profile}"]
    argv += ["--memory", memory, "--memory-swap", memory, "--pids-limit", str(limits.processes + 2)]
    argv += ["--cpu-shares", str(1024 * (os.cpu_count() or 1)), "--log-driver", "none", "--shm-size", f"{limits.disk}m"]
    argv += ["--tmpfs", f"/work:{disk},mode=755,uid={user},gid={user}", "--tmpfs", f"/tmp:{disk},mode=1777"]  # noqa: S108
    for mount in _visible(job.mounts):
        argv += ["--mount", f"type=bind,source={mount.source},target={mount.target or mount.source},readonly"]
    for key, value in (ENVIRONMENT | dict(job.env)).items():
        argv += ["--env", f"{key}={value}"]
    return [*argv, "--workdir", "/work", image_name(), *gated(job)]


def _visible(given: Sequence[Mount]) -> Iterator[Mount]:
    for name in mounts.SYSTEM:
        if Path(name).is_dir() and not Path(name).is_symlink():
            yield Mount(Path(name))
    for name in mounts.SYSTEM_FILES:
        if Path(name).exists():
            yield Mount(Path(name).resolve(), name)
    yield from given


def seccomp_profile() -> str:
    """The rules of `seccomp.py` in Docker's format (docs.docker.com, "Seccomp security profiles for Docker")."""
    flags = [1 << bit for bit in range(32) if seccomp.NAMESPACES >> bit & 1]
    families = [family for family in range(64) if family not in seccomp.FAMILIES]
    rules = [
        _refuse(sorted(seccomp.DENIED), errno.EPERM),
        _refuse(["clone3"], errno.ENOSYS),
        # "Masked equal" asks whether set bits are all there, so each flag has its rule.
        *(_refuse(["clone"], errno.EPERM, (0, flag, "SCMP_CMP_MASKED_EQ")) for flag in flags),
        *(_refuse(["ioctl"], errno.EPERM, (1, request, "SCMP_CMP_EQ")) for request in seccomp.TERMINAL_INPUT),
        *(_refuse(["socket"], errno.EAFNOSUPPORT, (0, family, "SCMP_CMP_EQ")) for family in families),
    ]
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules})


def _refuse(names: list[str], number: int, when: tuple[int, int, str] | None = None) -> dict[str, object]:
    rule: dict[str, object] = {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": number}
    if when:
        index, value, comparison = when
        rule["args"] = [{"index": index, "value": value, "valueTwo": value, "op": comparison}]
    return rule


@dataclass(frozen=True)
class Container:
    """A container that stands behind the gate, seen from outside."""

    process: subprocess.Popen[bytes]
    """The command-line client, which carries the streams and the exit status."""
    work: int
    docker: Path
    name: str
    init_fd: int

    def excess(self) -> Ended | None:
        """The engine tells afterwards; its kernel ends what is over the cap."""
        if self.process.poll() is None:
            return None
        return (
            "memory" if _ask(self.docker, "inspect", "--format", "{{.State.OOMKilled}}", self.name) == "true" else None
        )

    def terminate(self) -> None:
        _ask(self.docker, "kill", "--signal", "TERM", self.name)

    def kill(self) -> None:
        """The container's pid 1 counts as dead when all of its processes are."""
        with suppress(OmniError):  # it has ended by itself
            _ask(self.docker, "kill", "--signal", "KILL", self.name)
        select.select([self.init_fd], [], [], START)


@contextmanager
def container(docker: Path, job: Job) -> Iterator[Container]:
    """An empty container whose command waits for the line "go". Raises OmniError when the engine can't make it."""
    name = f"omni-{uuid7()}"
    with ExitStack() as stack:
        profile = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="omni-seccomp-", suffix=".json"))
        profile.write(seccomp_profile())
        profile.flush()
        process = stack.enter_context(_start(arguments(docker, job, name, Path(profile.name))))
        stack.callback(_remove, docker, name)
        await_gate(process)
        init = int(_ask(docker, "inspect", "--format", "{{.State.Pid}}", name))
        init_fd = os.pidfd_open(init)
        stack.callback(os.close, init_fd)
        work = os.open(f"/proc/{init}/root/work", os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, work)
        yield Container(process, work, docker, name, init_fd)


def _start(argv: list[str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True)


def _program() -> Path:
    """The client, with an engine that answers, our image in it, and no containers of dead Omni processes."""
    if not (found := shutil.which("docker")):
        raise OmniError(
            UNAVAILABLE, "the `docker` command is not installed", fix="Install Docker Engine 20.10 or newer."
        )
    docker = Path(found)
    _ask(docker, "version", "--format", "{{.Server.Version}}")
    for line in _ask(
        docker, "ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}} {{.Labels}}"
    ).splitlines():
        name, _, labels = line.partition(" ")
        if not any(cgroup.lives(label.removeprefix(f"{LABEL}=")) for label in labels.split(",")):
            _remove(docker, name)
    if not _ask(docker, "images", "--quiet", image_name()):
        _ask(docker, "import", "-", image_name(), stdin=_image())
    return docker


def image_name() -> str:
    return f"omni-sandbox:{hashlib.sha256(_image()).hexdigest()[:12]}"


@cache
def _image() -> bytes:
    """An image without programs, as a tar archive: the links of the host's root, and the small files of /etc. The
    host's /usr is mounted into it, so that both drivers show a guest the same system.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in mounts.SYSTEM:
            if Path(name).is_symlink() and name != "/sbin":  # the engine puts its own init there
                link = tarfile.TarInfo(name[1:])
                link.type, link.linkname = tarfile.SYMTYPE, str(Path(name).readlink())
                tar.addfile(link)
        folder = tarfile.TarInfo("etc")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for name, text in mounts.ETC.items():
            file = tarfile.TarInfo(name[1:])
            file.size, file.mode = len(text), 0o444
            tar.addfile(file, io.BytesIO(text))
    return archive.getvalue()


def _remove(docker: Path, name: str) -> None:
    with suppress(OmniError):
        _ask(docker, "rm", "--force", name)


def _ask(docker: Path, *argv: str, stdin: bytes = b"") -> str:
    """One question to the engine. Raises OmniError with its answer when it refuses, and when it does not answer."""
    try:
        done = subprocess.run([docker, *argv], input=stdin, capture_output=True, timeout=60, check=True)
    except subprocess.TimeoutExpired as error:
        raise OmniError(UNAVAILABLE, "the Docker engine does not answer") from error
    except subprocess.CalledProcessError as error:
        fix = "Start the engine (`systemctl start docker`) and join the group `docker`."
        raise OmniError(UNAVAILABLE, error.stderr.decode(errors="replace").strip(), fix=fix) from error
    return done.stdout.decode().strip()
