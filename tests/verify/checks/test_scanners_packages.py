from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of, told

from omni.verify.check import Output
from omni.verify.checks.scanners_packages import parse_licensee, parse_npm_audit, parse_trivy
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]


def test_each_advisory_is_told_at_the_package_that_it_is_about(write: Write) -> None:
    """`via` also names packages that bring the vulnerability; these have an entry of their own."""
    about = {"range": "<2", "title": "bad", "source": 7}
    levels = ("critical", "high", "moderate", "low", "info")
    via = [{**about, "severity": level, "url": "https://x.example/GHSA-1"} for level in levels]
    report = {
        "vulnerabilities": {
            "a": {"via": ["b", *via], "fixAvailable": False},
            "b": {"via": [{**about, "severity": "high"}], "fixAvailable": True},
        }
    }
    found = list(parse_npm_audit(context_of(write({}), "npm-audit"), Output(1, json.dumps(report), "")))
    assert told(found) == [
        *(
            f"{severity} GHSA-1 package-lock.json:None a <2: bad"
            for severity in ("error", "error", "warning", "note", "note")
        ),
        "error 7 package-lock.json:None b <2: bad",
    ]
    assert [each.fix for each in found if isinstance(each, Finding)] == [
        *["There is no better version yet: replace it."] * 5,
        "Type: npm audit fix",
    ]


@pytest.mark.parametrize(
    ("report", "why"),
    [({"message": "no lock", "error": 1}, "no lock"), ({"error": "offline"}, "offline"), ({}, "it said nothing")],
)
def test_an_audit_that_failed_is_a_gap(write: Write, report: dict[str, object], why: str) -> None:
    said = told(parse_npm_audit(context_of(write({}), "npm-audit"), Output(1, json.dumps(report), "")))
    assert said == [f"incomplete: npm audit failed: {why}"]


def test_a_licence_that_is_not_known(write: Write) -> None:
    names = ("MIT", "NOASSERTION", "NONE", None)
    report = {"matched_files": [{"filename": f"LICENSE{n}", "matched_license": name} for n, name in enumerate(names)]}
    context = context_of(write({}), "licensee")
    assert told(parse_licensee(context, Output(0, json.dumps(report), ""))) == [
        f"warning unknown-licence LICENSE{n}:1 it is no licence that is known" for n in (1, 2, 3)
    ]
    with pytest.raises(TypeError, match="did not print an object"):
        told(parse_licensee(context, Output(0, "[]", "")))


def test_trivy_s_tables_become_sentences(write: Write) -> None:
    messages = (
        "Package: requests\nInstalled Version: 2.30.0\nSeverity: MEDIUM\nFixed Version: 2.31.0\nLink: x",
        "Package: requests\nInstalled Version: 2.30.0\nFixed Version: ",
        "Artifact: Dockerfile\nType: dockerfile\nMessage: Say: who runs it\nLink: x",
        "plain",
    )
    results = [{"ruleId": "R", "level": "note", "message": {"text": each}} for each in messages]
    failed = [{"executionSuccessful": False}]
    report = {"runs": [{"tool": {"driver": {}}, "results": results, "invocations": failed}]}
    context = context_of(write({}), "trivy")
    assert told(parse_trivy(context, Output(0, json.dumps(report), ""))) == [
        "note R :None requests 2.30.0 has a known vulnerability, fixed in 2.31.0",
        "note R :None requests 2.30.0 has a known vulnerability, not fixed yet",
        "note R :None Say: who runs it",
        "note R :None plain",
        "incomplete: the tool says that it did not finish its work",
    ]
