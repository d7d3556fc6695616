"""A job that may reach one port of the host's loopback, for real: in bubblewrap, and in a container."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from omni.sandbox import bubblewrap, python_mounts
from omni.sandbox.bubblewrap import Bubblewrap
from omni.sandbox.docker import Docker
from omni.sandbox.job import Driver, Job, Limits
from omni.sandbox.relay import out_of_guest
from omni.sandbox.selftest import HEAVY

pytestmark = pytest.mark.host
PYTHON = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
MOUNTS = python_mounts(Path(sys.prefix))


@pytest.fixture(params=["bubblewrap", "docker"])
def driver(request: pytest.FixtureRequest) -> Driver:
    if request.param == "bubblewrap":
        if shutil.which("bwrap") is None:
            pytest.skip("bubblewrap is not installed: apt-get install bubblewrap")
        return Bubblewrap()
    request.getfixturevalue("container_engine")
    return Docker()


class _Echo(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        for place in range(0, len(body), 1000):
            self.wfile.write(body[place : place + 1000])


class _Server(ThreadingHTTPServer):
    # When more call at once than wait here, Linux answers with SYN cookies and forgets them, and resets those whose
    # second segment comes before it accepts them. The default is 5.
    request_queue_size = 256


@pytest.fixture
def port() -> Iterator[int]:
    with _Server(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _python(source: str, workspace: Path, port: int, *arguments: str) -> Job:
    argv, ports = ("python3", "-c", source, *arguments), (port,) if port else ()
    return Job(argv, workspace, PYTHON, MOUNTS, Limits(wall=30), endpoints=ports)


def test_the_endpoint_answers_many_at_once(driver: Driver, workspace: Path, port: int) -> None:
    source = """
import sys, urllib.request
from concurrent.futures import ThreadPoolExecutor
def ask(size):
    body = bytes([size % 251]) * (size * 1000)
    return urllib.request.urlopen("http://127.0.0.1:%s/" % sys.argv[1], body).read() == body
with ThreadPoolExecutor(20) as pool:
    print(all(pool.map(ask, range(60))))
"""
    result = driver.run(_python(source, workspace, port, str(port)))
    assert (result.stdout, result.stderr, result.exit_code) == ("True\n", "", 0)


def test_several_ports_lead_each_to_its_own(driver: Driver, workspace: Path) -> None:
    source = """
import socket, sys
for port in sys.argv[1:]:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as connection:
        print(connection.recv(10).decode(), end=" ")
"""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        for server, said in ((first, b"first"), (second, b"second")):
            threading.Thread(target=_say, args=(server, said), daemon=True).start()
        ports = (first.getsockname()[1], second.getsockname()[1])
        job = _python(source, workspace, 0, str(ports[1]), str(ports[0]))
        assert driver.run(replace(job, endpoints=ports)).stdout == "second first "


def _say(server: socket.socket, said: bytes) -> None:
    with server.accept()[0] as connection:
        connection.sendall(said)


def test_nothing_else_is_reached(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    assert HEAVY["reach past the endpoint"](driver, tmp_path) == ""


def test_without_the_field_there_is_no_endpoint(driver: Driver, workspace: Path, port: int) -> None:
    source = "import socket; print(socket.socket().connect_ex(('127.0.0.1', int(__import__('sys').argv[1]))) != 0)"
    assert driver.run(_python(source, workspace, 0, str(port))).stdout == "True\n"


def test_who_is_not_there_hangs_up(driver: Driver, workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    source = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as connection:
    print(connection.recv(1))
"""
    assert driver.run(_python(source, workspace, port, str(port))).stdout == "b''\n"


def test_a_job_whose_command_is_not_there_says_so(workspace: Path, port: int) -> None:
    job = _python("", workspace, port)
    result = Bubblewrap().run(replace(job, argv=("not-there",)))
    assert (result.exit_code, result.stderr) == (127, "not-there: No such file or directory\n")


def test_without_python_inside_the_job_ends_and_says_so(workspace: Path, port: int) -> None:
    result = Bubblewrap().run(Job(("true",), workspace, {"PATH": "/nowhere"}, endpoints=(port,)))
    assert result.exit_code == 127
    assert "python3: not found" in result.stderr


def test_a_job_is_stopped_from_outside(workspace: Path) -> None:
    stop = threading.Event()
    started = time.monotonic()
    threading.Timer(0.3, stop.set).start()
    result = Bubblewrap().run(Job(("sleep", "60"), workspace, stop=stop))
    assert (result.ended, result.exit_code) == ("signal", None)
    assert time.monotonic() - started < 30


def test_a_job_that_is_deaf_is_killed(workspace: Path) -> None:
    stop = threading.Event()
    stop.set()
    result = Bubblewrap().run(Job(("sh", "-c", "trap '' TERM; while :; do sleep 1; done"), workspace, stop=stop))
    assert (result.ended, result.exit_code) == ("signal", None)


def _nothing(_: socket.socket) -> None:
    """A guest that says nothing and goes."""


def _no_socket(control: socket.socket) -> None:
    with Path("/dev/null").open("rb") as file:
        socket.send_fds(control, [b"+"], [file.fileno()])


def _not_listening(control: socket.socket) -> None:
    with socket.socket() as idle:
        socket.send_fds(control, [b"+"], [idle.fileno()])


def _datagrams(control: socket.socket) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        socket.send_fds(control, [b"+"], [other.fileno()])


@pytest.mark.parametrize("answer", [_nothing, _no_socket, _not_listening, _datagrams])
def test_what_a_hostile_guest_sends_for_a_socket_is_not_used(answer: Callable[[socket.socket], None]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        answer(theirs)
        theirs.close()
        assert out_of_guest(ours, 1) is None


def test_a_network_that_is_shared_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shared(*given: object) -> list[str]:
        argv = whole(*given)
        at = argv.index("--unshare-all")
        return [*argv[:at], "--unshare-pid", "--unshare-uts", "--unshare-ipc", *argv[at + 1 :]]

    whole: Callable[..., list[str]] = bubblewrap.options
    monkeypatch.setattr(bubblewrap, "options", shared)
    (tmp_path / "workspace").mkdir()
    assert HEAVY["reach past the endpoint"](Bubblewrap(), tmp_path) != ""
