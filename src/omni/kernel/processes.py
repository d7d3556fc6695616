"""Running trusted tools: never a shell, never longer than allowed, nothing left behind.

Foreign code does not belong here; `omni.sandbox` is its only door.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Literal

from omni.kernel.errors import Exit, OmniError, declare

NOT_FOUND = declare("K030", "A program can't be started", Exit.INCOMPLETE, "Type: omni doctor")

_GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
_DRAIN = 0.5
"""Seconds to wait for output from something that left the group and still holds the pipe."""
_TICK = 0.02
_INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


@dataclass(frozen=True)
class Completed:
    """What a command did. Output is UTF-8; bytes that are not show as U+FFFD."""

    exit_code: int | None
    """None when it did not exit by itself."""
    ended: Literal["exited", "timeout", "signal"]
    stdout: str
    stderr: str
    truncated: bool
    """Output was longer than allowed; its middle is cut out."""
    seconds: float
    cpu_seconds: float
    """Of the command and of the children that it waited for."""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


def clean_env(**extra: str) -> dict[str, str]:
    """The few variables that tools need from this process, and `extra`. Secrets in the environment stay behind."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | extra


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float,
    stdin: bytes = b"",
    output_limit: int = 16 << 20,
    pass_fds: Sequence[int] = (),
) -> Completed:
    """Run a command and return what it did, whatever its exit code.

    `env` defaults to `clean_env()`; `timeout` is in seconds; `output_limit` is in bytes, for stdout and for stderr
    each, of which the first and the last half are kept; `pass_fds` stay open in the command. The command gets a session
    of its own; when it ends, runs out of time, or this process is interrupted, everything in that session's group is
    killed.
    Raises OmniError when the program is not there or `cwd` is no folder.
    """
    variables = clean_env() if env is None else dict(env)
    command = [*_leash(), _find(argv[0], variables, cwd), *argv[1:]]
    started = time.monotonic()
    try:
        process = subprocess.Popen(  # its parts are read, waited for and closed below
            command,
            cwd=cwd,
            env=variables,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    except OSError as error:
        raise OmniError(NOT_FOUND, f"{argv[0]}: {error.strerror}", where=str(cwd or Path.cwd())) from error
    return _Watch(process, started + timeout, output_limit).until_over(started, stdin)


@dataclass
class _Kept:
    """The first and the last half of a stream."""

    limit: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    cut: int = 0

    def add(self, data: bytes) -> None:
        room = self.limit // 2 - len(self.head)
        if room > 0:
            self.head += data[:room]
            data = data[room:]
        self.tail += data
        excess = len(self.tail) - self.limit // 2
        if excess > 0:
            del self.tail[:excess]
            self.cut += excess

    def text(self) -> str:
        gap = f"\n… {self.cut} bytes cut …\n".encode() if self.cut else b""
        return bytes(self.head + gap + self.tail).decode(errors="replace")


class _Watch:
    """One process and its pipes, until nothing of it is left."""

    def __init__(self, process: subprocess.Popen[bytes], deadline: float, limit: int) -> None:
        self.process = process
        self.deadline = deadline
        self.stdout, self.stderr = _Kept(limit), _Kept(limit)
        self.selector = selectors.DefaultSelector()
        self.timed_out = False

    def until_over(self, started: float, stdin: bytes) -> Completed:
        pipes = [pipe for pipe in (self.process.stdin, self.process.stdout, self.process.stderr) if pipe]
        try:
            self._register(stdin)
            self._pump()
        finally:
            self._kill(signal.SIGKILL)
            _, status, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = code = os.waitstatus_to_exitcode(status)
            self.selector.close()
            for pipe in pipes:
                _close(pipe)
        ended: Literal["exited", "timeout", "signal"] = "exited" if code >= 0 else "signal"
        return Completed(
            exit_code=None if self.timed_out or code < 0 else code,
            ended="timeout" if self.timed_out else ended,
            stdout=self.stdout.text(),
            stderr=self.stderr.text(),
            truncated=bool(self.stdout.cut or self.stderr.cut),
            seconds=time.monotonic() - started,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
        )

    def _register(self, stdin: bytes) -> None:
        for pipe, kept in ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr)):
            assert pipe is not None  # noqa: S101 - both were asked for
            self.selector.register(pipe, selectors.EVENT_READ, kept)
        if self.process.stdin:
            os.set_blocking(self.process.stdin.fileno(), False)
            self.selector.register(self.process.stdin, selectors.EVENT_WRITE, bytearray(stdin))

    def _pump(self) -> None:
        """Move bytes until the command is over and its pipes are dry, or out of time."""
        drained_by: float | None = None
        while True:
            now = time.monotonic()
            if drained_by is None and self._exited():
                self._kill(signal.SIGKILL)  # what it left running in its group
                drained_by = now + _DRAIN
            if drained_by is not None and (not self.selector.get_map() or now >= drained_by):
                return
            if drained_by is None and now >= self.deadline:
                if self.timed_out:
                    return
                self._kill(signal.SIGTERM)
                self.timed_out, self.deadline = True, now + _GRACE
            if self.selector.get_map():
                for key, _ in self.selector.select(_TICK):
                    self._move(key)
            else:
                time.sleep(_TICK / 4)

    def _move(self, key: selectors.SelectorKey) -> None:
        if isinstance(key.data, _Kept):
            data = os.read(key.fd, 1 << 16)
            key.data.add(data)
            if data:
                return
        else:
            try:
                del key.data[: os.write(key.fd, key.data[: 1 << 16])]
            except BrokenPipeError:  # it does not want to read the rest
                key.data.clear()
            if key.data:
                return
        self.selector.unregister(key.fileobj)
        if not isinstance(key.fileobj, int) and key.fileobj is self.process.stdin:
            _close(self.process.stdin)

    def _exited(self) -> bool:
        """Whether it is over; it is not reaped, so that its group's number can't be taken by another."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _kill(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):  # gone already
            return


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


def _find(name: str, env: Mapping[str, str], cwd: Path | None) -> str:
    """The program's full path, so that a missing one is one clear error."""
    base = name if "/" not in name or cwd is None else os.path.join(cwd, name)  # noqa: PTH118 - keeps an absolute one
    found = shutil.which(base, path=env.get("PATH", os.defpath))
    if found is None:
        raise OmniError(NOT_FOUND, f"{name} is not there, or may not be executed", where=env.get("PATH", os.defpath))
    return str(Path(found).absolute())


@cache
def _leash() -> tuple[str, ...]:
    """Linux kills the command when this process dies, also by `kill -9` (prctl(2), PR_SET_PDEATHSIG)."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
