"""A server from an image, on a real engine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sandbox.redis_image import redis_image

from omni.kernel.errors import OmniError
from omni.sandbox.engine import Engine
from omni.sandbox.image import Image, ImageServer, arguments, served
from omni.sandbox.job import Limits


def test_it_has_no_network_few_rights_and_every_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    image = Image("postgres:16", 5432, ("postgres", "-c", "fsync=off"), limits=Limits(memory=300, processes=30))
    told = """/bin/docker run --rm --pull never --name omni-2 --label omni-sandbox
        --network container:omni-1 --pid container:omni-1 --ipc private
        --cap-drop ALL --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add SETGID --cap-add SETUID
        --security-opt no-new-privileges --ulimit nofile=4096:4096 --ulimit nproc=4096:4096
        --memory 300m --memory-swap 300m --pids-limit 30 --cpu-shares 2048
        --log-driver none --env-file /variables -- postgres:16 postgres -c fsync=off"""
    env = ["--env-file", "/variables"]
    assert arguments(Engine(Path("/bin/docker")), image, keeper="omni-1", name="omni-2", env=env) == told.split()


@pytest.mark.host
@pytest.mark.slow
def test_it_answers_omni_alone_and_leaves_nothing(container_engine: Engine) -> None:
    image = Image(redis_image(container_engine), 6379, ("--port", "6379"), limits=Limits(wall=60))
    with served(container_engine, image) as server:
        _await_ready(server)
        assert (server.alive(), server.accepts()) == (True, True)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(b"PING\r\n")
            assert connection.recv(10) == b"+PONG\r\n"
        assert "Ready to accept connections" in server.logs()
        names = set(container_engine.ask("ps", "--format", "{{.Names}}").splitlines())
        ours = {name for name in names if f"-{os.getpid()}-" in name}
        assert len(ours) == 2
    assert not ours & set(container_engine.ask("ps", "--all", "--format", "{{.Names}}").splitlines())


@pytest.mark.host
@pytest.mark.slow
def test_what_is_not_there_or_ends_is_said(container_engine: Engine) -> None:
    with served(container_engine, Image(redis_image(container_engine), 6379, ("--no-such-option",))) as server:
        _until(lambda: not server.alive())
        assert "no-such-option" in server.logs()
        assert not server.accepts()
    with served(container_engine, Image("omni-no-such-image:1", 6379)) as server:
        _until(lambda: not server.alive())
        assert "omni-no-such-image" in server.logs()


KILLED = """
import sys
from omni.sandbox.engine import find
from omni.sandbox.image import Image, served
with served(find(), Image(sys.argv[1], 6379)) as server:
    while not server.accepts():
        pass
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.mark.host
@pytest.mark.slow
def test_after_kill_9_nothing_runs_and_the_next_start_removes_what_is_left(container_engine: Engine) -> None:
    argv = [sys.executable, "-c", KILLED, redis_image(container_engine)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdout, process.stdin:
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGKILL)
        process.wait()

    def left(*every: str) -> list[str]:
        names = container_engine.ask("ps", *every, "--format", "{{.Names}}").splitlines()
        return [name for name in names if f"-{process.pid}-" in name]

    _until(lambda: not left())
    container_engine.sweep()
    assert left("--all") == []


def test_an_engine_that_refuses(tmp_path: Path) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho 'no room' >&2; exit 1\n")
    client.chmod(0o755)
    with pytest.raises(OmniError, match="no room"), served(Engine(client), Image("postgres:16", 5432)):
        raise AssertionError


def _await_ready(server: ImageServer) -> None:
    _until(lambda: server.succeeds(("redis-cli", "ping")))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
