"""A server of a few lines, served in the sandbox and asked by schemathesis and by Pact's verifier."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.verify import tools
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

ENVIRONMENT = Path(sys.prefix)
SERVER = """\
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/openapi.json":
            return self.answer(200, json.loads(Path("openapi.json").read_text()))
        try:
            number = int(self.path.removeprefix("/orders/"))
        except ValueError:
            return self.answer(422, {})
        return self.answer(200, {"id": number, "total": TOTAL})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("127.0.0.1", 8123), Handler).serve_forever()
"""
ORDER = {
    "type": "object",
    "required": ["id", "total"],
    "properties": {"id": {"type": "integer"}, "total": {"type": "number"}},
}
API = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1.0.0"},
    "paths": {
        "/orders/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {"description": "ok", "content": {"application/json": {"schema": ORDER}}},
                    "422": {"description": "no", "content": {"application/json": {"schema": {}}}},
                },
            }
        }
    },
}
CONFIG = """\
[verify.serve]
command = ["python", "server.py"]
port = 8123
health = "/openapi.json"
openapi = "openapi.json"
seconds = 3
"""
PACT = {
    "consumer": {"name": "web"},
    "provider": {"name": "shop"},
    "interactions": [
        {
            "description": "an order",
            "request": {"method": "GET", "path": "/orders/3"},
            "response": {
                "status": 200,
                "body": {"id": 3, "total": 12.5},
                "matchingRules": {"$.body.total": {"match": "type"}},
            },
        }
    ],
    "metadata": {"pactSpecification": {"version": "2.0.0"}},
}


def shop(total: str) -> dict[str, str]:
    return {
        "omni.toml": CONFIG,
        "server.py": SERVER.replace("TOTAL", total),
        "openapi.json": json.dumps(API, indent=1),
        "pacts/web-shop.json": json.dumps(PACT, indent=1),
    }


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """The real sets of tools of this machine's Omni home; `look` first, since it replaces them with the base set."""
    settings = load_settings()
    monkeypatch.setattr(
        "omni.verify.session.Session._tools",
        lambda _, toolset: tools.open_tools(settings.home, settings.offline, print, toolset),
    )


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.usefixtures("sets")
def test_an_answer_of_another_shape(look: Look) -> None:
    result = look("contract-tests", shop('"12.5"'), environment=ENVIRONMENT)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == ("response-violates-schema", "openapi.json", 8)
    assert finding.message.startswith('GET /orders/{id}: Response violates schema: "12.5" is not of type "number"')
    assert "curl -X GET http://127.0.0.1:8123/orders/" in finding.fix


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.usefixtures("sets")
def test_the_clean_twin(look: Look) -> None:
    for check in ("contract-tests", "pact"):
        result = look(check, shop("12.5"), environment=ENVIRONMENT)
        assert (check, result.status, result.reason, result.findings) == (check, Status.PASS, "", ())


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.usefixtures("sets")
def test_a_consumer_that_gets_another_answer(look: Look) -> None:
    (finding,) = look("pact", shop('"12.5"'), environment=ENVIRONMENT).findings
    assert (finding.rule, finding.path, finding.line) == ("expectation-broken", "pacts/web-shop.json", 10)
    assert finding.message == (
        "an order: $.total Expected '12.5' (String) to be the same type as 12.5 (Decimal)"
    )  # fmt: skip


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.usefixtures("sets")
def test_a_server_that_does_not_start(look: Look) -> None:
    files = shop("12.5") | {"server.py": "raise SystemExit('no configuration')\n"}
    result = look("contract-tests", files, environment=ENVIRONMENT)
    assert result.status is Status.INCOMPLETE
    assert result.reason == "project can't be had: it ended with exit code 1: no configuration"


def test_nothing_declared(look: Look) -> None:
    files = shop("1") | {"omni.toml": ""}
    assert look("contract-tests", files).reason == "omni.toml declares no [verify.serve] with openapi"
    assert look("pact", files).reason == "omni.toml declares no [verify.serve]"


def test_another_provider(look: Look) -> None:
    files = shop("1") | {"omni.toml": CONFIG + 'provider = "bank"\n', "pacts/broken.json": "{"}
    assert look("pact", files).reason == "there is no Pact file about this provider"
