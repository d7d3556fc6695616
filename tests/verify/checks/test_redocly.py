"""Redocly, really run, and what is made of what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.checks.test_pyright_spectral import set_of_tools
from tests.verify.played import Played, context_of, told

from omni.verify.check import Failed, Output
from omni.verify.checks.redocly import RULES, run
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Look = Callable[..., CheckResult]

HEAD = "openapi: 3.1.0\ninfo: {title: Orders, version: '1'}\n"
CLEAN = f"""{HEAD}paths:
  /orders/{{id}}:
    get:
      operationId: one
      parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]
      responses: {{'200': {{description: ok}}}}
"""
FAULTY = f"""{HEAD}paths:
  /orders/{{id}}:
    get:
      operationId: one
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {{type: object, properties: {{id: {{type: integer}}}}}}
              example: {{id: text}}
  /all:
    get:
      operationId: one
      security: [{{gone: []}}]
      responses: {{'200': {{description: ok}}}}
  /far: {{$ref: 'https://example.com/far.yaml'}}
  /near: {{$ref: 'near.yaml'}}
"""


@pytest.mark.slow
@pytest.mark.host
def test_what_contradicts_itself(look: Look) -> None:
    set_of_tools("redocly")
    result = look("redocly", {"openapi.yaml": FAULTY, "clean/openapi.yaml": CLEAN})
    assert [f"{each.severity} {each.rule} {each.line}" for each in result.findings] == [
        "error path-parameters-defined 5",
        "warning no-invalid-media-type-examples 13",
        "error operation-operationId-unique 16",
        "error security-defined 17",
        "error no-unresolved-refs 20",
    ]
    assert (result.status, result.reason) == (
        Status.FAIL,
        "openapi.yaml:19: what the reference leads to can't be had here",
    )
    ruled = look("redocly", {"openapi.yaml": CLEAN, "redocly.yaml": "rules: {info-license: error}\n"})
    assert told(ruled.findings) == [
        f"error info-license {path}:2 Info object should contain `license` field."
        for path in ("clean/openapi.yaml", "openapi.yaml")
    ]


def said(line: int, *, rule: str = "r", message: str = "m", severity: str = "error") -> Mapping[str, object]:
    place = {"source": {"ref": "openapi.yaml"}, "start": {"line": line, "col": 1}}
    return {"ruleId": rule, "severity": severity, "message": message, "location": [place]}


PROBLEMS = [
    said(1, severity="other"),
    said(5, message="Every operation should have security defined on it."),
    said(19, rule="no-unresolved-refs", message="Can't resolve $ref: fetch failed"),
    said(20, rule="no-unresolved-refs", message="Can't resolve $ref: no file '/work/near.yaml'"),
]


@pytest.mark.parametrize("own", [False, True])
def test_an_opinion_counts_where_the_project_has_it(write: Write, own: bool) -> None:
    played = Played([Output(1, json.dumps({"problems": PROBLEMS}), "")])
    files = {"openapi.yaml": FAULTY, "broken/openapi.yaml": "openapi: 3.1.0\na: [", "other/openapi.yaml": "a: 1\n"}
    context = context_of(write({**files, **({"redocly.yaml": "{}"} if own else {})}), "redocly", played)
    assert told(run(context)) == [
        "note r openapi.yaml:1 m",
        *(["error r openapi.yaml:5 Every operation should have security defined on it."] if own else []),
        "incomplete: openapi.yaml:19: what the reference leads to can't be had here",
        "error no-unresolved-refs openapi.yaml:20 Can't resolve $ref: no file 'near.yaml'",
    ]
    (asked,) = played.asked
    assert asked[-6:] == ("lint", "--format", "json", "--max-problems", "10000", "openapi.yaml")
    assert (asked[0] == "redocly", RULES.read_text() in asked) == (own, not own)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"problems": []}{"problems": []}', '{"problems": [{"ruleId": "r"}]}', "[" * 100_000]
)
def test_what_it_did_not_say_is_no_pass(write: Write, text: str) -> None:
    context = context_of(
        write({"openapi.yaml": CLEAN}),
        "redocly",
        Played([Output(1, text, "it\n broke\n\n  \u2554=\u2557\n  \u2551 Buy a newer Node \u2551\n")]),
    )
    with pytest.raises(Failed, match=r"Redocly reports of \d of 1 documents: it broke") as failed:
        list(run(context))
    assert failed.value.status is Status.INCOMPLETE


def test_where_it_does_not_apply(write: Write) -> None:
    context = context_of(write({"openapi.yaml": "a: 1\n"}), "redocly")
    assert told(run(context)) == ["skipped: there is no OpenAPI document"]
