from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of

from omni.sandbox.job import Mount
from omni.verify.check import Failed
from omni.verify.deep import stand_in
from omni.verify.deep.apis import Call, Mocked, answering, calls, mocked
from omni.verify.deep.declared import Api
from omni.verify.report import Status

Write = Callable[[Mapping[str, str]], Path]
CONTRACT = """\
openapi: 3.0.3
info: {title: pay, version: "1"}
servers: [{url: "https://pay.example/v1/"}]
paths:
  /charges/{id}:
    get:
      responses:
        default: {description: it, content: {text/plain: {example: paid}}}
  /charges:
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [amount]}}}
      responses:
        "400": {description: no}
        "201": {description: made, content: {application/json: {examples: {one: {value: {id: 7}}}}}}
    delete:
      responses:
        "204": {description: gone}
"""
FIXED = {"method": "get", "path": "/charges/0", "status": 404, "json": {"error": "gone"}, "headers": {"X-A": "b"}}
PAY = {"host": "pay.example", "openapi": "pay.yaml", "variable": "PAY", "answers": [FIXED]}


def pay(write: Write) -> Mocked:
    (made,) = mocked(context_of(write({"pay.yaml": CONTRACT}), "integration-tests"), [Api.model_validate(PAY)])
    return made


def test_fixed_answers_come_first_then_paths_without_parameters(write: Write) -> None:
    answers = [answer for _, answer in pay(write).answers]
    assert [(each["method"], each["path"], each["status"], each["headers"], each["body"]) for each in answers] == [
        ("GET", "/charges/0", 404, {"Content-Type": "application/json", "X-A": "b"}, '{"error": "gone"}'),
        ("POST", "/v1/charges", 201, {"Content-Type": "application/json"}, '{"id": 7}'),
        ("DELETE", "/v1/charges", 204, {}, ""),
        ("GET", "/v1/charges/[^/]+", 200, {"Content-Type": "text/plain"}, "paid"),
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "body", "problem"),
    [
        (-1, "", "", "POST /v1/charges is not in its contract"),
        (0, "", "", ""),
        (1, "", "", "a body is required"),
        (1, "text/plain", "x", "its body is to be application/json"),
        (1, "application/json; charset=utf-8", "{", "its body is no JSON"),
        (1, "application/json", "{}", "the body lacks “amount”"),
        (1, "application/json", '{"amount": 1}', ""),
        (2, "", "anything", ""),
    ],
)
def test_what_the_contract_says_of_a_call(write: Write, answer: int, kind: str, body: str, problem: str) -> None:
    call = Call(host="pay.example", known=True, method="POST", path="/v1/charges", answer=answer, type=kind, body=body)
    assert pay(write).problem(call) == problem


@pytest.mark.parametrize("files", [{}, {"pay.yaml": "a: ["}, {"pay.yaml": "openapi: 3.0.0"}, {"pay.yaml": "[]"}])
def test_a_contract_that_can_not_be_read(write: Write, files: dict[str, str]) -> None:
    context = context_of(write({"a.py": "", **files}), "integration-tests")
    with pytest.raises(Failed, match="the contract of an API, can't be read") as failed:
        mocked(context, [Api.model_validate(PAY)])
    assert failed.value.status is Status.INCOMPLETE


def test_what_runs_inside_and_who_finds_it(write: Write, tmp_path: Path) -> None:
    context = context_of(write({"pay.yaml": CONTRACT}), "integration-tests", Played([], {}))
    folder = tmp_path / "apis"
    shown, server = answering(context, [pay(write)], folder)
    assert shown.mounts == (Mount(folder, "/omni-apis"),)
    assert server.start == ("python3", "-I", "-S", "-c", inspect.getsource(stand_in), "/omni-apis/plan.json")
    proxy, certificate = "http://127.0.0.1:10280", "/omni-apis/trusted.pem"
    assert server.gives == {
        "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "http_proxy": proxy, "https_proxy": proxy,
        "SSL_CERT_FILE": certificate, "REQUESTS_CA_BUNDLE": certificate, "CURL_CA_BUNDLE": certificate,
        "NODE_EXTRA_CA_CERTS": certificate, "NO_PROXY": "127.0.0.1,localhost,::1",
        "no_proxy": "127.0.0.1,localhost,::1", "NODE_USE_ENV_PROXY": "1", "PAY": "http://127.0.0.1:10281",
    }  # fmt: skip
    plan = json.loads((folder / "plan.json").read_text())
    assert (plan["port"], plan["calls"]) == (10280, "/work/omni-deep/calls.jsonl")
    assert [(each["host"], each["port"], len(each["answers"])) for each in plan["apis"]] == [("pay.example", 10281, 4)]
    assert b"PRIVATE" in (folder / "server.pem").read_bytes()
    assert b"PRIVATE" not in (folder / "trusted.pem").read_bytes()


def test_calls_are_read_as_far_as_they_are_whole(tmp_path: Path) -> None:
    whole = {"host": "a", "known": False, "method": "GET", "path": "/", "answer": -1, "type": "", "body": ""}
    (tmp_path / "calls").write_text(f'{json.dumps(whole)}\n[]\n{{"host": "cut')
    assert list(calls(tmp_path / "calls")) == [Call.model_validate(whole)]
    assert list(calls(tmp_path / "none")) == []
