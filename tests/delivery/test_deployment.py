"""Small programs as projects, started for real: in the sandbox where it can be had, else reduced."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import pytest

from omni.delivery import deployment
from omni.delivery.deployment import Deployment, Load, Plan, deploy
from omni.delivery.questions import Observation, Question
from omni.sandbox.bubblewrap import Bubblewrap
from omni.sandbox.job import Driver
from omni.sandbox.reduced import Reduced

pytestmark = pytest.mark.host
APP = """
import http.server, os, pathlib, signal, sys, time

data = pathlib.Path("data/people")
data.parent.mkdir(exist_ok=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(*PAGES(self.path))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        known = data.read_text() if data.exists() else ""
        if self.path == "/sign-up":
            data.write_text(body)
            self.answer(201, "")
        else:
            self.answer(201 if body == known else 401, "")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def PAGES(path):
    return 200, os.environ["APP_ENV"] if path == "/mode" else "ok"


def end(*_):
    sys.exit(0)


CHANGE
signal.signal(signal.SIGTERM, end)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PERSON = {"name": "Ada"}


def _driver() -> Driver:
    return Bubblewrap() if shutil.which("bwrap") and Bubblewrap().probe().isolation else Reduced()


def _deploy(tmp_path: Path, change: str = "", **plan: object) -> Deployment:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text(APP.replace("CHANGE", change))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    given = {
        "environment": Path(sys.prefix),
        "serve": ("python", "app.py"),
        "port": port,
        "health_path": "/health",
        "questions": (Question(path="/health", contains="ok"), Question(path="/mode", contains="staging")),
        "told": (Question(path="/sign-up", body=PERSON, status=201),),
        "remembered": (Question(path="/log-in", body=PERSON, status=201),),
    }
    return deploy(project, Plan.model_validate(given | plan), _driver())


def _wrong(seen: Deployment) -> list[str]:
    return [one.name for one in seen.observations if not one.ok]


def test_a_good_app_is_promoted(tmp_path: Path) -> None:
    seen = _deploy(tmp_path)
    assert [(one.name, one.ok) for one in seen.observations] == [
        ("health", True),
        ("GET /health", True),
        ("GET /mode", True),
        ("POST /sign-up", True),
        ("error rate", True),
        ("p95", True),
        ("p99", True),
        ("stops on SIGTERM", True),
        ("health, after a restart", True),
        ("POST /log-in, after a restart", True),
        ("stops on SIGTERM, after a restart", True),
    ], seen.problems
    assert (seen.verdict, seen.log, seen.problems) == ("promoted", "", ())
    assert seen.load is not None
    assert (seen.load.requests, seen.load.errors) == (200, 0)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ("def PAGES(path): return (500 if path == '/health' else 200), 'ok'", ["health"]),
        ("sys.exit('no database here')", ["health"]),
        ("def PAGES(path): return 200, 'ok'", ["GET /mode"]),
        (
            "os.environ['APP_ENV'] = 'x'; data.write_text('x'); Handler.do_POST = Handler.do_GET",
            ["GET /mode", "POST /sign-up"],
        ),
        ("def end(*_): os._exit(3)", ["stops on SIGTERM"]),
        ("data = pathlib.Path('people')", []),  # nothing in `data`: nothing to restart on
    ],
)
def test_what_is_wrong_is_named_and_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, wrong: list[str]
) -> None:
    monkeypatch.setattr(deployment, "HEALTHY_WITHIN", 1.5)
    seen = _deploy(tmp_path, change)
    if wrong:
        assert (_wrong(seen), seen.verdict) == (wrong, "rolled back")
    if "no database" in change:
        assert (seen.problems, "no database here" in seen.log) == (("health: it ended by itself",), True)


def test_an_app_that_forgets_is_rolled_back(tmp_path: Path) -> None:
    seen = _deploy(tmp_path, "data.unlink(missing_ok=True)")
    assert _wrong(seen) == ["POST /log-in, after a restart"]


def test_an_app_that_is_slow_or_fails_misses_its_objectives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "REQUESTS", 24)
    monkeypatch.setattr(deployment, "P95_MS", 100.0)
    change = "asked = []\ndef PAGES(path):\n    asked.append(path)\n    n = len(asked)\n"
    change += (
        "    time.sleep(0.2 if n % 4 == 0 else 0)\n    return (500 if n > 6 and n % 8 == 7 else 200), 'ok staging'"
    )
    seen = _deploy(tmp_path, change)
    assert _wrong(seen) == ["error rate", "p95"]
    assert seen.problems[0] == "error rate: 12.5% of 24 requests"


def test_an_app_that_ignores_the_signal_is_killed_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "STOPS_WITHIN", 0.5)
    monkeypatch.setattr("omni.sandbox.service.STOP_GRACE", 1.0)
    monkeypatch.setattr("omni.sandbox.reduced.STOP_GRACE", 1.0)
    seen = _deploy(tmp_path, "def end(*_): pass")
    assert _wrong(seen) == ["stops on SIGTERM"]


def test_a_program_without_a_port_is_run(tmp_path: Path) -> None:
    commands = (("python", "-c", "print('1.0')"), ("python", "-c", "import sys; sys.exit('broken')"), ("true",))
    seen = _deploy(tmp_path, port=None, commands=commands)
    assert [(one.ok, one.detail) for one in seen.observations] == [
        (True, "exited with 0: 1.0"),
        (False, "exited with 1: broken"),
        (False, "exited with 0: no output"),
    ]


def test_percentiles_and_rates() -> None:
    load = Load(requests=200, errors=3, p50=1, p95=501, p99=2001)
    assert [one.ok for one in deployment._slo(load)] == [False, False, False]
    assert load.error_rate == 0.015
    observation = Observation(name="p95", ok=False, detail="501 ms (limit 500 ms)")
    assert list(deployment._slo(load))[1] == observation
