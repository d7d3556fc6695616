"""What runs inside beside a service and before a command with an endpoint; here in this process."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from omni.sandbox import dialer, listener


class _End(BaseException):
    """In place of the end of a process."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What would have changed this process: it is noted instead."""
    noted: list[object] = []

    def execvp(program: str, argv: list[str]) -> None:
        noted.append((program, argv))
        raise _End

    def end(code: int) -> None:
        noted.append(f"exit {code}")
        raise _End

    monkeypatch.setattr(os, "execvp", execvp)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(os, "setsid", lambda: noted.append("setsid"))
    monkeypatch.setattr(os, "waitpid", lambda *given: noted.append(("waitpid", *given)))
    return noted


@pytest.fixture
def control() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        yield ours, theirs


ends_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""A process that ends need close nothing; here it did not end."""


def _forks(monkeypatch: pytest.MonkeyPatch, *answers: int) -> None:
    left = list(answers)
    monkeypatch.setattr(os, "fork", lambda: left.pop(0))


def _start(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["-c", *arguments])
    with pytest.raises(_End):
        module.main()


def _closed(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return True
    return False


def test_the_dialer_becomes_the_command_and_leaves_a_grandchild(
    control: tuple[socket.socket, socket.socket], calls: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    _forks(monkeypatch, 77)
    inherited = control[1].detach()
    _start(dialer, monkeypatch, str(inherited), "8000", "serve", "--now")
    assert calls == [("waitpid", 77, 0), ("serve", ["serve", "--now"])]
    assert _closed(inherited)
    assert control[0].recv(1) == b""


@ends_open
def test_the_child_ends_at_once(
    control: tuple[socket.socket, socket.socket], calls: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    _forks(monkeypatch, 0, 78)
    _start(dialer, monkeypatch, str(control[1].detach()), "8000", "serve")
    assert calls == ["exit 0"]


@ends_open
def test_the_grandchild_dials_in_a_session_of_its_own(
    control: tuple[socket.socket, socket.socket], calls: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    _forks(monkeypatch, 0, 0)
    monkeypatch.setattr(dialer, "dial", lambda given, port: calls.append((given.fileno(), port)))
    inherited = control[1].detach()
    _start(dialer, monkeypatch, str(inherited), "8000", "serve")
    assert calls == ["setsid", (inherited, 8000), "exit 0"]


@pytest.mark.parametrize("module", [dialer, listener])
def test_a_command_that_is_not_there_is_said_as_a_shell_does(
    module: ModuleType,
    control: tuple[socket.socket, socket.socket],
    calls: list[object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def missing(program: str, argv: list[str]) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    _forks(monkeypatch, 77)
    monkeypatch.setattr(os, "execvp", missing)
    _start(module, monkeypatch, str(control[1].detach()), "0", "serve", "--now")
    assert calls[-1] == "exit 127"
    assert capsys.readouterr().err == "serve: No such file or directory\n"


@pytest.mark.parametrize("module", [dialer, listener])
def test_control_may_be_a_path(
    module: ModuleType, tmp_path: Path, calls: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    _forks(monkeypatch, 77)
    monkeypatch.chdir(tmp_path)  # the path of a Unix socket may be short only
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(10)
        server.bind("control")
        server.listen(1)
        _start(module, monkeypatch, "control", "0", "serve")
        accepted, _ = server.accept()
        with accepted:
            said, fds, _, _ = socket.recv_fds(accepted, 1, 4)
    assert said == (b"+" if module is listener else b"")
    for fd in fds:
        os.close(fd)
    assert calls[-1] == ("serve", ["serve"])


@pytest.fixture
def dial(
    control: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[int], list[int]]]:
    """Starts the dialer for a port; gives the descriptors that it closes, which are this process's own."""
    threads: list[threading.Thread] = []
    closed: list[int] = []

    def start(port: int) -> list[int]:
        monkeypatch.setattr(os, "close", closed.append)
        threads.append(threading.Thread(target=dialer.dial, args=(control[1], port)))
        threads[0].start()
        return closed

    yield start
    control[0].shutdown(socket.SHUT_WR)
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_each_byte_is_answered_with_a_connection(
    dial: Callable[[int], list[int]], control: tuple[socket.socket, socket.socket]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        closed = dial(service.getsockname()[1])
        for said in (b"1", b"2"):
            control[0].sendall(b"?")
            data, fds, _, _ = socket.recv_fds(control[0], 1, 4)
            accepted, _ = service.accept()
            with accepted, socket.socket(fileno=fds[0]) as connection:
                assert (data, len(fds), connection.gettimeout()) == (b"+", 1, None)
                assert os.get_blocking(connection.fileno())
                connection.sendall(said)
                assert accepted.recv(1) == said
    assert closed == [0, 1, 2]


def test_where_nobody_listens_the_answer_has_no_connection(
    dial: Callable[[int], list[int]], control: tuple[socket.socket, socket.socket]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
    dial(port)
    for _ in range(2):
        control[0].sendall(b"?")
        assert socket.recv_fds(control[0], 1, 4)[:2] == (b"-", [])


def test_the_listener_hands_out_what_it_listens_on_and_keeps_nothing(
    control: tuple[socket.socket, socket.socket], calls: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    before = len(list(Path("/proc/self/fd").iterdir()))
    inherited = control[1].detach()
    _start(listener, monkeypatch, str(inherited), str(port), "work", "--hard")
    data, fds, _, _ = socket.recv_fds(control[0], 1, 4)
    with socket.socket(fileno=fds[0]) as handed:
        assert (data, len(fds), handed.getsockname()) == (b"+", 1, ("127.0.0.1", port))
        assert handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    assert _closed(inherited)
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 1
    assert calls == [("work", ["work", "--hard"])]
