from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify.check import Failed, Output
from omni.verify.checks.sqlfluff import run
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]
CONFIGURED = {"setup.cfg": "[sqlfluff]\ndialect = ansi\n", "a.sql": "SELECT 1\n"}


@pytest.mark.parametrize("files", [{"a.sql": ""}, {"a.sql": "", "tox.ini": "[tox]\n"}])
def test_without_a_dialect_most_sql_is_no_sql(write: Write, files: dict[str, str]) -> None:
    context = context_of(write(files), "sqlfluff")
    assert told(run(context)) == ["skipped: the project does not say its dialect in .sqlfluff"]


def test_each_violation_is_told_at_its_place(write: Write) -> None:
    said = {"code": "LT01", "description": "bad", "start_line_no": 3, "start_line_pos": 5}
    report = [
        {"filepath": "a.sql", "violations": [said, {**said, "warning": True}]},
        {"filepath": "b", "violations": []},
    ]
    played = Played([Output(1, json.dumps(report), "")])
    found = list(run(context_of(write(CONFIGURED), "sqlfluff", played)))
    assert told(found) == ["error LT01 a.sql:3 bad", "warning LT01 a.sql:3 bad"]
    assert [each.column for each in found if isinstance(each, Finding)] == [5, 5]
    assert played.asked == [("sqlfluff", "lint", "--format", "json", "--disable-progress-bar", "a.sql")]


@pytest.mark.parametrize(
    ("answer", "why"), [(Output(2, "x", "no\n dialect"), "no dialect"), (Output(2, "only here", ""), "only here")]
)
def test_it_failed(write: Write, answer: Output, why: str) -> None:
    with pytest.raises(Failed, match=f"^sqlfluff failed: {why}$"):
        list(run(context_of(write(CONFIGURED), "sqlfluff", Played([answer]))))
    with pytest.raises(TypeError, match="did not print a list"):
        list(run(context_of(write(CONFIGURED), "sqlfluff", Played([Output(0, "{}", "")]))))
