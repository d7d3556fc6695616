from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.check import Check, Context, Gap, Output, Unseen
from omni.verify.config import ProjectConfig
from omni.verify.execution import Execution
from omni.verify.files import Inventory
from omni.verify.report import Finding, Severity
from omni.verify.sarif import parse_sarif

CHECK = Check(id="own", title="own", tier=1, tool="linter")
CONTEXT = Context(CHECK, Path("/target"), (), Inventory(Path("/target"), ()), ProjectConfig(), cast("Execution", None))

RULE = {
    "id": "R1",
    "shortDescription": {"text": "short"},
    "fullDescription": {"text": "It is dangerous."},
    "defaultConfiguration": {"level": "note"},
    "properties": {"tags": ["external/cwe/cwe-089"]},
}


def parsed(*results: object, context: Context = CONTEXT, **run: object) -> list[object]:
    log = {"runs": [{"tool": {"driver": {"rules": [RULE]}}, "results": results, **run}]}
    return list(parse_sarif(context, Output(0, json.dumps(log), "")))


def at(uri: str, **region: int) -> dict[str, object]:
    return {"locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}]}


def test_a_result_becomes_a_finding() -> None:
    (found,) = parsed(
        {
            "ruleId": "R1",
            "level": "error",
            "message": {"text": "bad"},
            **at("file:///target/a%20b.py", startLine=3, startColumn=2),
        }
    )
    assert found == Finding(
        check="own", rule="R1", severity=Severity.ERROR, path="a b.py", line=3, column=2, message="bad",
        why="It is dangerous.", cwe="CWE-89",
    )  # fmt: skip


@pytest.mark.parametrize("uri", ["a.py", "./a.py", "/target/a.py", "file:///target/a.py"])
def test_paths_are_relative_to_the_target(uri: str) -> None:
    (found,) = parsed({"message": {"text": "bad"}, **at(uri)})
    assert isinstance(found, Finding)
    assert found.path == "a.py"


def test_the_level_is_the_results_then_the_rules_unless_the_check_declares_one() -> None:
    def severity(result: dict[str, object], check: Check = CHECK) -> Severity:
        (found,) = parsed({"message": {"text": "m"}} | result, context=replace(CONTEXT, check=check))
        assert isinstance(found, Finding)
        return found.severity

    assert severity({"ruleId": "R1"}) is Severity.NOTE
    assert severity({"ruleId": "R1", "level": "error"}) is Severity.ERROR
    assert severity({"ruleId": "other"}) is Severity.WARNING
    declared = CHECK.model_copy(update={"severities": {"R": Severity.WARNING, "R1": Severity.ERROR}})
    assert severity({"ruleId": "R1", "level": "note"}, declared) is Severity.ERROR
    assert severity({"ruleId": "R2", "level": "note"}, declared) is Severity.WARNING
    assert severity({"ruleId": "X", "level": "note"}, declared) is Severity.NOTE
    assert severity({"ruleId": "X", "level": "dreadful"}) is Severity.WARNING


def test_what_is_suppressed_or_no_failure_is_left_out() -> None:
    assert parsed({"message": {"text": "m"}, "suppressions": [{"kind": "inSource"}]}) == []
    assert parsed({"message": {"text": "m"}, "kind": "pass"}) == []


def test_what_the_tool_could_not_analyse_is_told() -> None:
    notifications = [
        {"level": "error", "message": {"text": "no parse"}, **at("a.py")},
        {"level": "error", "message": {"text": "no rules"}},
        {"level": "warning", "message": {"text": "slow"}},
    ]
    invocations = [{"executionSuccessful": False, "toolExecutionNotifications": notifications}]
    assert parsed(invocations=invocations) == [
        Unseen("a.py", "no parse"),
        Gap("no rules"),
        Gap("the tool says that it did not finish its work"),
    ]


NAMES = ("runs", "results", "tool", "driver", "rules", "locations", "message", "text", "invocations")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_whatever_a_tool_prints_it_is_findings_or_a_declared_error(value: object) -> None:
    try:
        items = list(parse_sarif(CONTEXT, Output(0, json.dumps(value), "")))
    except (ValueError, TypeError):
        items = []
    assert all(isinstance(item, Finding | Unseen | Gap) for item in items)
