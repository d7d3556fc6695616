"""A real browser on a real page; skipped where Chromium is not installed."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from omni.delivery.screenshots import BROWSERS, Visit, shoot

browser = pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="Chromium is not installed")
PAGE = """<!doctype html><html lang=en><meta name=viewport content="width=device-width"><title>App</title>
<style>body {{ background: #fff }} @media (prefers-color-scheme: dark) {{ body {{ background: #000 }} }}</style>
<main>{main}</main><script>{script}</script></html>"""
FORM = """<form method=post><input type=hidden name=token value=t><input name=name required>
<select name=kind required><option value="">-<option value=a>A</select><input type=checkbox name=done value=1>
<button>Save</button></form>"""


class _Server:
    """One page, `script` on it; remembers what was asked of it."""

    def __init__(self) -> None:
        self.script, self.asked, self.posted = "", list[str](), list[str]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self._page(FORM if self.path == "/new" else "hello")

            def do_POST(self) -> None:
                outer.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._page("saved")

            def _page(self, main: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(PAGE.format(main=main, script=outer.script).encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def app() -> Iterator[_Server]:
    server = _Server()
    yield server
    server.close()


@pytest.fixture
def elsewhere() -> Iterator[_Server]:
    """Another service on this machine's loopback."""
    server = _Server()
    yield server
    server.close()


@pytest.mark.host
@pytest.mark.slow
@browser
def test_forms_are_sent_and_pages_photographed_wide_narrow_and_dark(app: _Server, tmp_path: Path) -> None:
    visits = (
        Visit(path="/new", values={"name": "Ada", "done": True, "not there": "x"}),
        Visit(path="/", title="Home"),
        Visit(path="/", title="Home, on a phone", narrow=True),
        Visit(path="/", title="Home, in the dark", dark=True),
    )
    session = shoot(app.url, visits, tmp_path)
    assert session.problems == ()
    assert app.posted == ["token=t&name=Ada&kind=a&done=1"]
    assert [(shot.title, shot.narrow, _size(shot.file)[0]) for shot in session.shots] == [
        ("Home", False, 1280),
        ("Home, on a phone", True, 390),
        ("Home, in the dark", False, 1280),
    ]
    light, _, dark = (shot.file.read_bytes() for shot in session.shots)
    assert light != dark


def _size(file: Path) -> tuple[int, int]:
    """Width and height from the header of a PNG (w3.org/TR/png, IHDR)."""
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.host
@pytest.mark.slow
@browser
def test_the_browser_reaches_the_app_and_nothing_else(app: _Server, elsewhere: _Server, tmp_path: Path) -> None:
    port = elsewhere.url.rpartition(":")[2]
    hosts = ("127.0.0.1", "localhost", "127.0.0.2", "[::1]", "0.0.0.0")  # noqa: S104 - asked, not bound
    targets = [f"http://{host}:{port}/x" for host in hosts]
    app.script = f"""
    for (const url of {targets}) {{
      fetch(url, {{mode: "no-cors"}}).catch(() => 0);
      new Image().src = url + ".png";
      new WebSocket(url.replace("http", "ws"));
    }}
    fetch("/own");
    """
    session = shoot(app.url, (Visit(path="/", title="Home"),), tmp_path)
    assert (session.problems, len(session.shots)) == ((), 1)
    assert "/own" in app.asked
    assert elsewhere.asked == []


@pytest.mark.host
@pytest.mark.slow
@browser
def test_a_page_that_does_not_come_is_a_problem_and_the_others_are_taken(tmp_path: Path, app: _Server) -> None:
    visits = (Visit(path="/", title="Home", follow="/nowhere"), Visit(path="/", title="Home"))
    session = shoot(app.url, visits, tmp_path)
    assert [problem.partition(":")[0] for problem in session.problems] == ["/"]
    assert [shot.title for shot in session.shots] == ["Home"]


def test_without_a_browser_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert shoot("http://127.0.0.1:9", (), tmp_path).problems == (
        "no pictures: Chromium is not installed. Type: apt-get install -y chromium",
    )
