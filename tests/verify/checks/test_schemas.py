from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.analysis.positions import line_of_path, steps
from omni.verify.check import Output
from omni.verify.checks import schemas
from omni.verify.report import CheckResult, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]
Files = Mapping[str, str | bytes]

WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    step: []\n"
STEPS = "steps:\n  - name: a\n    image: alpine\n    commands: ['true']\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"compose.yaml": "services:\n  web:\n    image: nginx\n    port: ['80:80']\n"},
            ["error compose-spec compose.yaml:4"],
        ),
        ({"compose.yaml": "services:\n  web:\n    image: nginx\n    ports: ['80:80']\n"}, []),
        ({".github/workflows/ci.yml": WORKFLOW}, ["error github-workflows .github/workflows/ci.yml:5"]),
        ({".gitea/workflows/ci.yml": WORKFLOW}, ["error github-workflows .gitea/workflows/ci.yml:5"]),
        ({".github/workflows/ci.yml": WORKFLOW.replace("step: []", "steps: [{run: 'true'}]")}, []),
        ({".woodpecker/ci.yml": STEPS}, []),
        ({".woodpecker/ci.yml": STEPS.replace("image", "imag")}, ["error woodpecker-ci .woodpecker/ci.yml:3"]),
        (
            {"a.schema.json": '{\n  "$schema": "http://json-schema.org/draft-07/schema#",\n  "type": "strin"\n}\n'},
            ["error metaschema a.schema.json:3"],
        ),
        ({"a.schema.json": '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string"}\n'}, []),
    ],
)
def test_files_keep_to_their_schema(look: Look, files: Files, expected: list[str]) -> None:
    result = look("schemas", files)
    assert [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings] == expected
    assert (result.status, result.reason) == (Status.FAIL if expected else Status.PASS, "")


def test_a_file_that_does_not_parse_is_no_pass(look: Look) -> None:
    assert look("schemas", {"compose.yaml": "services: [\n"}).status is not Status.PASS


ASYNCAPI = "asyncapi: 3.0.0\ninfo:\n  title: Orders\n  version: 1.0.0\nchannels:\n  orders:\n    address: orders\n"
OPERATION = "operations:\n  place:\n    action: send\n    channel:\n      $ref: '#/channels/orders'\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ASYNCAPI + OPERATION, []),
        (ASYNCAPI.replace("  title: Orders\n", ""), ["error missing-field asyncapi.yaml:2"]),
        (ASYNCAPI + OPERATION.replace("send", "publish"), ["error invalid-value asyncapi.yaml:10"]),
        (ASYNCAPI + OPERATION.replace("/orders", "/order"), ["error reference-to-nowhere asyncapi.yaml:12"]),
        (ASYNCAPI.replace("3.0.0", "9.0.0"), ["error invalid-value asyncapi.yaml:1"]),
        (
            ASYNCAPI + "    messages:\n      placed:\n        payload:\n          type: objct\n",
            ["error invalid-value asyncapi.yaml:11"],
        ),
        ("asyncapi: 2.6.0\ninfo:\n  title: a\n  version: '1'\n", ["error missing-field asyncapi.yaml:1"]),
        ("name: nothing of the kind\n", []),
    ],
)
def test_asyncapi(found: Found, text: str, expected: list[str]) -> None:
    assert found("asyncapi", {"asyncapi.yaml": text}) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("asyncapi: 3.0.0\ninfo: &a\n  title: *a\n", "nested too deeply"),
        ("asyncapi: 3.0.0\ninfo: [" + "[" * 3000, "it does not parse"),
        ("asyncapi: 3.0.0\n\tinfo: x\n", "it does not parse"),
    ],
)
def test_an_asyncapi_document_that_can_not_be_read_is_no_pass(look: Look, text: str, reason: str) -> None:
    result = look("asyncapi", {"asyncapi.yaml": text})
    assert (result.status, result.coverage.failed) == (Status.INCOMPLETE, {"asyncapi.yaml": reason})


@pytest.mark.parametrize(
    "text", ["a:\n  asyncapi: 3.0.0\n", "asyncapi: 3\ninfo: []\n", "asyncapi: 3.0.0\n1: {2: {$ref: '#/3'}}\n"]
)
def test_odd_asyncapi_documents_are_no_crash(look: Look, text: str) -> None:
    assert look("asyncapi", {"asyncapi.yaml": text}).status in {Status.FAIL, Status.PASS}


def test_paths_lead_to_lines() -> None:
    text = "a:\n  - b: 1\n  - c:\n      d: 2\n---\nx:\n  y: 3\n"
    assert steps("$.a[1].c['d']") == ["a", 1, "c", "d"]
    assert steps("spec.ports.0") == ["spec", "ports", 0]
    assert line_of_path(text, ["a", 1, "c", "d"]) == 4
    assert line_of_path(text, ["a", 7]) == 1
    assert line_of_path(text, ["x", "y"], document=1) == 7
    assert line_of_path("a: [", ["a"]) == 1


def test_what_is_said_of_a_file_is_told_at_its_line(write: Write) -> None:
    def error(message: str, path: str, **more: object) -> dict[str, object]:
        return {"filename": "a.json", "message": message, "path": path, **more}

    report = {
        "errors": [
            error("bad", "$"),
            error("bad", "$.b[0]"),
            error("no form fits", "$", best_deep_match={"message": "'c' was unexpected", "path": "$"}),
            error("'matrix' is a required property", "$.b"),
            error("bad", "$.b", filename="gone.json"),
            error("x" * 400, "$"),
        ],
        "parse_errors": [{"filename": "d.json"}],
    }
    context = context_of(write({"a.json": '{\n "b": [\n  1],\n "c": 2}\n'}), "schemas")
    assert told(schemas.parse(context, Output(1, json.dumps(report), ""), "own")) == [
        "unseen d.json: it does not parse",
        "error own a.json:1 bad",
        "error own a.json:3 b[0]: bad",
        "error own a.json:4 'c' was unexpected",
        "error own gone.json:1 b: bad",
        f"error own a.json:1 {'x' * 300}",
    ]


def test_a_validator_that_fails_is_no_pass(write: Write) -> None:
    context = context_of(write({}), "schemas")
    failed = Output(2, '{"errors": []}', " no \n network ")
    assert told(schemas.parse(context, failed, "own")) == ["incomplete: check-jsonschema failed: no network"]
    assert told(schemas.parse(context, Output(0, '{"errors": []}', ""), "own")) == []
    with pytest.raises(TypeError, match="did not print an object"):
        told(schemas.parse(context, Output(0, "[]", ""), "own"))
