"""What Biome prints, in the form of GitLab's code quality reports, is understood. Real runs: test_languages_real.py."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

CSS = "a {\n  colr: red;\n  *zoom: 1;\n  _height: 1px;\n  --own: 1;\n}\n"


def issue(rule: str, line: int, path: str = "a.css") -> dict[str, object]:
    return {"check_name": rule, "description": f"About {rule}.", "location": {"path": path, "lines": {"begin": line}}}


def test_each_issue(replay: Replay) -> None:
    """What every browser drops blocks, the rest warns; what only old browsers read is on purpose."""
    said = [
        issue("lint/correctness/noUnknownProperty", 2),
        issue("lint/correctness/noUnknownProperty", 3),
        issue("lint/correctness/noUnknownProperty", 4),
        issue("lint/suspicious/noEmptyBlock", 5, "{root}/a.css"),
        issue("parse", 1),
        issue("lint/correctness/noUnknownProperty", 1, "lib.min.css"),
    ]
    result = replay("css", {"a.css": CSS, "lib.min.css": "a{colr:red}"}, json.dumps(said), 1)
    assert [(str(each.severity), each.rule, each.path, each.line, each.message) for each in result.findings] == [
        ("warning", "parse", "a.css", 1, "About parse."),
        ("error", "correctness/noUnknownProperty", "a.css", 2, "About lint/correctness/noUnknownProperty."),
        ("warning", "suspicious/noEmptyBlock", "a.css", 5, "About lint/suspicious/noEmptyBlock."),
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")
    assert all(each.why and each.fix for each in result.findings)
    assert {path: why.partition(":")[0] for path, why in result.coverage.skipped.items()} == {"lib.min.css": "minified"}


@pytest.mark.parametrize("said", ["{}", "", "null", '[{"check_name": "parse"}]'])
def test_another_report_is_an_error(replay: Replay, said: str) -> None:
    assert replay("css", {"a.css": CSS}, said).status is Status.ERROR
