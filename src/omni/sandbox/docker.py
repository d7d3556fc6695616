"""The driver for machines with a container engine and no bubblewrap: the same view of the host, hardened flags."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import select
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
from omni.sandbox import endpoint, engine, mounts, seccomp
from omni.sandbox.engine import LABEL, Engine
from omni.sandbox.guest import ENVIRONMENT, NOBODY, START, Guest, await_gate, gated
from omni.sandbox.job import Job, JobResult, Mount, Probe
from omni.sandbox.service import RelayedService, dialled
from omni.sandbox.supervise import Ended

CONTROL = "/run/omni-control"


class Docker:
    """Runs each job in a container of its own."""

    name = "docker"

    def probe(self) -> Probe:
        """Ask the engine; then make an empty sandbox with it."""
        try:
            with tempfile.TemporaryDirectory() as empty:
                self.run(Job(("true",), Path(empty)))
        except OmniError as error:
            return Probe(self.name, None, (f"{error.why.rstrip('.?')}. {error.fix}",))
        return Probe(self.name, "full")

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:  # noqa: ARG002 - isolation is full for all
        """Run the command to its end. Raises OmniError when the engine can't make a container."""
        host = with_image(engine.find())
        if not job.endpoints:
            return Guest(job, lambda: container(host, job), "full").result()
        with calls() as (listener, mount):
            started = endpoint.listening(replace(job, mounts=(*job.mounts, mount)), CONTROL)
            guest = Guest(started, lambda: container(host, started), "full")
            return endpoint.result(guest, lambda: listener.accept()[0], job.endpoints)

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> RelayedService:  # noqa: ARG002
        """Start a command that listens on 127.0.0.1:`port` inside. Needs a `python3` on the job's PATH."""
        host = with_image(engine.find())
        with calls() as (listener, mount):
            started = dialled(replace(job, mounts=(*job.mounts, mount)), port, CONTROL)
            guest = Guest(started, lambda: container(host, started), "full")
            guest.wait_until_started()
            control, _ = listener.accept()
            return RelayedService(guest, control)


@contextmanager
def calls() -> Iterator[tuple[socket.socket, Mount]]:
    """A Unix socket on which the guest's first process calls us, and the mount that shows it inside at `CONTROL`."""
    with tempfile.TemporaryDirectory(prefix="omni-control-") as folder, socket.socket(socket.AF_UNIX) as listener:
        Path(folder).chmod(0o755)
        place = Path(folder, "socket")
        listener.bind(str(place))
        place.chmod(0o666)
        listener.listen(1)
        listener.settimeout(START)
        yield listener, Mount(place, CONTROL)


def arguments(host: Engine, job: Job, name: str, profile: Path, env: Sequence[str]) -> list[str]:
    """The whole command line of one container. `env` are the options that give it its environment."""
    limits, user = job.limits, os.geteuid() or NOBODY
    memory, disk = f"{limits.memory}m", f"size={limits.disk}m,nosuid,nodev,exec,mode=1777"
    argv = [str(host.program), "run", "--interactive", "--init", "--pull", "never", "--name", name, "--label", LABEL]
    argv += ["--network", "none", "--ipc", "private", "--cgroupns", "private"]
    argv += ["--hostname", "omni", "--user", f"{user}:{user}"]
    argv += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    argv += ["--security-opt", f"seccomp={profile}"]
    # The gate sets its own afterwards; what Podman takes for a default can be more than is allowed here.
    argv += ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    argv += ["--memory", memory, "--memory-swap", memory, "--pids-limit", str(limits.processes + 2)]
    argv += ["--cpu-shares", str(1024 * (os.cpu_count() or 1)), "--log-driver", "none", "--shm-size", f"{limits.disk}m"]
    argv += ["--tmpfs", f"/work:{disk}", "--tmpfs", f"/tmp:{disk}"]  # noqa: S108
    for mount in _visible(job.mounts):
        argv += ["--mount", f"type=bind,source={mount.source},target={mount.target or mount.source},readonly"]
    return [*argv, *host.plain(), *env, "--workdir", "/work", image_name(), *gated(job)]


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
    engine: Engine
    name: str
    init_fd: int

    def excess(self) -> Ended | None:
        """The engine tells afterwards; its kernel ends what is over the cap."""
        if self.process.poll() is None:
            return None
        killed = self.engine.ask("inspect", "--format", "{{.State.OOMKilled}}", self.name)
        return "memory" if killed == "true" else None

    def terminate(self) -> None:
        self.engine.ask("kill", "--signal", "TERM", self.name)

    def kill(self) -> None:
        """The container's pid 1 counts as dead when all of its processes are."""
        with suppress(OmniError):  # it has ended by itself
            self.engine.ask("kill", "--signal", "KILL", self.name)
        select.select([self.init_fd], [], [], START)


@contextmanager
def container(host: Engine, job: Job, name: str = "") -> Iterator[Container]:
    """An empty container whose command waits for the line "go". Raises OmniError when the engine can't make it."""
    name = name or engine.new_name()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="omni-container-")))
        profile = folder / "seccomp.json"
        profile.write_text(seccomp_profile())
        options = stack.enter_context(engine.environment(ENVIRONMENT | dict(job.env)))
        argv = arguments(host, job, name, profile, options)
        process = stack.enter_context(_start(argv, folder))
        stack.callback(host.remove, name)
        await_gate(process)
        init = int(host.ask("inspect", "--format", "{{.State.Pid}}", name))
        init_fd = os.pidfd_open(init)
        stack.callback(os.close, init_fd)
        work = os.open(f"/proc/{init}/root/work", os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, work)
        yield Container(process, work, host, name, init_fd)


def _start(argv: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """In a folder of its own: Podman leaves a file there when a container exceeds its memory."""
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, bufsize=0, start_new_session=True)


def with_image(host: Engine) -> Engine:
    """The engine, with our image in it. Raises OmniError."""
    if not host.has(image_name()):
        host.ask("import", "-", image_name(), stdin=_image())
    return host


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
        for name, mode in (("etc", 0o755), ("work", 0o1777)):  # what is mounted on a folder gets its mode
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        for name, text in mounts.ETC.items():
            file = tarfile.TarInfo(name[1:])
            file.size, file.mode = len(text), 0o444
            tar.addfile(file, io.BytesIO(text))
    return archive.getvalue()
