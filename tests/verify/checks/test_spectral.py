"""The real Spectral is run in test_pyright_spectral.py; here is what it is asked, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify.check import Failed, Output
from omni.verify.checks.spectral import DOCUMENT, RULESET, run
from omni.verify.report import Status

Write = Callable[[Mapping[str, str | bytes]], Path]
API = {".spectral.yaml": "rules: {}\n", "openapi.yaml": "openapi: 3.1.0\n", "other.yaml": "a: 1\n"}


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (".spectral.yaml", True),
        (".spectral.yml", True),
        (".spectral.json", True),
        (".spectral.js", True),
        (".spectral.mjs", True),
        ("api/.spectral.yaml", False),
        (".spectral.yaml.bak", False),
        ("spectral.yaml", False),
    ],
)
def test_a_ruleset_lies_at_the_root(name: str, is_one: bool) -> None:
    assert bool(RULESET.match(name)) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("openapi: 3.1.0\n", True),
        ("# mine\nasyncapi : 3.0.0\n", True),
        ("'swagger': '2.0'\n", True),
        ('{\n  "openapi": "3.1.0"}', True),
        ("info:\n  openapi: 3\n", False),
        ('{"a": 1, "b": {"openapi": 3}}', False),
    ],
)
def test_a_document_says_what_it_is(text: str, is_one: bool) -> None:
    assert bool(DOCUMENT.search(text)) is is_one


def test_each_result_is_told_at_its_line(write: Write) -> None:
    def said(**more: object) -> dict[str, object]:
        return {"code": "r", "message": "bad", "source": "openapi.yaml", **more}

    report = [
        said(severity=0, range={"start": {"line": 0, "character": 3}}),
        said(severity=1, range={"start": {"line": 4}}),
        said(severity=2, range={}),
        said(severity=3),
        said(severity="error", range={"start": {"line": "x"}}),
    ]
    played = Played([Output(1, json.dumps(report), "")])
    assert told(run(context_of(write({**API, ".spectral.js": ""}), "spectral", played))) == [
        "error r openapi.yaml:1 bad",
        "warning r openapi.yaml:5 bad",
        "note r openapi.yaml:None bad",
        "note r openapi.yaml:None bad",
        "note r openapi.yaml:None bad",
    ]
    assert played.asked == [
        ("spectral", "lint", "--format", "json", "--quiet", "--ruleset", ".spectral.js", "openapi.yaml")
    ]


@pytest.mark.parametrize(
    ("answer", "why", "status"),
    [
        (Output(2, "said", "no\n rules"), "Spectral ended with 2: no rules", Status.INCOMPLETE),
        (Output(3, " only  here\n", ""), "Spectral ended with 3: only here", Status.INCOMPLETE),
        *(
            (Output(1, text, ""), "Spectral did not print what it should, so its result is unknown", Status.ERROR)
            for text in ("", "{}", "[1]", '[{"code": "r"}]', '[{"code":1,"message":1,"source":1,"severity":9}]')
        ),
    ],
)
def test_what_it_did_not_say_is_no_pass(write: Write, answer: Output, why: str, status: Status) -> None:
    with pytest.raises(Failed) as failed:
        list(run(context_of(write(API), "spectral", Played([answer]))))
    assert (failed.value.why, failed.value.status) == (why, status)


def test_where_it_does_not_apply(write: Write) -> None:
    root = write({"api/.spectral.yaml": "rules: {}\n", "a.yaml": "a: 1\n"})
    assert told(run(context_of(root, "spectral"))) == ["skipped: the project has no ruleset of Spectral at its root"]
    write({".spectral.yaml": "rules: {}\n"})
    assert told(run(context_of(root, "spectral"))) == ["skipped: there is no OpenAPI or AsyncAPI document"]
