"""Services that are really started, asked and stopped, here instead of inside the sandbox."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from omni.verify.deep import supervisor
from omni.verify.deep.supervisor import Plan, Service, Step, answers, main


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        if self.path == "/odd":
            self.wfile.write(b"no HTTP at all\r\n\r\n")
            return
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Taken, so that nobody else gets it, and nobody listens on it."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.fixture(autouse=True)
def _interrupts() -> Iterator[None]:
    """A shell starts what runs in the background with SIGINT ignored, and then no service could be asked to end."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(supervisor, "LOGS", tmp_path)
    return tmp_path


def service(folder: Path, start: str, /, **more: object) -> Service:
    """A shell's, ready when its file `up` is there."""
    plain = {"name": "web", "prepare": [], "start": ["sh", "-c", start], "port": 0, "health": "", "env": {}}
    return {**plain, "ready": ["test", "-e", f"{folder}/up"], "seconds": 20.0, "cwd": str(folder), **more}  # type: ignore[typeddict-item]


def step(folder: Path, script: str, /, **more: object) -> Step:
    plain = {"name": script, "argv": ["sh", "-c", script], "cwd": str(folder), "env": {}, "out": ""}
    return {**plain, **more}  # type: ignore[typeddict-item]


def performed(folder: Path, services: list[Service], steps: list[Step]) -> Mapping[str, object]:
    """The outcome, without the seconds of its steps."""
    path = folder / "deep" / "er" / "outcome.json"
    plan: Plan = {"outcome": str(path), "services": services, "steps": steps}
    main(plan)
    outcome: dict[str, object] = json.loads(path.read_text())
    for each in outcome["steps"]:  # type: ignore[attr-defined]
        assert 0 <= each.pop("seconds") < 60
    return outcome


def test_services_run_as_long_as_the_steps_and_each_says_what_it_said(tmp_path: Path) -> None:
    told = "trap 'echo bye; rm up; exit' INT; echo \"$GREETING\" >&2; touch up; while true; do sleep 0.01; done"
    web = service(tmp_path, told, prepare=[["touch", "prepared"]], env={"GREETING": "hello"})
    steps = [
        step(tmp_path, "test -e up && test -e prepared && echo fine >&2"),
        step(tmp_path, 'echo "$GIVEN"; echo aside >&2', env={"GIVEN": "result"}, out=f"{tmp_path}/kept/deep/out.txt"),
        step(tmp_path, "echo again", out=f"{tmp_path}/kept/deep/out.txt"),
    ]
    assert performed(tmp_path, [web], steps) == {
        "service": "",
        "said": "",
        "steps": [
            {"name": steps[0]["name"], "exit": 0, "said": "fine"},
            {"name": steps[1]["name"], "exit": 0, "said": "aside"},
            {"name": "echo again", "exit": 0, "said": ""},
        ],
        "logs": {"web": "hello"},
    }
    assert (tmp_path / "kept/deep/out.txt").read_text() == "result\nagain\n"
    assert not (tmp_path / "up").exists(), "it was asked to end"
    assert (tmp_path / "omni-service-web.log").read_text() == "hello\nbye\n"


def test_the_first_step_that_fails_is_the_last(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 30_000 + "end")
    steps = [step(tmp_path, "cat long"), step(tmp_path, "echo no; exit 3"), step(tmp_path, "touch never")]
    assert performed(tmp_path, [], steps) == {
        "service": "",
        "said": "",
        "steps": [
            {"name": "cat long", "exit": 0, "said": "x" * 19_997 + "end"},
            {"name": "echo no; exit 3", "exit": 3, "said": "no"},
        ],
        "logs": {},
    }
    assert not (tmp_path / "never").exists()


def test_a_step_that_can_not_be_started(tmp_path: Path) -> None:
    missing = step(tmp_path, "x", argv=["no-such-program"])
    done = [{"name": "x", "exit": 127, "said": "no-such-program: No such file or directory"}]
    assert performed(tmp_path, [], [missing])["steps"] == done


@pytest.mark.parametrize(
    ("start", "more", "said"),
    [
        ("echo oops; exit 4", {}, "it ended with exit code 4: oops"),
        ("exec sleep 60", {"seconds": 0.1, "prepare": [["echo", "set up"]]}, "it did not answer within 0.1 s: set up"),
        ("exec sleep 60", {"start": ["no-such-program"]}, "[Errno 2] No such file or directory: 'no-such-program'"),
        ("touch up", {"prepare": [["sh", "-c", "echo bad; exit 1"]]}, "`sh -c echo bad; exit 1` failed: bad"),
        ("touch up", {"prepare": [["false", "y" * 300]]}, f"`false {'y' * 194}` failed: "),
    ],
)
def test_without_a_service_no_step_runs(tmp_path: Path, start: str, more: Mapping[str, object], said: str) -> None:
    first = service(tmp_path, "trap 'rm first; exit' INT; touch first; while true; do sleep 0.01; done", name="first")
    first["ready"] = ["test", "-e", f"{tmp_path}/first"]
    outcome = performed(tmp_path, [first, service(tmp_path, start, **more)], [step(tmp_path, "touch never")])
    assert outcome == {"service": "web", "said": said, "steps": []}
    assert not (tmp_path / "never").exists()
    assert not (tmp_path / "first").exists(), "those that run are stopped all the same"


@pytest.mark.parametrize(
    ("path", "fine"),
    [("/200", True), ("/404", True), ("/499", True), ("/500", False), ("/503", False), ("/odd", False)],
)
def test_a_health_path_answers_below_500(tmp_path: Path, port: int, path: str, fine: bool) -> None:
    assert answers(service(tmp_path, "", ready=[], health=path, port=port)) is fine


def test_without_a_health_path_taking_connections_is_enough(tmp_path: Path, port: int, closed_port: int) -> None:
    assert answers(service(tmp_path, "", ready=[], port=port))
    assert not answers(service(tmp_path, "", ready=[], port=closed_port))
    assert not answers(service(tmp_path, "", ready=[], health="/200", port=closed_port))


def test_a_service_that_does_not_want_to_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE", 0.05)
    web = service(tmp_path, "trap '' INT; echo $$ > pid; touch up; while true; do sleep 0.01; done")
    performed(tmp_path, [web], [])
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_its_own_command_says_whether_it_is_ready(
    tmp_path: Path, closed_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert answers(service(tmp_path, "", ready=["sh", "-c", "echo loud; echo loud >&2"]))
    assert capfd.readouterr() == ("", ""), "what it prints is nobody's"
    assert answers(service(tmp_path, "", ready=["true"], port=closed_port))
    assert not answers(service(tmp_path, "", ready=["false"], port=closed_port))
    assert not answers(service(tmp_path, "", ready=["no-such-program"], port=closed_port))
