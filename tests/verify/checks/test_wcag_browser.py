"""A server of a few lines, served in the sandbox and looked at by axe-core in Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

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
