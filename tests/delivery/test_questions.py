from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from omni.delivery.questions import Observation, Question, ask, ask_as_described, headers, hidden_fields, visitor

Reply = tuple[int, dict[str, str], str]
Answer = Callable[[str, str, str, str], Reply]
"""(method, path, cookies, body) → (status, headers, body)"""


@pytest.fixture
def app() -> Iterator[Callable[[Answer], str]]:
    """Starts a small server whose answers are the given function's; gives its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                status, given, text = answer(self.command, self.path, self.headers.get("Cookie", ""), body)
                self.send_response(status)
                for name, value in given.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _form_page(method: str, path: str, cookies: str, body: str) -> Reply:
    """A form with a CSRF token that belongs to a Secure cookie, as apps in staging set it."""
    if method == "GET":
        page = '<form method=post><input type="hidden" name="csrf" value="t&amp;1"><input name="name"></form>'
        return 200, {"Set-Cookie": "csrf=1; Secure; HttpOnly; SameSite=Lax; Path=/"}, page
    sent = parse_qs(body)
    return (303 if sent == {"csrf": ["t&1"], "name": ["Ada"]} and "csrf=1" in cookies else 400), {}, ""


def test_a_form_is_sent_as_a_browser_would(app: Callable[[Answer], str]) -> None:
    with visitor(app(_form_page)) as client:
        seen = ask(client, Question(path="/sign-up", form={"name": "Ada"}, status=303))
    assert seen == Observation(name="POST /sign-up", ok=True, detail="303")


def test_an_answer_is_judged_by_status_and_text(app: Callable[[Answer], str]) -> None:
    with visitor(app(lambda method, *rest: (200, {}, f"{method} {rest[-1]}"))) as client:
        seen = [
            ask(client, Question(path="/", contains="GET")),
            ask(client, Question(path="/", contains="nothing")),
            ask(client, Question(path="/x", body={"a": "b"}, contains='"a"')),
            ask(client, Question(path="/", status=404)),
        ]
    assert [(one.name, one.ok, one.detail) for one in seen] == [
        ("GET /", True, "200"),
        ("GET /", False, "200 without 'nothing'"),
        ("POST /x", True, "200"),
        ("GET /", False, "200, not 404"),
    ]


def test_no_answer_is_an_observation() -> None:
    with visitor("http://127.0.0.1:9") as client:
        assert not ask(client, Question(path="/")).ok
        assert not headers(client, "/").ok
        assert [one.ok for one in ask_as_described(client, "/openapi.json")] == [False]


def test_missing_headers_are_named(app: Callable[[Answer], str]) -> None:
    url = app(lambda *_: (200, {"X-Content-Type-Options": "nosniff"}, ""))
    with visitor(url) as client:
        assert headers(client, "/").detail == "missing: content-security-policy, referrer-policy"


@pytest.mark.parametrize(
    ("statuses", "ok", "detail"),
    [
        ({"/a": 200, "/b": 401}, True, "2 of 2 GET operations answer as described"),
        ({"/a": 404, "/b": 401}, False, "GET /a answered 404"),
        ({"/a": 500, "/b": 500}, False, "GET /a answered 500; GET /b answered 500"),
    ],
)
def test_the_apps_own_description_is_followed(
    app: Callable[[Answer], str], statuses: dict[str, int], ok: bool, detail: str
) -> None:
    operation = {"responses": {"200": {}}}
    paths = {"/a": {"get": operation}, "/b": {"get": operation, "post": {}}, "/c/{id}": {"get": operation}, "/d": {}}
    document = json.dumps({"openapi": "3.1.0", "info": {}, "paths": paths})

    def answer(method: str, path: str, cookies: str, body: str) -> Reply:
        return (200, {}, document) if path == "/openapi.json" else (statuses[path], {}, "")

    with visitor(app(answer)) as client:
        assert list(ask_as_described(client, "/openapi.json")) == [
            Observation(name="description at /openapi.json", ok=ok, detail=detail)
        ]


@pytest.mark.parametrize("document", ["", "<html>", "{}", '{"openapi": "2.0", "paths": {}}', '{"openapi": "3.1.0"}'])
def test_a_description_that_can_not_be_read_or_is_empty_is_no_success(
    app: Callable[[Answer], str], document: str
) -> None:
    with visitor(app(lambda *_: (200, {}, document))) as client:
        assert [one.ok for one in ask_as_described(client, "/")] == [False]


def test_hidden_fields_of_a_page() -> None:
    page = (
        '<input type=hidden name=a value=1><input type="hidden" name="b"><input name="c" value="3"><input type=hidden>'
    )
    assert hidden_fields(page) == {"a": "1", "b": ""}
