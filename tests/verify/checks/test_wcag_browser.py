"""A server of a few lines, served in the sandbox and looked at by axe-core in Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.verify.played import context_of, told

from omni.verify.check import Failed
from omni.verify.checks import wcag_browser
from omni.verify.config import load_config
from omni.verify.deep.play import Step
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Look = Callable[..., CheckResult]

SERVER = """\
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = {"/": "start.html", "/order": "order.html"}.get(self.path)
        self.send_response(200 if name else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(Path(name).read_bytes() if name else b"")


HTTPServer(("127.0.0.1", 8127), Handler).serve_forever()
"""
PAGE = (
    '<!doctype html>\n<html lang="en">\n<head><title>Shop</title></head>\n<body>\n<main>\n{}\n</main>\n</body></html>\n'
)
START = PAGE.format('<h1>Shop</h1>\n<a href="/order">Order</a>')
ORDER = (
    '<h1>Order</h1>\n<form>\n<label for="amount">Amount</label>\n<input id="amount">\n<button>Send</button>\n</form>'
)
SOFT = '<p id="hint" style="color: #999; background: #fff">Three at least</p>'
SERVE = '[verify.serve]\ncommand = ["python3", "serve.py"]\nport = 8127\n'


def shop(order: str) -> dict[str, str]:
    return {"serve.py": SERVER, "start.html": START, "order.html": PAGE.format(order), "omni.toml": SERVE}


def test_not_declared(look: Look) -> None:
    result = look("wcag-browser", {"a.py": "x = 1\n"})
    assert (result.status, result.reason) == (Status.SKIPPED, "omni.toml declares no [verify.serve]")


@pytest.mark.slow
@pytest.mark.host
def test_pages_that_everybody_can_use(look: Look) -> None:
    result = look("wcag-browser", shop(ORDER))
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
    assert result.metrics == {"axe.pages": 2}


@pytest.mark.slow
@pytest.mark.host
def test_what_only_a_browser_sees_is_found_on_a_page_that_is_linked(look: Look) -> None:
    result = look("wcag-browser", shop(f"{ORDER}\n{SOFT}"))
    assert result.status is Status.FAIL
    assert [(each.rule, each.path, each.line) for each in result.findings] == [("color-contrast", "order.html", 12)]
    assert result.findings[0].message.startswith("/order: ")
    assert "dequeuniversity.com" in result.findings[0].fix


BUTTON = '<button id="send" class="x">'
CONTRAST = {"id": "color-contrast", "impact": "serious", "help": "Enough contrast", "url": "https://x.example/c"}


def page(path: str, *nodes: tuple[str, str]) -> dict[str, object]:
    return {"path": path, "violations": [{**CONTRAST, "nodes": [{"html": h, "target": t} for h, t in nodes]}]}


@pytest.fixture
def seen(
    write: Write, stage: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[list[str], list[object]]]:
    """What is said of the shop when the browser leaves this, and what was asked for."""
    monkeypatch.setattr(wcag_browser, "_browser", lambda: "/opt/chrome")

    def look(left: object, exit_code: int = 0, said: str = "") -> tuple[list[str], list[object]]:
        def does(_step: Step, work: Path) -> tuple[int, str]:
            if left is not None:
                (work / "omni-deep").mkdir()
                (work / wcag_browser.REPORT).write_text(json.dumps(left))
            return exit_code, said

        asked = stage("checks.wcag_browser", does)
        root = write({**shop(f"{ORDER}\n{BUTTON}"), "app.css": "button { color: #999 }\n"})
        return told(wcag_browser.run(context_of(root, "wcag-browser", project=load_config(root)))), asked

    return look


def test_each_fault_is_told_once_at_the_template_that_writes_it(seen: Callable[..., Any]) -> None:
    left = {
        "pages": [
            page("/", (BUTTON, "#send"), ("<a>", "a")),
            page("/order", (BUTTON, "#send")),
            page("/more", ('<i href="{x}">', "i")),
            page("/none"),
            {"path": "/fine", "violations": []},
        ],
        "problems": [{"path": "/slow", "why": "it took too long"}],
    }
    said, asked = seen(left)
    fault = "error color-contrast"
    assert said == [
        "axe.pages = 5",
        "incomplete: /slow could not be looked at: it took too long",
        f"{fault} order.html:12 /: Enough contrast (#send: {BUTTON})",
        f'{fault} omni.toml:1 /more: Enough contrast (i: <i href="{{x}}">)',
        f"{fault} omni.toml:1 /none: Enough contrast (: )",
    ]
    server, step = asked
    assert (server.port, step.name, step.out) == (8127, "axe", wcag_browser.REPORT)
    assert json.loads(step.argv[-1]) == {
        "url": "http://127.0.0.1:8127",
        "pages": ["/"],
        "most": 20,
        "browser": "/opt/chrome",
    }


@pytest.mark.parametrize(
    ("left", "exit_code", "said", "expected"),
    [
        ({"pages": [], "problems": []}, 0, "", ["axe.pages = 0", "skipped: the server has no pages in HTML"]),
        (
            {"pages": [], "problems": [{"path": "/", "why": "no answer"}]},
            0,
            "",
            ["axe.pages = 0", "incomplete: / could not be looked at: no answer"],
        ),
        ({"pages": 3}, 0, "", ["incomplete: what the browser said can't be read"]),
        (None, 0, "crashed", ["incomplete: the browser could not look at it: crashed"]),
        ({"pages": [], "problems": []}, 1, "crashed", ["incomplete: the browser could not look at it: crashed"]),
    ],
)
def test_what_the_browser_left(
    seen: Callable[..., Any], left: object, exit_code: int, said: str, expected: list[str]
) -> None:
    assert seen(left, exit_code, said)[0] == expected


@pytest.mark.parametrize(
    ("html", "place"),
    [
        ('<input id="amount">', ("order.html", 9)),
        ('<a href="/order">', ("start.html", 7)),
        ('<a href="/order" class="made-by-script">', ("omni.toml", 1)),
        ("<h1>Order</h1>", ("order.html", 6)),
        ("<h1>Order</h1> and more", ("omni.toml", 1)),
        ("<nav>", ("omni.toml", 1)),
        ("no element", ("omni.toml", 1)),
    ],
)
def test_the_place_of_an_element(write: Write, html: str, place: tuple[str, int]) -> None:
    assert wcag_browser._place(context_of(write(shop(ORDER)), "wcag-browser"), html) == place


def test_without_a_file_that_names_it_the_fault_has_no_place(write: Write) -> None:
    assert wcag_browser._place(context_of(write({"a.css": "<nav>"}), "wcag-browser"), "<nav>") == ("", 1)


def test_the_first_browser_that_is_there_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "google-chrome").touch(0o755)
    there = tmp_path / "google-chrome"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(wcag_browser, "BROWSERS", ("/nonexistent", "/bin/sh", "/bin/ls"))
    assert wcag_browser._browser() == "/bin/sh"
    monkeypatch.setattr(wcag_browser, "BROWSERS", ("/nonexistent",))
    assert wcag_browser._browser() == str(there)
    there.unlink()
    with pytest.raises(Failed, match="apt install chromium") as failed:
        wcag_browser._browser()
    assert failed.value.status is Status.INCOMPLETE
