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
    "Go": "go test ./...",
    "Rust": "cargo test --offline --quiet",
    "Java": "mvn --offline --quiet test",
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
        ("Go", "--- FAIL: TestA\n    a_test.go:7: F() = 3, want 4\nFAIL\n", "a_test.go:7: F() = 3, want 4"),
        ("Go", "# a\na.go:3:7: undefined: b\nFAIL\ta [build failed]\n", "a.go:3:7: undefined: b"),
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
    """Go leaves a module within another out; Cargo does not."""
    asked = answer({}, "FAIL\n", 2)
    files = {f"{folder}/go.mod": "module a\n" for folder in ("a", "a/inner", "b", "empty")}
    files |= {f"{folder}/x_test.go": "package a\n" for folder in ("a", "a/inner", "b")}
    files |= {f"{folder}/Cargo.toml": "[package]\n" for folder in ("r", "r/inner")}
    files |= {f"{folder}/a.rs": "#[test]\nfn a() {}\n" for folder in ("r", "r/inner")}
    result = look("language-tests", files)
    assert [" ".join(argv) for argv in asked] == [
        *(f"go test -C /work/{folder} ./..." for folder in ("a", "b", "a/inner")),
        "cargo test --manifest-path /work/r/Cargo.toml --offline --quiet",
    ]
    assert said(result) == [
        f"error failed {folder}/go.mod:1 `go test -C {folder} ./...` ended with 2: FAIL"
        for folder in ("a", "a/inner", "b")
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "go: downloading a v1\n# a\nmain.go:5:2: module lookup disabled by GOPROXY=off\nFAIL\ta [setup failed]\n",
            1,
        ),
        ("main.go:5:2: mkdir /home/a/go/pkg/mod/cache: read-only file system\nFAIL\ta [setup failed]\n", 0),
        ("go: go.mod requires go >= 1.29 (running go 1.27.3; GOTOOLCHAIN=local)\n", 0),
        ("flag provided but not defined: -C\nusage: go test [build/test flags]\nfail", 0),
    ],
)
def test_a_go_that_can_not_get_that_far_blames_no_test(look: Look, answer: Answer, words: str, told: int) -> None:
    answer({}, errors=words, exit_code=2)
    result = look("language-tests", PROJECTS["Go"])
    line = [line for line in words.splitlines() if not line.startswith("#")][told]
    reason = f"tests of Go in 1 file were not run: {line}. Type there: go mod download"
    assert (result.status, result.findings, result.reason) == (Status.INCOMPLETE, (), reason)
