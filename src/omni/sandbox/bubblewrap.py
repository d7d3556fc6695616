"""The driver that isolates fully: bubblewrap, started as an unprivileged user with everything unshared."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.sandbox import cgroup, endpoint, linux, mounts, seccomp
from omni.sandbox.errors import NOT_STARTED, UNAVAILABLE
from omni.sandbox.guest import ENVIRONMENT, NOBODY, START, Guest, await_gate, gated, not_started
from omni.sandbox.job import Job, JobResult, Limits, Mount, Probe
from omni.sandbox.service import RelayedService, dialled
from omni.sandbox.supervise import Ended
from omni.sandbox.watchdog import Watchdog

INSIDE = "1000"
"""The uid and gid that a guest sees itself as."""
INSTALL = "Install bubblewrap: `apt install bubblewrap` (Debian, Ubuntu), `dnf install bubblewrap` (Fedora)."


class Bubblewrap:
    """Runs jobs in bubblewrap, all of them fully isolated."""

    name = "bubblewrap"

    def probe(self) -> Probe:
        """Make an empty sandbox. What it says when that fails is turned into what to type."""
        with tempfile.TemporaryDirectory() as empty:
            try:
                self.run(Job(("true",), Path(empty), limits=Limits(wall=START)))
            except OmniError as error:
                return Probe(self.name, None, (advice(error),))
        return Probe(self.name, "full", () if cgroup.available() else (NO_CGROUP,))

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:  # noqa: ARG002 - isolation is full for all
        """Run the command to its end. Raises OmniError when the sandbox can't be had."""
        program = _program()
        if not job.endpoints:
            return Guest(job, lambda: sandbox(program, job), "full").result()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            started = endpoint.listening(job, str(theirs.fileno()))
            guest = Guest(started, lambda: sandbox(program, started, (theirs.fileno(),)), "full")

            def control() -> socket.socket:
                theirs.close()  # the guest has its copy; when that is closed too, its silence is seen
                return ours

            return endpoint.result(guest, control, job.endpoints)

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> RelayedService:  # noqa: ARG002
        """Start a command that listens on 127.0.0.1:`port` inside; `limits.wall` is its longest life.

        Needs a `python3` on the job's PATH. Raises OmniError when the sandbox can't be had.
        """
        program = _program()
        ours, theirs = socket.socketpair()
        with theirs:
            started = dialled(job, port, str(theirs.fileno()))
            guest = Guest(started, lambda: sandbox(program, started, (theirs.fileno(),)), "full")
            return RelayedService(guest, ours)


def _program() -> Path:
    if found := shutil.which("bwrap"):
        return Path(found)
    raise OmniError(UNAVAILABLE, "bubblewrap is not installed", fix=INSTALL)


@dataclass(frozen=True)
class Pipes:
    """Descriptors that bubblewrap inherits."""

    seccomp: int
    info: int
    block: int
    etc: tuple[tuple[int, str], ...]
    passed: tuple[int, ...] = ()
    """For the command itself."""

    def all(self) -> tuple[int, ...]:
        return (self.seccomp, self.info, self.block, *(fd for fd, _ in self.etc), *self.passed)


def options(job: Job, given: Sequence[Mount], pipes: Pipes) -> list[str]:
    """What bubblewrap is told. Nothing of the host is visible but /usr, a few files of /etc and `given`, read-only."""
    size = str(job.limits.disk << 20)
    argv = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    argv += ["--uid", INSIDE, "--gid", INSIDE, "--hostname", "omni", "--cap-drop", "ALL", "--clearenv"]
    argv += ["--seccomp", str(pipes.seccomp), "--info-fd", str(pipes.info), "--block-fd", str(pipes.block)]
    for name in mounts.SYSTEM:
        path = Path(name)
        if path.is_symlink():
            argv += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            argv += ["--ro-bind", name, name]
    for name in mounts.SYSTEM_FILES:
        argv += ["--ro-bind-try", name, name]
    for fd, name in pipes.etc:
        argv += ["--perms", "0444", "--ro-bind-data", str(fd), name]
    argv += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"]
    argv += ["--dev", "/dev", "--size", size, "--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    argv += ["--size", size, "--tmpfs", "/work", "--size", size, "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108
    for mount in given:
        argv += ["--ro-bind", str(mount.source), mount.target or str(mount.source)]
    argv += ["--remount-ro", "/", "--chdir", "/work"]
    for key, value in (ENVIRONMENT | dict(job.env)).items():
        argv += ["--setenv", key, value]
    return argv


@dataclass(frozen=True)
class Walls:
    """A sandbox that stands, seen from outside."""

    process: subprocess.Popen[bytes]
    init: int
    """Host pid of the sandbox's pid 1."""
    init_fd: int
    work: int
    group: cgroup.Group | None
    watchdog: Watchdog

    def excess(self) -> Ended | None:
        over = self.group.out_of_memory() if self.group else self.watchdog.exceeded()
        return "memory" if over else None

    def terminate(self) -> None:
        """The command is in the process group of pid 1, which itself ignores the signal."""
        with suppress(ProcessLookupError):
            os.killpg(self.init, signal.SIGTERM)

    def kill(self) -> None:
        _end(self.init_fd)


@contextmanager
def sandbox(bwrap: Path, job: Job, passed: tuple[int, ...] = ()) -> Iterator[Walls]:
    """An empty sandbox whose command waits for the line "go". Raises OmniError when bubblewrap can't make it.

    Must run in a thread that outlives the sandbox.
    """
    for mount in job.mounts:
        if not mount.source.exists():
            raise OmniError(NOT_STARTED, f"{mount.source} is to be mounted and is not there")
    given = mounts.stage(job.mounts) if os.geteuid() == 0 and job.mounts else job.mounts
    with ExitStack() as stack:
        info, info_end = _pipe(stack)
        block, block_end = _pipe(stack)
        etc = tuple((_data(stack, text), name) for name, text in mounts.ETC.items())
        pipes = Pipes(_data(stack, seccomp.program()), info_end.fileno(), block.fileno(), etc, passed)
        # Through a file of its own: a job may hold the key of a run, and everybody here can read a command line.
        told = _data(stack, b"".join(os.fsencode(each) + b"\0" for each in options(job, given, pipes)))
        argv = [str(bwrap), "--args", str(told), "--", *gated(job)]
        process = stack.enter_context(_start(argv, (*pipes.all(), told)))
        stack.callback(process.kill)
        info_end.close()
        init = _init_pid(info.read(), process)
        if group := cgroup.create(job.limits):
            stack.callback(group.remove)
            group.add(process.pid)
            group.add(init)
        init_fd = _keep(stack, os.pidfd_open(init))
        stack.callback(_end, init_fd)
        block_end.write(b"1")
        await_gate(process)
        inside = f"/proc/{init}/root"
        with linux.acting_as((NOBODY, NOBODY) if os.geteuid() == 0 else None):
            work, temporary, shared, proc = (
                _keep(stack, os.open(inside + name, os.O_RDONLY | os.O_DIRECTORY))
                for name in ("/work", "/tmp", "/dev/shm", "/proc")  # noqa: S108 - the guest's
            )
        yield Walls(process, init, init_fd, work, group, Watchdog(proc, (work, temporary, shared), job.limits))


def _start(argv: list[str], inherited: tuple[int, ...]) -> subprocess.Popen[bytes]:
    nobody = NOBODY if os.geteuid() == 0 else None
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={},  # the guest can read what its pid 1 was started with
        cwd="/",
        user=nobody,
        group=nobody,
        extra_groups=None if nobody is None else (),
        start_new_session=True,
        pass_fds=inherited,
    )


def _pipe(stack: ExitStack) -> tuple[FileIO, FileIO]:
    reader, writer = os.pipe()
    return stack.enter_context(FileIO(reader, "r")), stack.enter_context(FileIO(writer, "w"))


def _data(stack: ExitStack, data: bytes) -> int:
    """A descriptor from which bubblewrap reads `data`."""
    fd = _keep(stack, os.memfd_create("omni"))
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _keep(stack: ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _end(init_fd: int) -> None:
    """With pid 1 its whole namespace dies, and only when all of it is dead does pid 1 count as dead."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(init_fd, signal.SIGKILL)
    select.select([init_fd], [], [], START)


def _init_pid(info: bytes, process: subprocess.Popen[bytes]) -> int:
    try:
        return int(json.loads(info)["child-pid"])
    except ValueError:
        raise not_started(process) from None


_IN_DOCKER = (
    "In Docker, start the container with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`."
)
_SYSCTL = "On the machine itself: `sysctl -w user.max_user_namespaces=15000`"
_DEBIAN = "on older Debian also `sysctl -w kernel.unprivileged_userns_clone=1`."
_UBUNTU = "On Ubuntu 24.04 and newer: `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`."
_ADVICE = {
    # what bubblewrap says: what to type
    "new namespace": f"User namespaces are not allowed here. {_IN_DOCKER} {_SYSCTL}; {_DEBIAN}",
    "uid map": f"AppArmor forbids user namespaces. {_UBUNTU}",
    "loopback": f"AppArmor takes the rights away inside user namespaces. {_UBUNTU}",
    "proc": f"/proc is masked, as Docker does. {_IN_DOCKER}",
    "pivot_root": f"The container forbids pivot_root. {_IN_DOCKER}",
}
NO_CGROUP = (
    "Omni may not make a cgroup here, so it watches memory and number of processes itself, 20 times a second. "
    "For caps that the kernel keeps, run Omni as root or in a delegated cgroup v2."
)


def advice(error: OmniError) -> str:
    """Why the sandbox can't be had, and what to type."""
    fix = next((fix for said, fix in _ADVICE.items() if said in error.why), error.fix)
    return f"{error.why.rstrip('.')}. {fix}"
