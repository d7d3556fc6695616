"""A server of a few lines, served in the sandbox and asked by schemathesis and by Pact's verifier."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.verify import tools
from omni.verify.deep.play import Server, Step
from omni.verify.report import CheckResult, Finding, Status

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


Stage = Callable[..., list[Server | Step]]

ROUTES = """\
from fastapi import FastAPI

app = FastAPI()


@app.post("/orders/{number}")
def change(number: int): ...


@app.get("/orders/{number}")
def order(number: int): ...
"""
CASE = """<testcase name="{operation}"><failure>1. Test Case ID: a

- {code} {said}

    {details}

[{status}] So:

    `x`

Reproduce with:

    curl -X {method} http://127.0.0.1:8123/orders/0
</failure></testcase>"""


def case(operation: str, code: str, said: str, details: str = "", status: int = 200, method: str = "") -> str:
    asked = method or operation.partition(" ")[0]
    return CASE.format(operation=operation, code=code, said=said, details=details, status=status, method=asked)


def left(stage: Stage, *cases: str, exit_code: int = 0, said: str = "") -> list[Server | Step]:
    """As if schemathesis had ended so, and left a report of these cases; without any: none."""

    def does(step: Step, work: Path) -> tuple[int, str]:
        report = work / step.argv[step.argv.index("--report-junit-path") + 1]
        report.parent.mkdir()
        if cases:
            report.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
        return exit_code, said

    return stage("checks.contract_tests", does)


def shown(each: Finding) -> tuple[str, str, str, int | None, str]:
    return str(each.severity), each.rule, each.path, each.line, each.message


def test_each_thing_that_was_promised_and_not_kept(look: Look, stage: Stage) -> None:
    """At the route where it can be read, else at the operation in the document."""
    left(
        stage,
        case("GET /orders/{id}", "ST101", "Server error", status=500),
        case("GET /orders/{id}", "ST108", "Response violates schema", '"1" is no number'),
        case("GET /orders/{id}", "ST103", "Undocumented status code", "Received: 201", status=201),
        case("GET /orders/{id}", "ST104", "Undocumented Content-Type", "Received: text/plain"),
        case("PUT /orders/{id}", "ST101", "Server error", status=500),
        case("Stateful tests", "ST101", "Server error", status=500, method="GET"),
        "<testcase name='GET /baskets'><error>no such\nparameter</error></testcase>",
        exit_code=1,
    )
    result = look("contract-tests", {**shop("12.5"), "app.py": ROUTES})
    assert [shown(each) for each in result.findings] == [
        (
            "error",
            "response-violates-schema",
            "app.py",
            10,
            'GET /orders/{id}: Response violates schema: "1" is no number (it answered 200)',
        ),
        ("error", "server-error", "app.py", 10, "GET /orders/{id}: Server error (it answered 500)"),
        (
            "error",
            "undocumented-response",
            "app.py",
            10,
            "GET /orders/{id}: Undocumented Content-Type: Received: text/plain (it answered 200)",
        ),
        (
            "error",
            "undocumented-response",
            "app.py",
            10,
            "GET /orders/{id}: Undocumented status code: Received: 201 (it answered 201)",
        ),
        ("error", "server-error", "openapi.json", 1, "Stateful tests: Server error (it answered 500)"),
        ("error", "server-error", "openapi.json", 8, "PUT /orders/{id}: Server error (it answered 500)"),
    ]
    assert result.findings[1].fix.endswith("or with 4xx. Ask it so: curl -X GET http://127.0.0.1:8123/orders/0")
    assert (result.status, result.reason, result.metrics) == (
        Status.FAIL,
        "GET /baskets could not be tested: no such parameter",
        {"contract.operations": 7},
    )


def test_where_neither_route_nor_document_can_be_read_it_is_what_serves_it(look: Look, stage: Stage) -> None:
    left(stage, case("GET /orders/{id}", "ST108", "Response violates schema"), exit_code=1)
    files = shop("12.5") | {"omni.toml": "# how it is served\n" + CONFIG.replace('"openapi.json"', '"/openapi.json"')}
    (finding,) = look("contract-tests", files).findings
    assert (finding.path, finding.line) == ("omni.toml", 2)


def test_how_schemathesis_is_asked(look: Look, stage: Stage) -> None:
    """The server comes after its services; each request gets the headers, and the time is what was declared."""
    asked = left(stage, "<testcase name='GET /orders/{id}'/>")
    config = CONFIG + 'headers = ["Authorization: Bearer x", "X-A: b"]\nbefore = [["python", "schema.py"]]\n'
    services = '[[verify.services]]\nkind = "smtp"\n'
    result = look("contract-tests", shop("12.5") | {"omni.toml": config + services})
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
    mail, server, step = asked
    assert isinstance(mail, Server)
    assert isinstance(server, Server)
    assert isinstance(step, Step)
    assert (mail.name, server.name, server.start) == ("smtp", "project", ("python", "server.py"))
    assert (server.port, server.prepare, server.health) == (8123, (("python", "schema.py"),), "/openapi.json")
    head, _, tail = " ".join(step.argv).partition(" --checks ")
    assert head == (
        "schemathesis run openapi.json --url http://127.0.0.1:8123 --header Authorization: Bearer x --header X-A: b"
    )
    assert "--continue-on-failure --seed 1 --max-time 3 " in tail
    served = shop("12.5") | {"omni.toml": CONFIG.replace('"openapi.json"', '"/openapi.json"')}
    look("contract-tests", served)
    assert isinstance(asked[-1], Step)
    assert asked[-1].argv[2:4] == ("http://127.0.0.1:8123/openapi.json", "--checks")


@pytest.mark.parametrize(
    ("cases", "exit_code", "reason"),
    [
        ((), 1, "schemathesis could not test it: no schema"),
        ((), 0, "schemathesis could not test it: no schema"),
        (("<testcase name='GET /'/>",), 2, "schemathesis could not test it: no schema"),
        (("<testcase",), 1, "the report of schemathesis can't be believed: it is not XML: "),
        (
            ("<testcase name='GET /'><skipped/></testcase>",),
            1,
            "the document names no operation that could be tested",
        ),
        (
            ("<testcase name='GET /'/>",),
            1,
            "schemathesis ended with exit code 1 and named nothing that counts: no schema",
        ),
        ((case("GET /", "ST101", "Server error", status=501, method="TRACE"),), 1, ""),
    ],
)
def test_what_it_could_not_test_is_said(
    look: Look, stage: Stage, cases: tuple[str, ...], exit_code: int, reason: str
) -> None:
    """What a server answers to a method that the document does not name is its own affair."""
    left(stage, *cases, exit_code=exit_code, said="no schema\n")
    result = look("contract-tests", shop("12.5"))
    assert (result.status, result.findings) == (Status.INCOMPLETE if reason else Status.PASS, ())
    assert result.reason.startswith(reason)
    assert bool(result.reason) == bool(reason)
