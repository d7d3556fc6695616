from __future__ import annotations

from collections.abc import Callable

import pytest

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
