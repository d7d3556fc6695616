"""AsyncAPI's own parser, really run, and what is made of what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.checks.test_pyright_spectral import set_of_tools
from tests.verify.played import Played, context_of, told

from omni.verify.check import Failed, Output
from omni.verify.checks.asyncapi_parser import run
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]

HEAD = "info: {title: Orders, version: '1'}\n"
V2 = f"""asyncapi: 2.6.0
{HEAD}channels:
  orders/{{id}}:
    publish:
      operationId: a
      message:
        payload: {{type: object, properties: {{id: {{type: integer}}}}}}
        examples:
          - payload: {{id: text}}
    subscribe:
      operationId: a
      message: {{$ref: 'parts.yaml#/gone'}}
"""
V3 = f"""asyncapi: 3.0.0
{HEAD}channels:
  orders: {{address: orders}}
  far: {{$ref: 'https://example.com/far.yaml'}}
operations:
  one: {{action: shout, channel: {{$ref: '#/channels/orders'}}}}
  two:
    action: send
    chanel: {{$ref: '#/channels/orders'}}
"""
CLEAN = f"""asyncapi: 3.0.0
{HEAD}channels:
  orders: {{address: orders}}
operations:
  one: {{action: send, channel: {{$ref: '#/channels/orders'}}}}
"""


@pytest.mark.slow
@pytest.mark.host
def test_what_the_specification_does_not_allow(look: Callable[..., CheckResult]) -> None:
    set_of_tools("asyncapi")
    files = {"asyncapi-2.yaml": V2, "asyncapi-3.yaml": V3, "clean/asyncapi.yaml": CLEAN, "parts.yaml": "a: 1\n"}
    result = look("asyncapi-parser", files)
    assert [f"{each.rule} {each.path}:{each.line}" for each in result.findings] == [
        "invalid-ref asyncapi-2.yaml:1",
        "asyncapi2-operation-operationId-uniqueness asyncapi-2.yaml:6",
        "asyncapi2-message-examples asyncapi-2.yaml:10",
        "asyncapi-document-resolved asyncapi-3.yaml:4",
        "asyncapi-document-resolved asyncapi-3.yaml:8",
    ]
    assert result.findings[0].message == "gone.$ref: '#/gone' does not exist @ 'parts.yaml'"
    assert (result.status, result.reason) == (
        Status.FAIL,
        "asyncapi-3.yaml:5: what the reference leads to can't be had here",
    )


def said(line: int, *path: str | int, code: str = "wrong", severity: int = 0, **more: str) -> Mapping[str, object]:
    place = {"range": {"start": {"line": line - 1, "character": 0}}}
    return {"code": code, "message": "m", "path": path, "severity": severity, **place, **more}


def test_a_part_speaks_for_the_whole_and_our_own_rules_are_not_repeated(write: Write) -> None:
    answer = [
        said(4, "channels"),
        said(4, "channels", "orders"),
        said(4, "channels", "orders", "address"),
        said(4, "channels", "orders", "again"),
        said(6, code="opinion", severity=1),
        said(7, "operations", "one", "action"),
        said(8, "id", source="/work/parts.yaml"),
        said(5, "channels", "far", "$ref", code="invalid-ref"),
        said(1, code="uncaught-error"),
    ]
    played = Played([Output(0, json.dumps([answer]), "")])
    context = context_of(write({"asyncapi.yaml": V3, "parts.yaml": ""}), "asyncapi-parser", played)
    assert told(run(context)) == [
        "error wrong asyncapi.yaml:4 channels.orders.address: m",
        "error wrong parts.yaml:8 id: m",
        "incomplete: asyncapi.yaml:5: what the reference leads to can't be had here",
        "unseen asyncapi.yaml: AsyncAPI's parser can't read it",
    ]
    assert played.asked[0][-1] == "/work/asyncapi.yaml"


@pytest.mark.parametrize(
    "answer",
    [
        Output(1, "[[]]", "no\n parser"),
        *(Output(0, text, "no parser") for text in ("", "{}", "[]", "[[],[]]", '[[{"code": "x"}]]', "[" * 100_000)),
    ],
)
def test_what_it_did_not_say_is_no_pass(write: Write, answer: Output) -> None:
    context = context_of(write({"asyncapi.yaml": V3}), "asyncapi-parser", Played([answer]))
    with pytest.raises(Failed, match="AsyncAPI's parser did not look at the documents: no parser") as failed:
        list(run(context))
    assert failed.value.status is Status.INCOMPLETE


def test_where_it_does_not_apply(write: Write) -> None:
    context = context_of(write({"asyncapi.yaml": "openapi: 3.1.0\n"}), "asyncapi-parser")
    assert told(run(context)) == ["skipped: there is no AsyncAPI document"]
