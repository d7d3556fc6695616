from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")
PACKAGE = '{"name": "app", "scripts": {"test": "node --test"}}'
TEST = 'import test from "node:test"; import assert from "node:assert";\ntest("adds", () => assert.equal(1 + 1, %d));\n'


@needs_npm
@pytest.mark.host
def test_they_are_run(look: Look) -> None:
    result = look("language-tests", {"package.json": PACKAGE, "test/sum.test.mjs": TEST % 2})
    assert (result.status, result.reason, dict(result.metrics)) == (Status.PASS, "", {"tests.files.javascript": 1.0})


@needs_npm
@pytest.mark.host
def test_one_that_fails_is_a_finding(look: Look) -> None:
    result = look("language-tests", {"web/package.json": PACKAGE, "web/test/sum.test.mjs": TEST % 3})
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert (finding.rule, finding.path) == ("failed", "web/package.json")
    assert finding.message.startswith("`npm --prefix web test` ended with 1: ")


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ('{"name": "app"}', "package.json names no script “test”"),
        (
            '{"scripts": {"test": "vitest"}, "devDependencies": {"vitest": "4"}}',
            "its dependencies are not installed. Type there: npm ci",
        ),
        ("{", "package.json is no JSON"),
        ("[]", "package.json names no script “test”"),
    ],
)
@needs_npm
def test_what_can_not_be_run_is_incomplete(look: Look, manifest: str, why: str) -> None:
    result = look("language-tests", {"package.json": manifest, "src/a.test.ts": "test()"})
    assert result.status is Status.INCOMPLETE
    assert result.reason == f"1 files of tests of JavaScript were not run: {why}"


def test_without_a_tool_it_says_how_to_get_it(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    result = look("language-tests", {"go.mod": "module a\n", "a_test.go": "package a\n"})
    assert result.status is Status.INCOMPLETE
    assert result.reason.startswith("1 files of tests of Go were not run: go is not on PATH.")


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": PACKAGE, "src/a.js": "export const a = 1;\n"},
        {"Cargo.toml": "[package]\n", "src/lib.rs": "// #[test] stands in a comment\nfn a() {}\n"},
        {"web/a.test.js": "test()"},
    ],
)
def test_without_tests_or_a_project_it_does_not_apply(look: Look, files: dict[str, str]) -> None:
    assert look("language-tests", files).status is Status.SKIPPED


@needs_npm
@pytest.mark.host
@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("echo 'GET /user: not found while offline'; echo 'not ok 1'; exit 1", Status.FAIL),
        ("no-such-runner", Status.INCOMPLETE),
        ("echo 'getaddrinfo ENOTFOUND registry'; exit 1", Status.INCOMPLETE),
    ],
)
def test_a_failure_is_told_from_what_only_a_network_brings(look: Look, script: str, status: Status) -> None:
    manifest = json.dumps({"scripts": {"test": script}})
    assert look("language-tests", {"package.json": manifest, "a.test.js": ""}).status is status
