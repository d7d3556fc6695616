"""A server from an image, in a container without a network, that nobody reaches but Omni.

It lives in the network and among the processes of another container, its keeper, which is ours: the keeper's dialer
hands out connections to it. When Omni ends, also by `kill -9`, the dialer ends, with it the keeper, and with that the
kernel ends every process of the two.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.sandbox import engine
from omni.sandbox.docker import CONTROL, calls, container, with_image
from omni.sandbox.engine import LABEL, Engine
from omni.sandbox.errors import NOT_STARTED
from omni.sandbox.guest import Guest
from omni.sandbox.job import Job, Limits
from omni.sandbox.mounts import python_mounts
from omni.sandbox.service import RelayedService, dialled
from omni.sandbox.supervise import Output

RIGHTS = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""What images need that start as root, make their folders, and become another user."""


@dataclass(frozen=True)
class Image:
    name: str
    """With its tag: `postgres:16`. It is on this machine already; nothing is fetched."""
    port: int
    """That it listens on."""
    command: tuple[str, ...] = ()
    """Instead of the image's own."""
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()  # noqa: RUF009 - it is frozen
    """The disk is not limited: the engine has no cap for it."""


@dataclass(frozen=True)
class ImageServer:
    port: int
    """Of the host's loopback, which leads to it."""
    _engine: Engine
    _name: str
    _process: subprocess.Popen[bytes]
    _said: Output

    def alive(self) -> bool:
        return self._process.poll() is None

    def logs(self) -> str:
        return self._said.text()

    def succeeds(self, argv: tuple[str, ...]) -> bool:
        """Whether this command, run beside it, ends with exit code 0."""
        try:
            self._engine.ask("exec", self._name, *argv)
        except OmniError:
            return False
        return True

    def accepts(self) -> bool:
        """Whether it takes connections: one that is not closed within a second."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as attempt:
                return attempt.recv(1) != b""
        except TimeoutError:
            return True
        except OSError:
            return False


@contextmanager
def served(host: Engine, image: Image) -> Iterator[ImageServer]:
    """Started, though perhaps not ready, until the block ends. Raises OmniError when the engine can't start it."""
    name, path = engine.new_name(), f"{sys.prefix}/bin:/usr/bin:/bin"
    with ExitStack() as stack:
        empty = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        listener, mount = stack.enter_context(calls())
        mounts, limits = (*python_mounts(Path(sys.prefix)), mount), Limits(wall=image.limits.wall, memory=256, disk=16)
        keeper = dialled(Job((), empty, {"PATH": path}, mounts, limits), image.port, CONTROL)
        with_image(host)
        guest = Guest(keeper, lambda: container(host, keeper, name), "full")
        guest.wait_until_started()
        stack.callback(guest.result)
        stack.callback(guest.stop, 0)
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            raise OmniError(NOT_STARTED, f"the keeper of {image.name} did not call: {guest.logs()}") from None
        relay = stack.enter_context(RelayedService(guest, connection))
        options = stack.enter_context(engine.environment(image.env))
        own = engine.new_name()
        argv = arguments(host, image, keeper=name, name=own, env=options)
        process = stack.enter_context(_attached(argv, empty))
        stack.callback(host.remove, own)
        said = Output(1 << 20)
        reader = threading.Thread(target=_read, args=(process, said), daemon=True)
        reader.start()
        yield ImageServer(int(relay.url.rpartition(":")[2]), host, own, process, said)


def arguments(host: Engine, image: Image, *, keeper: str, name: str, env: list[str]) -> list[str]:
    """The command line of the image's container."""
    limits = image.limits
    argv = [str(host.program), "run", "--rm", "--pull", "never", "--name", name, "--label", LABEL]
    argv += ["--network", f"container:{keeper}", "--pid", f"container:{keeper}", "--ipc", "private"]
    argv += ["--cap-drop", "ALL", *(part for right in RIGHTS for part in ("--cap-add", right))]
    argv += ["--security-opt", "no-new-privileges", "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
    argv += ["--memory", f"{limits.memory}m", "--memory-swap", f"{limits.memory}m"]
    argv += ["--pids-limit", str(limits.processes), "--cpu-shares", str(1024 * (os.cpu_count() or 1))]
    return [*argv, "--log-driver", "none", *env, "--", image.name, *image.command]


def _attached(argv: list[str], folder: Path) -> subprocess.Popen[bytes]:
    nothing, pipe, both = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen(argv, stdin=nothing, stdout=pipe, stderr=both, cwd=folder, start_new_session=True)


def _read(process: subprocess.Popen[bytes], said: Output) -> None:
    while process.stdout and (data := os.read(process.stdout.fileno(), 1 << 16)):
        said.add(data)
