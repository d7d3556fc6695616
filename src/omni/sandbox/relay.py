"""Makes a port inside the sandbox reachable on the host's loopback, while the sandbox has no network."""

from __future__ import annotations

import array
import asyncio
import os
import socket
import threading
from contextlib import suppress


class Relay:
    """Listens on 127.0.0.1:`port` (a free one) and joins each connection to one that the dialer hands out.

    `control` is our end of the Unix socket pair that `dialer.py` serves. What comes over it is a guest's and not
    trusted: a descriptor that isn't a TCP socket is closed.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._thread = threading.Thread(target=self._run, name=f"omni-relay-{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Drop all connections and stop listening."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._main.cancel)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._accept())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        self._loop.close()

    async def _accept(self) -> None:
        for each in (self._listener, self._control):
            each.setblocking(False)
        try:
            while True:
                client, _ = await self._loop.sock_accept(self._listener)
                _prepare(client)
                task = self._loop.create_task(self._join(client))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._listener.close()
            self._control.close()

    async def _join(self, client: socket.socket) -> None:
        with client:
            async with self._one_at_a_time:
                guest = await self._dial()
            if guest is not None:
                with guest:
                    await asyncio.gather(self._copy(client, guest), self._copy(guest, client))

    async def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := await self._loop.sock_recv(source, 1 << 16):
                await self._loop.sock_sendall(target, data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    async def _dial(self) -> socket.socket | None:
        """A connection from inside; None when the service does not listen (yet) or the dialer is gone."""
        answered: asyncio.Future[None] = self._loop.create_future()
        try:
            await self._loop.sock_sendall(self._control, b"?")
            self._loop.add_reader(self._control, _set, answered)
            await answered
            data, ancillary, _, _ = self._control.recvmsg(1, socket.CMSG_SPACE(4))
        except OSError:
            return None
        finally:
            self._loop.remove_reader(self._control)
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        for extra in fds[1:]:
            os.close(extra)
        return _tcp(fds[0]) if data and fds else None


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
