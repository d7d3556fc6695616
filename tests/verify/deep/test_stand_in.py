"""What answers inside the sandbox, over real connections; with TLS: test_integration_apis.py."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from omni.verify.deep.apis import _certificate
from omni.verify.deep.stand_in import Answer, Api, Plan, Server


@dataclass
class Place:
    proxy: int
    own: int
    calls: Path

    def ask(self, method: str, url: str, body: object = None, *, direct: bool = False) -> tuple[int, bytes]:
        port = self.own if direct else self.proxy
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request(method, url, body, encode_chunked=True)  # type: ignore[arg-type]
            answer = connection.getresponse()
            return answer.status, answer.read()

    def noted(self) -> list[tuple[str, bool, str, str, int, str]]:
        keys = ("host", "known", "method", "path", "answer", "body")
        return [tuple(json.loads(line)[key] for key in keys) for line in self.calls.read_text().splitlines()]  # type: ignore[misc]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "server.pem").write_bytes(_certificate(["a.example"])[1])
    answers: list[Answer] = [
        {"method": "GET", "path": "/one", "status": 200, "headers": {"Content-Type": "text/plain"}, "body": "1"},
        {"method": "POST", "path": "/many/[^/]+", "status": 201, "headers": {}, "body": ""},
        {"method": "HEAD", "path": "/one", "status": 200, "headers": {}, "body": "1"},
    ]
    api: Api = {"host": "a.example", "port": 0, "answers": answers}
    calls, certificate = tmp_path / "calls", tmp_path / "server.pem"
    plan: Plan = {"port": 0, "calls": str(calls), "certificate": str(certificate), "apis": [api]}
    with Server(plan, 0) as proxy, Server(plan, 0, api) as own:
        for server in (proxy, own):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield Place(proxy.server_address[1], own.server_address[1], calls)
        for server in (proxy, own):
            server.shutdown()


def test_declared_hosts_are_answered(place: Place) -> None:
    assert place.ask("GET", "http://A.example/one?q=1") == (200, b"1")
    assert place.ask("POST", "http://a.example/many/7", "text") == (201, b"")
    assert place.ask("POST", "http://a.example/many/8", iter([b"by ", b"parts"])) == (201, b"")
    assert place.ask("HEAD", "/one", direct=True) == (200, b"")
    said = b"omni: nothing is declared for GET /many/7 of a.example\n"
    assert place.ask("GET", "/many/7", direct=True) == (404, said)
    assert place.noted() == [
        ("a.example", True, "GET", "/one", 0, ""),
        ("a.example", True, "POST", "/many/7", 1, "text"),
        ("a.example", True, "POST", "/many/8", 1, "by parts"),
        ("a.example", True, "HEAD", "/one", 2, ""),
        ("a.example", True, "GET", "/many/7", -1, ""),
    ]


def test_other_hosts_are_refused_by_name(place: Place) -> None:
    said = b"omni: b.example is not declared, and nothing leaves the sandbox\n"
    assert place.ask("GET", "http://b.example/one") == (502, said)
    assert place.ask("CONNECT", "b.example:443") == (502, said)
    assert place.ask("GET", "/one")[0] == 502
    assert [(host, known, method) for host, known, method, *_ in place.noted()] == [
        ("b.example", False, "GET"),
        ("b.example", False, "CONNECT"),
        ("a server without a name", False, "GET"),
    ]
