"""Joins a port inside the sandbox with one on the host's loopback, either way, while the sandbox has no network."""

from __future__ import annotations

import array
import asyncio
import os
import socket
import struct
import threading
from contextlib import suppress
from typing import Protocol

_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing resets the connection (socket(7))."""


class Dial(Protocol):
    """Where a relay's connections lead to."""

    async def connect(self, loop: asyncio.AbstractEventLoop) -> socket.socket | None:
        """A connection to there; None when nobody listens."""

    def close(self) -> None: ...


class Relay:
    """Accepts connections on `listener`, which listens on 127.0.0.1:`port`, and joins each to one of `dial`'s."""

    def __init__(self, listener: socket.socket, dial: Dial) -> None:
        self._listener, self._dial = listener, dial
        self.port: int = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name=f"omni-relay-{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Drop all connections and stop listening."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener, self._accept)
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    def _accept(self) -> None:
        with suppress(OSError):  # who called may have hung up meanwhile
            client, _ = self._listener.accept()
            _prepare(client)
            task = self._loop.create_task(self._join(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: client.close())  # also of one that was dropped before it began

    async def _end(self) -> None:
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._dial.close()

    async def _join(self, client: socket.socket) -> None:
        """Until both have said all. Where one breaks (reset), so does the other: it must not look like an end."""
        other = await self._dial.connect(self._loop)
        if other is None:
            return
        broken = asyncio.Event()
        with other:
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._copy(client, other, broken))
                    both.create_task(self._copy(other, client, broken))
            except* OSError:
                broken.set()
            if broken.is_set():
                for connection in (client, other):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    async def _copy(self, source: socket.socket, target: socket.socket, broken: asyncio.Event) -> None:
        """Raises OSError when `source` breaks. When `target` does, what it has said before can still be read."""
        while data := await self._loop.sock_recv(source, 1 << 16):
            try:
                await self._loop.sock_sendall(target, data)
            except OSError:
                broken.set()
                return
        if not broken.is_set():  # the kernel tells of a break once, and then of an end
            with suppress(OSError):
                target.shutdown(socket.SHUT_WR)


def into_guest(control: socket.socket) -> Relay:
    """A free port of the host's loopback that leads to a service inside.

    `control` is our end of the Unix socket pair that `dialer.py` serves.
    """
    return Relay(socket.create_server(("127.0.0.1", 0), backlog=256), _Guest(control))


def out_of_guest(control: socket.socket, port: int) -> Relay | None:
    """The port inside that leads to 127.0.0.1:`port` of the host, and to nothing else.

    `control` is our end of the Unix socket pair over which `listener.py` sends the socket that it listens on; that
    socket stays in the guest's network, while we accept on it. None when none comes.
    """
    _, fds = _received(control)
    listener = _tcp(fds[0]) if fds else None
    if listener is None:
        return None
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        listener.close()
        return None
    return Relay(listener, _Host(port))


class _Guest:
    """Connections from inside, which the dialer hands out. What comes over `control` is a guest's and not trusted: a
    descriptor that isn't a TCP socket is closed.
    """

    def __init__(self, control: socket.socket) -> None:
        control.setblocking(False)
        self._control = control
        self._one_at_a_time = asyncio.Lock()

    async def connect(self, loop: asyncio.AbstractEventLoop) -> socket.socket | None:
        """None also when the service does not listen yet, or the dialer is gone."""
        async with self._one_at_a_time:
            answered: asyncio.Future[None] = loop.create_future()
            try:
                await loop.sock_sendall(self._control, b"?")
                loop.add_reader(self._control, _set, answered)
                await answered
                data, fds = _received(self._control)
            except OSError:
                return None
            finally:
                loop.remove_reader(self._control)
        return _tcp(fds[0]) if data and fds else None

    def close(self) -> None:
        self._control.close()


class _Host:
    """Connections to one port of the host's loopback."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def connect(self, loop: asyncio.AbstractEventLoop) -> socket.socket | None:
        connection = socket.socket()
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, ("127.0.0.1", self._port))
        except OSError:
            connection.close()
            return None
        except asyncio.CancelledError:
            connection.close()
            raise
        _prepare(connection)
        return connection

    def close(self) -> None:
        """There is nothing to close."""


def _received(control: socket.socket) -> tuple[bytes, list[int]]:
    """One message, and the one descriptor that may come with it."""
    data, ancillary, _, _ = control.recvmsg(1, socket.CMSG_SPACE(4))
    fds = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    for extra in fds[1:]:
        os.close(extra)
    return data, list(fds[:1])


def _set(answered: asyncio.Future[None]) -> None:
    if not answered.done():
        answered.set_result(None)


def _tcp(fd: int) -> socket.socket | None:
    try:
        guest = socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        return None
    if guest.family not in (socket.AF_INET, socket.AF_INET6) or guest.type != socket.SOCK_STREAM:
        guest.close()
        return None
    _prepare(guest)
    return guest


def _prepare(connection: socket.socket) -> None:
    connection.setblocking(False)
    # Two hops with Nagle's algorithm would add 40 ms to every answer that comes in two parts.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
