"""The driver from end to end, with a stand-in for the engine; with a real engine see `test_docker.py`."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox import cgroup, mounts
from omni.sandbox.docker import Docker, image_name, seccomp_profile
from omni.sandbox.errors import UNAVAILABLE
from omni.sandbox.job import Job, Limits, Mount, Probe

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap"),
]


@dataclass(frozen=True)
class Engine:
    state: Path

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.state / "calls").read_text().splitlines()]

    def words(self) -> list[str]:
        return [call[0] for call in self.calls()]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    bin_, state = tmp_path / "bin", tmp_path / "engine"
    bin_.mkdir()
    state.mkdir()
    program = bin_ / "docker"
    stand_in = Path(__file__).with_name("docker_stand_in.py")
    program.write_text(f'#!/bin/sh\nDOCKER_STATE={state} exec {sys.executable} -I -S {stand_in} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    return Engine(state)


def _job(script: str, workspace: Path, **more: object) -> Job:
    return Job(("sh", "-c", script), workspace, **more)  # type: ignore[arg-type]


def test_a_job_works_on_a_copy_and_its_artifacts_come_back(engine: Engine, workspace: Path, tmp_path: Path) -> None:
    job = _job("cat; cat a.txt; sub/run; echo new > out; echo problem >&2; exit 3", workspace, stdin=b"in\n")
    result = Docker().run(Job(**(vars(job) | {"collect": ("out",), "into": tmp_path / "into"})))
    assert (result.exit_code, result.ended, result.isolation, result.stdout) == (3, "exited", "full", "in\na\nran\n")
    assert result.stderr == "problem\n"
    assert (tmp_path / "into/out").read_text() == "new\n"
    (name,) = {call[-1] for call in engine.calls() if call[0] == "rm"}
    assert name.startswith("omni-")
    assert engine.calls()[:4] == [
        ["version", "--format", "{{.Server.Version}}"],
        ["ps", "--all", "--filter", "label=omni-sandbox", "--format", "{{.Names}}"],
        ["images", "--quiet", "--", image_name()],
        ["import", "-", image_name()],
    ]
    assert engine.calls()[4][:8] == ["run", "--interactive", "--init", "--pull", "never", "--name", name, "--label"]
    assert engine.calls()[-1] == ["rm", "--force", "--volumes", name]
    assert (engine.state / "profile.json").read_text() == seccomp_profile()


def test_the_environment_arrives_and_is_on_no_command_line(engine: Engine, workspace: Path) -> None:
    env = {"TOKEN": "hush = # 'x'", "PATH": os.environ["PATH"]}
    assert Docker().run(_job('printf %s "$TOKEN"', workspace, env=env)).stdout == "hush = # 'x'"
    assert "hush" not in json.dumps(engine.calls())


@pytest.mark.parametrize("env", [{"KEY": "one\ntwo"}, {"KEY\nLD_PRELOAD": "one"}])
def test_a_variable_of_several_lines_is_refused(engine: Engine, workspace: Path, env: dict[str, str]) -> None:
    with pytest.raises(OmniError, match="has several lines"):
        Docker().run(_job("true", workspace, env=env))


def test_the_image_is_brought_in_once(engine: Engine, workspace: Path) -> None:
    assert Docker().probe() == Probe("docker", "full")
    Docker().run(_job("true", workspace))
    assert engine.words().count("import") == 1
    with tarfile.open(fileobj=io.BytesIO((engine.state / "image.tar").read_bytes())) as tar:
        links = {f"/{each.name}": each.linkname for each in tar.getmembers() if each.issym()}
        files = {f"/{each.name}": (each.mode, _content(tar, each)) for each in tar.getmembers() if each.isfile()}
        folders = {each.name: each.mode for each in tar.getmembers() if each.isdir()}
    assert folders == {"etc": 0o755, "work": 0o1777}
    here = [name for name in mounts.SYSTEM if Path(name).is_symlink() and name != "/sbin"]
    assert links == {name: str(Path(name).readlink()) for name in here}
    assert files == {name: (0o444, text) for name, text in mounts.ETC.items()}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def test_the_time_out_asks_first_and_kills_what_is_deaf(engine: Engine, workspace: Path) -> None:
    polite = "trap 'echo bye; exit 0' TERM; while :; do sleep 0.02; done"
    result = Docker().run(_job(polite, workspace, limits=Limits(wall=0.5)))
    assert (result.ended, result.exit_code, result.stdout) == ("timeout", None, "bye\n")
    deaf = "trap '' TERM; while :; do sleep 0.02; done"
    result = Docker().run(_job(deaf, workspace, limits=Limits(wall=0.5)))
    assert (result.ended, result.exit_code) == ("timeout", None)
    sent = [call[2] for call in engine.calls() if call[0] == "kill"]
    assert sent[:1] == ["TERM"]
    assert sent[-2:] == ["TERM", "KILL"] or sent[-3:] == ["TERM", "KILL", "KILL"]


def test_the_engine_tells_of_too_much_memory(engine: Engine, workspace: Path) -> None:
    (engine.state / "oom").touch()
    assert Docker().run(_job("exit 137", workspace)).ended == "memory"


def test_containers_of_the_dead_are_removed_and_those_of_the_living_are_not(engine: Engine, workspace: Path) -> None:
    namespace, pid, start = cgroup.owner().split("-")
    dead, living = f"omni-{namespace}-{pid}-{int(start) + 1}-0a", f"omni-{cgroup.owner()}-0b"
    (engine.state / "ps").write_text(f"{dead}\n{living}\nomni-0199-of-an-older-version\n")
    Docker().run(_job("true", workspace))
    removed = [call[-1] for call in engine.calls() if call[0] == "rm"]
    assert removed[:2] == [dead, "omni-0199-of-an-older-version"]
    assert living not in removed


SERVER = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000, bind="127.0.0.1")
"""


def test_a_service_answers_and_ends(engine: Engine, workspace: Path) -> None:
    job = Job(("python3", "-c", SERVER), workspace, {"PATH": os.environ["PATH"]})
    with Docker().serve(job, 8000) as service:
        for _ in range(400):
            try:
                with urllib.request.urlopen(f"{service.url}/a.txt", timeout=10) as answer:  # noqa: S310 - our own
                    assert answer.read() == b"a\n"
                break
            except OSError:
                time.sleep(0.05)
        result = service.stop()
    assert (result.ended, result.exit_code, "GET /a.txt" in result.stderr) == ("exited", 0, True)


def test_a_job_reaches_its_endpoint(engine: Engine, workspace: Path) -> None:
    source = "import socket, sys; print(socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10).recv(2))"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hi")

        threading.Thread(target=answer, daemon=True).start()
        job = Job(("python3", "-c", source, str(port)), workspace, {"PATH": os.environ["PATH"]}, endpoints=(port,))
        result = Docker().run(job)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "b'hi'\n", "")


def test_a_container_that_does_not_start_is_removed(engine: Engine, workspace: Path) -> None:
    with pytest.raises(OmniError) as caught:
        Docker().run(_job("true", workspace, mounts=(Mount(Path("/no/such"), "/there"),)))
    assert (caught.value.kind.code, "/no/such" in caught.value.why) == ("SB002", True)
    assert engine.words()[-1] == "rm"


def test_an_engine_that_does_not_answer_in_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def slow(argv: list[str], **options: object) -> None:
        asked.append(options)
        raise subprocess.TimeoutExpired(argv, 60)

    monkeypatch.setenv("PATH", os.environ["PATH"].partition(":")[0])  # no other engine
    monkeypatch.setattr(subprocess, "run", slow)
    assert Docker().probe() == Probe("docker", None, (f"the container engine does not answer. {UNAVAILABLE.fix}",))
    assert asked == [{"input": b"", "capture_output": True, "timeout": 60, "check": True}]
