"""What these scanners print is in test_adapters.py; here: when and on what they are run, and what of it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify.check import Failed, Output
from omni.verify.checks.scanners_code import parse_bandit, parse_infer, run_codeql, run_infer, run_semgrep
from omni.verify.report import Finding, Status

Write = Callable[[Mapping[str, str | bytes]], Path]
SARIF = json.dumps(
    {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "scanner"}},
                "results": [
                    {
                        "ruleId": "R1",
                        "level": "error",
                        "message": {"text": "bad"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "a.py"},
                                    "region": {"startLine": 1},
                                }
                            }
                        ],
                    }
                ],
            }
        ],
    }
)
FOUND = "error R1 a.py:1 bad"


def test_semgrep_is_given_each_set_of_rules_that_the_project_has(write: Write) -> None:
    root = write({"a.py": "x = 1\n", ".semgrep.yml": "rules: []\n", ".semgrep/b.yml": "rules: []\n"})
    played = Played([Output(1, "", "", SARIF)])
    assert told(run_semgrep(context_of(root, "semgrep", played))) == [FOUND]
    ((tool, *argv),) = played.asked
    assert (tool, argv[:3], argv[-5:]) == (
        "semgrep",
        ["scan", "--metrics", "off"],
        ["--config", ".semgrep.yml", "--config", ".semgrep", "."],
    )


def test_semgrep_without_rules_or_with_a_crash(write: Write) -> None:
    said = told(run_semgrep(context_of(write({"a.py": "x = 1\n"}), "semgrep")))
    assert said == ["skipped: the project declares no rules for it in .semgrep.yml or .semgrep/"]
    root = write({"semgrep.yaml": "rules: []\n"})
    with pytest.raises(Failed, match=r"^semgrep failed with exit code 2: bad rule$"):
        list(run_semgrep(context_of(root, "semgrep", Played([Output(2, "", " bad rule\n", SARIF)]))))


def test_codeql_makes_one_database_a_language_and_builds_nothing(write: Write) -> None:
    root = write({"a.py": "x = 1\n", "a.ts": "let a = 1\n", "b.js": "let b = 1\n"})
    played = Played([Output(0, "", ""), Output(0, "", "", SARIF), Output(0, "", ""), Output(0, "", "", SARIF)])
    context = context_of(root, "codeql", played)
    assert told(run_codeql(context)) == [FOUND, FOUND]
    assert [argv[:3] for argv in played.asked] == [
        ("codeql", "database", "create"),
        ("codeql", "database", "analyze"),
    ] * 2
    assert [argv[3] for argv in played.asked] == [
        str(context.cache / language) for language in ("javascript-typescript", "python") for _ in range(2)
    ]
    assert all("--build-mode=none" in argv for argv in played.asked[::2])


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([Output(1, "", "no\n extractor\n")], "codeql could not read python: no extractor"),
        ([Output(0, "", ""), Output(2, "", "no  pack")], "codeql could not ask its queries about python: no pack"),
    ],
)
def test_codeql_that_fails_leaves_the_check_incomplete(write: Write, answers: list[Output], why: str) -> None:
    with pytest.raises(Failed) as failed:
        list(run_codeql(context_of(write({"a.py": "x = 1\n"}), "codeql", Played(answers))))
    assert (failed.value.why, failed.value.status) == (why, Status.INCOMPLETE)


def infer_report(**bug: object) -> str:
    whole = {"bug_type": "B", "qualifier": "bad", "file": "A.java", "line": 3, "severity": "ERROR", **bug}
    return json.dumps([whole])


def test_infer_watches_each_compiler_on_its_own_files(write: Write) -> None:
    root = write({"A.java": "class A {}\n", "a.c": "int a;\n", "a.h": "int a;\n"})
    played = Played([Output(0, "", ""), Output(0, "", "")], {"infer-out/report.json": infer_report()})
    assert told(run_infer(context_of(root, "infer", played))) == ["error B A.java:3 bad"] * 2
    assert [" ".join(argv).partition(" -- ")[2] for argv in played.asked] == [
        "javac -proc:none -d classes A.java",
        "clang -c a.c",
    ]


def test_infer_without_a_report_is_incomplete(write: Write) -> None:
    played = Played([Output(1, "", "no\n compiler")])
    with pytest.raises(Failed) as failed:
        list(run_infer(context_of(write({"a.c": "int a;\n"}), "infer", played)))
    assert (failed.value.why, failed.value.status) == ("infer made no report: no compiler", Status.INCOMPLETE)


@pytest.mark.parametrize(
    ("bug", "severity", "column"),
    [
        ({"column": 1}, "error", 1),
        ({"column": 0, "severity": "WARNING"}, "warning", None),
        ({"column": -1, "severity": "ADVICE"}, "note", None),
        ({}, "error", None),
    ],
)
def test_a_bug_of_infer(write: Write, bug: dict[str, object], severity: str, column: int | None) -> None:
    (finding,) = parse_infer(context_of(write({}), "infer"), Output(0, infer_report(**bug), ""))
    assert isinstance(finding, Finding)
    assert (finding.severity, finding.column) == (severity, column)


def test_what_bandit_says_of_a_line(write: Write) -> None:
    issue = {"test_id": "B1", "issue_text": "bad", "filename": "a.py", "line_number": 2}
    results = [
        {**issue, "issue_severity": "HIGH", "issue_cwe": {"id": 78}},
        {**issue, "issue_severity": "LOW", "issue_cwe": {}},
        {**issue, "issue_severity": "MEDIUM"},
    ]
    found = list(
        parse_bandit(context_of(write({}), "bandit"), Output(0, json.dumps({"errors": [], "results": results}), ""))
    )
    assert told(found) == [f"{severity} B1 a.py:2 bad" for severity in ("error", "note", "warning")]
    assert [each.cwe for each in found if isinstance(each, Finding)] == ["CWE-78", "", ""]
