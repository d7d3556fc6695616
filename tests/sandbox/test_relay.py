"""The relay against a dialer that is a thread here, friendly and hostile."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pytest

from omni.sandbox.relay import Relay, into_guest

Answer = Callable[[socket.socket], None]


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_echo, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _echo(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(1 << 16):
            connection.sendall(data)


def _relay(answer: Answer) -> Relay:
    ours, theirs = socket.socketpair()

    def dial() -> None:
        with theirs, suppress(OSError):  # the relay may hang up at any moment
            while theirs.recv(1):
                answer(theirs)

    threading.Thread(target=dial, daemon=True).start()
    return into_guest(ours)


def _ask(relay: Relay, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
        sender = threading.Thread(target=_send, args=(client, data))
        sender.start()
        got = b""
        try:
            while part := client.recv(1 << 16):
                got += part
        except ConnectionResetError:
            got = b"reset"
        sender.join()
        return got


def _send(client: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)


def _connected(port: int) -> Answer:
    def answer(control: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            socket.send_fds(control, [b"+"], [connection.fileno()])

    return answer


def test_bytes_go_both_ways_whole(echo: int) -> None:
    relay = _relay(_connected(echo))
    data = os.urandom(2_000_000)
    assert [_ask(relay, data) == data, _ask(relay, b"again")] == [True, b"again"]
    relay.close()


def test_connections_side_by_side(echo: int) -> None:
    relay = _relay(_connected(echo))
    with (
        socket.create_connection(("127.0.0.1", relay.port)) as first,
        socket.create_connection(("127.0.0.1", relay.port)) as second,
    ):
        second.sendall(b"2")
        assert second.recv(1) == b"2"
        first.sendall(b"1")
        assert first.recv(1) == b"1"
    relay.close()


def _serving(server: socket.socket, say: Callable[[socket.socket], None]) -> None:
    def serve() -> None:
        with server.accept()[0] as connection:
            say(connection)

    threading.Thread(target=serve, daemon=True).start()


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_connection_that_breaks_inside_does_not_look_like_one_that_ended() -> None:
    def break_off(connection: socket.socket) -> None:
        connection.recv(1)
        _reset(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = _relay(_connected(server.getsockname()[1]))
        _serving(server, break_off)
        with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
            client.sendall(b"x")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        relay.close()


def test_a_connection_that_breaks_outside_breaks_inside() -> None:
    broken: Future[BaseException | bytes] = Future()

    def wait(connection: socket.socket) -> None:
        connection.sendall(b"go")
        try:
            broken.set_result(connection.recv(1))
        except ConnectionResetError as error:
            broken.set_result(error)

    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = _relay(_connected(server.getsockname()[1]))
        _serving(server, wait)
        with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
            assert client.recv(2) == b"go"
            _reset(client)
        assert isinstance(broken.result(10), ConnectionResetError)
        relay.close()


def test_what_was_said_before_it_broke_arrives() -> None:
    """A server that answers before it has read all, and hangs up: the answer is read, then the break is seen."""
    said: Future[bytes] = Future()

    def refuse(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"too much")
        said.result(10)  # what hangs up with something unread is reset, and may lose what is under way

    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = _relay(_connected(server.getsockname()[1]))
        _serving(server, refuse)
        with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
            client.sendall(b"x" * 100_000)
            got = client.recv(8, socket.MSG_WAITALL)
            said.set_result(got)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert got == b"too much"
        relay.close()


def test_nobody_listens_inside() -> None:
    relay = _relay(lambda control: control.send(b"-") and None)
    assert _ask(relay, b"") == b""
    relay.close()


def _file(control: socket.socket) -> None:
    with open(os.devnull, "rb") as file:  # noqa: PTH123 - any descriptor
        socket.send_fds(control, [b"+"], [file.fileno()])


def _unix(control: socket.socket) -> None:
    left, right = socket.socketpair()
    with left, right:
        socket.send_fds(control, [b"+"], [left.fileno()])


def _many(control: socket.socket) -> None:
    socket.send_fds(control, [b"+"], [0] * 200)


def _hang_up(control: socket.socket) -> None:
    control.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("hostile", [_file, _unix, _many, _hang_up])
def test_what_is_no_tcp_socket_is_dropped_and_nothing_leaks(hostile: Answer) -> None:
    relay = _relay(hostile)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert {_ask(relay, b"x") for _ in range(5)} <= {b"", b"reset"}
    _settles(before + 1)
    relay.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relay.port)).close()


def test_what_called_in_the_last_moment_is_closed(echo: int) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        relay = _relay(_connected(echo))
        with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
            relay.close()
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""
    _settles(before)


def _settles(open_files: int) -> None:
    """The other ends are threads of this test, so they may need a moment."""
    deadline = time.monotonic() + 10
    while len(list(Path("/proc/self/fd").iterdir())) > open_files and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(list(Path("/proc/self/fd").iterdir())) <= open_files
