from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.verify.played import said

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]


def test_without_a_tool_it_says_how_to_get_it(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    result = look("language-tests", {"go.mod": "module a\n", "a_test.go": "package a\n"})
    assert result.status is Status.INCOMPLETE
    assert result.reason.startswith("tests of Go in 1 file were not run: go is not on PATH.")


@pytest.mark.parametrize(
    "files",
    [
        {"Cargo.toml": "[package]\n", "src/lib.rs": "// #[test] stands in a comment\nfn a() {}\n"},
        {"a_test.go": "package a"},
    ],
)
def test_without_tests_or_a_project_it_does_not_apply(look: Look, files: dict[str, str]) -> None:
    assert look("language-tests", files).status is Status.SKIPPED


# ── what comes of what a command says ────────────────────────────────────────────────────────────

Answer = Callable[..., list[tuple[str, ...]]]
PROJECTS = {
    "Go": {"go.mod": "module a\n", "a_test.go": "package a\n"},
    "Rust": {"Cargo.toml": "[package]\n", "src/lib.rs": "    #[tokio::test]\nfn a() {}\n"},
    "Java": {"pom.xml": "<project/>\n", "src/test/java/ATest.java": "class ATest {}\n"},
}
COMMANDS = {
    "Go": "go -C {} test ./...",
    "Rust": "cargo test --offline --quiet --manifest-path {}/Cargo.toml",
    "Java": "mvn --offline --quiet --file {}/pom.xml test",
}


@pytest.mark.parametrize("title", PROJECTS)
def test_each_language_by_its_own_command(look: Look, answer: Answer, title: str) -> None:
    asked = answer({}, "ok\n")
    result = look("language-tests", PROJECTS[title])
    assert [" ".join(argv) for argv in asked] == [COMMANDS[title].format("/work")]
    assert (result.status, result.metrics) == (Status.PASS, {f"tests.files.{title.lower()}": 1})


@pytest.mark.parametrize(
    ("title", "words", "told"),
    [
        ("Go", "ok\n--- FAIL: TestA\nFAIL\n", "--- FAIL: TestA"),
        ("Go", "FAIL\ta [build failed]\n", "FAIL\ta [build failed]"),
        ("Rust", "thread panicked at a\ntest result: FAILED. 1 passed\n", "thread panicked at a"),
        ("Rust", "error[E0425]: cannot find\n", "error[E0425]: cannot find"),
        ("Rust", "error: expected one of\n", "error: expected one of"),
        ("Java", "Tests run: 3, Failures: 1, Errors: 0\n", "Tests run: 3, Failures: 1, Errors: 0"),
        ("Java", "Tests run: 3, Failures: 0, Errors: 2\n", "Tests run: 3, Failures: 0, Errors: 2"),
        ("Java", "COMPILATION ERROR :\n", "COMPILATION ERROR :"),
    ],
)
def test_one_that_fails_is_its_project_s(look: Look, answer: Answer, title: str, words: str, told: str) -> None:
    answer({}, words, 101)
    manifest, _ = PROJECTS[title]
    (finding,) = said(look("language-tests", PROJECTS[title]))
    assert finding == f"error failed {manifest}:1 `{COMMANDS[title].format('.')}` ended with 101: {told}"


@pytest.mark.parametrize(
    ("title", "words", "dependencies"),
    [
        ("Go", "FAIL: dial tcp: lookup proxy: no such host\n", "go mod download"),
        ("Rust", "error: no matching package named `x` found", "cargo fetch"),
        ("Rust", "error: failed to download `x`\ntest result: FAILED", "cargo fetch"),
        ("Java", "[ERROR] Could not find artifact a:b", "mvn dependency:go-offline"),
        ("Java", "[ERROR] Could not resolve dependencies\nCOMPILATION ERROR", "mvn dependency:go-offline"),
        ("Java", "[ERROR] no such option", "mvn dependency:go-offline"),
    ],
)
def test_what_only_a_network_brings_is_said(
    look: Look, answer: Answer, title: str, words: str, dependencies: str
) -> None:
    answer({}, words, 1)
    result = look("language-tests", {f"sub/{path}": text for path, text in PROJECTS[title].items()})
    told = words.splitlines()[0]
    assert (result.status, result.findings, result.reason) == (
        Status.INCOMPLETE,
        (),
        f"tests of {title} in 1 file in sub were not run: {told}. Type there: {dependencies}",
    )


def test_each_project_runs_what_lies_within_it(look: Look, answer: Answer) -> None:
    asked = answer({}, "FAIL\n", 2)
    files = {f"{folder}/go.mod": "module a\n" for folder in ("a", "a/inner", "b", "empty")}
    files |= {f"{folder}/x_test.go": "package a\n" for folder in ("a", "a/inner", "b")}
    result = look("language-tests", files)
    assert [argv[2] for argv in asked] == ["/work/a", "/work/b"]
    assert said(result) == [
        f"error failed {folder}/go.mod:1 `go -C {folder} test ./...` ended with 2: FAIL" for folder in "ab"
    ]
