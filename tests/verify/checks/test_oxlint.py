"""How much each of oxlint's findings counts; that oxlint finds them is in test_tools.py."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

FILES = {"a.js": "f();\n"}
NOTHING = "No files found to lint. Please check your paths and ignore patterns.\n"


def diagnostic(code: str | None, **more: object) -> dict[str, object]:
    labels = [{"span": {"line": 1, "column": 3, "offset": 0}}, {"span": {"line": 9, "column": 9}}]
    return {"code": code, "message": "it is so", "filename": "a.js", "labels": labels, "severity": "error"} | more


def test_what_is_surely_wrong_is_an_error(replay: Replay) -> None:
    told = [
        diagnostic("eslint(no-debugger)", help="Remove it."),
        diagnostic("eslint(no-eval)"),
        diagnostic("eslint(no-empty)"),
        diagnostic("typescript(no-this-alias)"),
        diagnostic(None),
        diagnostic("odd", labels=[]),
        {"code": "", "message": "no file", "labels": []},
    ]
    result = replay("oxlint", FILES, json.dumps({"diagnostics": told}))
    assert [
        (str(each.severity), each.rule, each.path, each.line, each.column, each.cwe) for each in result.findings
    ] == [
        ("error", "syntax", "", None, None, ""),
        ("error", "syntax", "a.js", None, None, ""),
        ("error", "no-debugger", "a.js", 1, 3, ""),
        ("warning", "no-empty", "a.js", 1, 3, ""),
        ("error", "no-eval", "a.js", 1, 3, "CWE-95"),
        ("warning", "no-this-alias", "a.js", 1, 3, ""),
        ("error", "syntax", "a.js", 1, 3, ""),
    ]
    fixes = {each.rule: each.fix for each in result.findings}
    assert fixes["no-debugger"] == "Remove it."
    assert fixes["no-empty"] == "See the page of the rule in oxlint's documentation."


def test_where_all_is_minified_it_finds_nothing(replay: Replay) -> None:
    result = replay("oxlint", FILES, f'{NOTHING}{{"diagnostics": []}}')
    assert (result.status, result.findings) == (Status.PASS, ())


@pytest.mark.parametrize("told", ["", "[]", "{}", "words"])
def test_what_is_no_report_is_no_result(replay: Replay, told: str) -> None:
    assert replay("oxlint", FILES, told).status is Status.ERROR
