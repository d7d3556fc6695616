"""Watches one child process: feeds it, keeps the head and the tail of what it says, ends it in time."""

from __future__ import annotations

import os
import selectors
import threading
import time
from dataclasses import dataclass, field
from subprocess import Popen
from typing import Literal, Protocol

from omni.sandbox.job import Limits

TICK = 0.05
"""Seconds between two looks at the caps."""
Ended = Literal["exited", "timeout", "memory", "signal", "refused"]


class Control(Protocol):
    """How to end a job, and whether it must end."""

    def excess(self) -> Ended | None:
        """The cap that has been exceeded, if any."""

    def terminate(self) -> None:
        """Ask the job's processes to end."""

    def kill(self) -> None:
        """End every process of the job; when this returns, none lives."""


@dataclass
class Output:
    """A stream under a cap in bytes: the first and the last half of the cap are kept."""

    cap: int
    _head: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)
    _lost: int = 0

    def add(self, data: bytes) -> None:
        half = self.cap // 2
        room = half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > self.cap:  # cut rarely: each cut moves half of the cap
            self._cut(half)

    def _cut(self, keep: int) -> None:
        self._lost += max(0, len(self._tail) - keep)
        del self._tail[: max(0, len(self._tail) - keep)]

    @property
    def truncated(self) -> bool:
        return self._lost + len(self._tail) > self.cap // 2

    def text(self) -> str:
        """What was kept as UTF-8, bad bytes replaced, with a line that says how much is missing."""
        tail = bytes(self._tail)
        over = max(0, len(tail) - self.cap // 2)
        missing = self._lost + over
        gap = f"\n… {missing} bytes left out …\n".encode() if missing else b""
        return (bytes(self._head) + gap + tail[over:]).decode(errors="replace")


@dataclass(frozen=True)
class Outcome:
    exit_code: int | None
    ended: Ended
    seconds: float


class Supervisor:
    """One child under watch. `run` blocks; `stop` may be called from any thread, once or more."""

    def __init__(
        self, process: Popen[bytes], control: Control, limits: Limits, asked: threading.Event | None = None
    ) -> None:
        self._process, self._control, self._limits, self._asked = process, control, limits, asked
        self.stdout, self.stderr = Output(limits.output << 20), Output(limits.output << 20)
        self._stop, self._grace = os.eventfd(0), 1.0
        self._stopped, self._lock = threading.Event(), threading.Lock()

    def stop(self, grace: float) -> None:
        """Ask the job to end, and kill it `grace` seconds later."""
        with self._lock:
            if self._stop >= 0:
                self._grace = grace
                self._stopped.set()
                os.eventfd_write(self._stop, 1)

    def run(self, stdin: bytes) -> Outcome:
        """Until the child has ended or a cap was exceeded. Afterwards no process of the job lives."""
        started = time.monotonic()
        try:
            excess = self._pump(stdin, started + self._limits.wall)
        finally:
            self._control.kill()
            self._process.wait()
            with self._lock:
                os.close(self._stop)
                self._stop = -1
        code = self._process.returncode
        ended = excess or self._control.excess() or ("signal" if code < 0 or 128 < code <= 128 + 64 else "exited")
        return Outcome(code if ended == "exited" else None, ended, time.monotonic() - started)

    def _pump(self, stdin: bytes, deadline: float) -> Ended | None:
        excess: Ended | None = None
        asked = False
        with selectors.DefaultSelector() as selector, self._process as process:
            pidfd = os.pidfd_open(process.pid)
            try:
                selector.register(pidfd, selectors.EVENT_READ)
                selector.register(self._stop, selectors.EVENT_READ)
                self._connect(selector, stdin)
                while True:
                    events = selector.select(min(TICK, max(0.0, deadline - time.monotonic())))
                    ready = {key.fd for key, _ in events}
                    stdin = self._move(selector, ready, stdin)
                    if pidfd in ready:
                        break
                    if self._asked is not None and self._asked.is_set():
                        self._stopped.set()
                    if not asked and (self._stopped.is_set() or time.monotonic() >= deadline):
                        excess = None if self._stopped.is_set() else "timeout"
                        asked, deadline = True, time.monotonic() + self._grace
                        if self._stop in ready:
                            selector.unregister(self._stop)
                        self._control.terminate()
                    elif asked and time.monotonic() >= deadline:
                        break
                    elif found := self._control.excess():
                        excess = found
                        break
                self._control.kill()
                self._drain()
            finally:
                os.close(pidfd)
        return excess

    def _connect(self, selector: selectors.BaseSelector, stdin: bytes) -> None:
        process = self._process
        for stream in (process.stdout, process.stderr, process.stdin):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                selector.register(stream.fileno(), selectors.EVENT_READ)
        if process.stdin is not None and stdin:
            selector.register(process.stdin.fileno(), selectors.EVENT_WRITE)
        elif process.stdin is not None:
            process.stdin.close()

    def _move(self, selector: selectors.BaseSelector, ready: set[int], stdin: bytes) -> bytes:
        """Read what is there, write what fits; return the rest of `stdin`."""
        process = self._process
        for stream, output in ((process.stdout, self.stdout), (process.stderr, self.stderr)):
            if stream is not None and not stream.closed and stream.fileno() in ready:
                if data := os.read(stream.fileno(), 1 << 16):
                    output.add(data)
                else:
                    selector.unregister(stream.fileno())
                    stream.close()
        feed = process.stdin
        if feed is not None and not feed.closed and feed.fileno() in ready:
            try:
                stdin = stdin[os.write(feed.fileno(), stdin) :]
            except BrokenPipeError:
                stdin = b""
            if not stdin:
                selector.unregister(feed.fileno())
                feed.close()
        return stdin

    def _drain(self) -> None:
        """Read what dead processes have left in the pipes."""
        for stream, output in ((self._process.stdout, self.stdout), (self._process.stderr, self.stderr)):
            while stream is not None and not stream.closed:
                try:
                    data = os.read(stream.fileno(), 1 << 16)
                except BlockingIOError:
                    break
                if not data:
                    break
                output.add(data)
