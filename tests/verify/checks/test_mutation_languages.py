from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from omni.verify import machine
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]
Answer = Callable[..., list[tuple[str, ...]]]

PACKAGE = json.dumps({"name": "a", "devDependencies": {"@stryker-mutator/core": "9.6.1"}})
STRYKER = "node_modules/@stryker-mutator/core/bin/stryker.js"
FILES = {"package.json": PACKAGE, STRYKER: "", "src/price.js": "a\nif (total > 100) {\n"}


def mutant(line: int, status: str, name: str = "EqualityOperator") -> dict[str, object]:
    where = {"start": {"line": line, "column": 7}, "end": {"line": line, "column": 18}}
    return {"id": "0", "location": where, "mutatorName": name, "replacement": "total >= 100", "status": status}


def test_stryker(look: Look, answer: Answer) -> None:
    mutants = [mutant(2, "Survived"), mutant(2, "Killed"), mutant(1, "NoCoverage"), mutant(1, "CompileError")]
    report = {"schemaVersion": "1.0", "files": {"src/price.js": {"language": "javascript", "mutants": mutants}}}
    asked = answer({"reports/mutation/mutation.json": json.dumps(report)}, "")
    result = look("mutation-javascript", FILES)
    assert asked == [("node", STRYKER, "run", "--reporters", "json", "--force")]
    assert [(each.check, each.rule, each.severity, each.path, each.line, each.message) for each in result.findings] == [
        (
            "mutation-javascript",
            "score",
            "error",
            "src/price.js",
            1,
            "the tests notice 33.33 % of 3 changes, and not 80 %; 2 missed here",
        ),
        (
            "mutation-javascript",
            "uncovered",
            "warning",
            "src/price.js",
            1,
            "no test runs this line: EqualityOperator: with `total >= 100` here",
        ),
        (
            "mutation-javascript",
            "survived",
            "warning",
            "src/price.js",
            2,
            "EqualityOperator: with `total >= 100` here all tests stay green",
        ),
    ]
    assert result.metrics == {"mutation.score.javascript": 33.33}


@pytest.mark.parametrize(
    ("files", "said", "reason"),
    [
        ({"reports/mutation/mutation.json": '{"files": {}}'}, "", "Stryker found nothing to change"),
        ({}, "a\nno test runner\n", "node left no report of its mutants: a / no test runner"),
    ],
)
def test_a_run_that_shows_nothing(look: Look, answer: Answer, files: dict[str, str], said: str, reason: str) -> None:
    answer(files, said)
    result = look("mutation-javascript", FILES)
    assert (result.status, reason in result.reason) == (Status.INCOMPLETE, True)


def test_stryker_is_not_declared_or_not_installed(look: Look) -> None:
    assert look("mutation-javascript", {"package.json": "{}", "a.js": "a\n"}).status is Status.SKIPPED
    unread = look("mutation-javascript", {"package.json": "{", "a.js": "a\n"})
    assert (unread.status, unread.reason.partition(":")[0]) == (Status.INCOMPLETE, "package.json can't be read")
    result = look("mutation-javascript", {"package.json": PACKAGE, "a.js": "a\n"})
    assert (result.status, "Type: npm install" in result.reason) == (Status.INCOMPLETE, True)


def test_cargo_mutants(look: Look, answer: Answer) -> None:
    span = {"start": {"line": 2, "column": 5}, "end": {"line": 2, "column": 9}}
    scenario = {"Mutant": {"name": "src/lib.rs:2:5: replace f -> i32 with 0", "file": "src/lib.rs", "span": span}}
    outcomes = [
        {"scenario": "Baseline", "summary": "Success"},
        {"scenario": scenario, "summary": "MissedMutant"},
        {"scenario": scenario, "summary": "CaughtMutant"},
        {"scenario": scenario, "summary": "Unviable"},
    ]
    asked = answer({"mutants.out/outcomes.json": json.dumps({"outcomes": outcomes})}, "")
    result = look("mutation-rust", {"Cargo.toml": "[package]\n", "src/lib.rs": "fn f() -> i32 {\n    1\n}\n"})
    assert asked[0][:2] == ("cargo", "mutants")
    assert [(each.rule, each.line, each.message) for each in result.findings] == [
        ("score", 1, "the tests notice 50 % of 2 changes, and not 80 %; 1 missed here"),
        ("survived", 2, "`src/lib.rs:2:5: replace f -> i32 with 0` all tests stay green"),
    ]


def test_cargo_mutants_is_not_there(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find", lambda _name: None)
    assert look("mutation-rust", {"src/lib.rs": "fn f() {}\n"}).status is Status.SKIPPED


def test_four_of_five_have_to_be_noticed(look: Look, answer: Answer) -> None:
    """A mutant that hung was noticed; one that was left out does not count. The score is named at the worst file."""
    for survived, score, count in ((1, 80, 0), (2, 60, 1)):
        statuses = [
            "Timeout",
            "Killed",
            "Killed",
            *(["Survived"] * survived),
            *(["Killed"] * (2 - survived)),
            "Ignored",
        ]
        mutants = [mutant(1, status) for status in statuses]
        answer({"reports/mutation/mutation.json": json.dumps({"files": {"src/price.js": {"mutants": mutants}}})})
        result = look("mutation-javascript", FILES | {"a.js": f"{survived}\n"})
        assert result.metrics == {"mutation.score.javascript": score}
        assert [each.path for each in result.findings if each.rule == "score"] == ["src/price.js"] * count


@pytest.mark.parametrize(
    ("said", "ended"),
    [("\n".join("abcdefgh"), "c / d / e / f / g / h"), ("x" * 500, "x" * 400), ("", "exited")],
)
def test_without_a_report_its_last_words_are_the_reason(look: Look, answer: Answer, said: str, ended: str) -> None:
    answer({}, said, 1)
    for check, program in (("mutation-javascript", "node"), ("mutation-rust", "cargo")):
        result = look(check, {**FILES, "Cargo.toml": "[package]\n", "src/lib.rs": "fn f() {}\n"})
        assert (result.status, result.reason, result.metrics) == (
            Status.INCOMPLETE,
            f"{program} left no report of its mutants: {ended}",
            {},
        )


def test_how_cargo_mutants_is_run_and_that_it_found_nothing(look: Look, answer: Answer) -> None:
    asked = answer({"mutants.out/outcomes.json": '{"outcomes": [{"scenario": "Baseline", "summary": "Success"}]}'})
    result = look("mutation-rust", {"Cargo.toml": "[package]\n", "src/lib.rs": "fn f() {}\n"})
    assert asked == [("cargo", "mutants", "--offline", "--no-times", "--in-place", "--output", ".")]
    assert (result.status, result.reason) == (Status.INCOMPLETE, "cargo-mutants found nothing to change")
