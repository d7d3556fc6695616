from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
from tests.verify.played import said

from omni.verify.analysis.javascript_runners import command
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]
Git = Callable[..., str]
Write = Callable[..., object]

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")
NODE = (
    "--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit"
    " --test-reporter-destination=/work/omni-reports/junit.xml --experimental-test-coverage --test-reporter=lcov"
    " --test-reporter-destination=/work/omni-reports/lcov.info"
)
VITEST = "--reporter=default --reporter=json --outputFile.json=/work/omni-reports/tests.json --includeTaskLocation"
JEST = (
    "--json --outputFile=/work/omni-reports/tests.json --testLocationInResults --coverage"
    " --coverageDirectory=/work/omni-reports --coverageReporters=lcovonly --coverageThreshold='{}'"
)
MOCHA = "--reporter json --reporter-option output=/work/omni-reports/tests.json"
PACKAGE = '{"name": "app", "type": "module", "scripts": {"test": "node --test test/"}}'
SUM = "export function sum(a, b) {\n  return a + b;\n}\n"
TEST = """import test from "node:test";
import assert from "node:assert/strict";
import { sum } from "../src/sum.js";

test("adds", () => {
  assert.equal(sum(1, 1), %d);
});
test("later", { skip: true }, () => {});
"""


@needs_npm
@pytest.mark.host
def test_they_are_run_and_measured(look: Look) -> None:
    result = look("javascript-tests", {"package.json": PACKAGE, "src/sum.js": SUM, "test/sum.test.js": TEST % 2})
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
    assert dict(result.metrics) == {
        "tests.javascript.passed": 1,
        "tests.javascript.failed": 0,
        "tests.javascript.skipped": 1,
        "coverage.javascript.files": 100,
        "coverage.javascript.line": 100,
        "coverage.line": 100,
        "coverage.javascript.branch": 100,
        "coverage.branch": 100,
    }


@needs_npm
@pytest.mark.host
def test_one_that_fails_is_a_finding_at_its_line(look: Look) -> None:
    files = {"web/package.json": PACKAGE, "web/src/sum.js": SUM, "web/test/sum.test.js": TEST % 3}
    result = look("javascript-tests", files)
    assert result.status is Status.FAIL
    assert [(each.rule, each.path, each.line, each.message, each.snippet) for each in result.findings] == [
        (
            "failed",
            "web/test/sum.test.js",
            6,
            "`adds`: Expected values to be strictly equal:2 !== 3",
            "assert.equal(sum(1, 1), 3);",
        )
    ]


@needs_npm
@pytest.mark.host
def test_of_a_change_the_lines_that_no_test_runs_are_named(look: Look, git: Git) -> None:
    files = {"package.json": PACKAGE, "src/sum.js": SUM, "test/sum.test.js": TEST % 2, "docs/a.md": "a\n"}
    look("javascript-tests", files)  # writes them
    git("add", ".")
    git("commit", "-q", "-m", "a")
    changed = SUM + "export function twice(a) {\n  return 2 * a;\n}\n"
    result = look("javascript-tests", {"src/sum.js": changed}, changed=True)
    assert [(each.severity, each.rule, each.path, each.line, each.message) for each in result.findings] == [
        ("warning", "change-not-tested", "src/sum.js", 5, "no test runs 2 of the 3 lines that changed: 5, 6")
    ]
    assert result.metrics["coverage.javascript.changed"] == 33.33


@needs_npm
@pytest.mark.host
def test_numbers_are_of_all_projects_and_of_the_whole_only_once_all_of_it_is_loaded(look: Look) -> None:
    one = {"package.json": PACKAGE, "src/sum.js": SUM, "test/sum.test.js": TEST % 2}
    files = {f"packages/{name}/{path}": text for name in "ab" for path, text in one.items()}
    files |= {
        "packages/a/src/more.js": "export const more = 1;\n",
        "packages/b/src/types.ts": "import type { A } from './a';\nexport interface B {\n  a: A;\n}\n",
        "packages/b/src/sum.js": f"{SUM}export function twice(a) {{\n  return 2 * a;\n}}\n",
        "packages/b/vite.config.js": "export default {};\n",
    }
    assert dict(look("javascript-tests", files).metrics) == {
        "tests.javascript.passed": 2,
        "tests.javascript.failed": 0,
        "tests.javascript.skipped": 2,
        "coverage.javascript.files": 66.67,
        "coverage.javascript.line": 77.78,
        "coverage.javascript.branch": 100,
    }


@needs_npm
@pytest.mark.host
def test_coverage_of_another_day_is_not_believed(look: Look) -> None:
    lcov = "SF:src/sum.js\nDA:1,1\nend_of_record\n"
    files = {"package.json": '{"scripts": {"test": "true"}}', "src/sum.js": SUM, "test/sum.test.js": TEST % 2}
    assert dict(look("javascript-tests", {**files, "coverage/lcov.info": lcov}).metrics) == {
        "tests.javascript.files": 1
    }


@needs_npm
@pytest.mark.host
def test_a_changed_file_that_no_test_loads_is_named(look: Look, write: Write, git: Git) -> None:
    write({"package.json": PACKAGE, "src/sum.js": SUM, "test/sum.test.js": TEST % 2})
    git("add", ".")
    git("commit", "-q", "-m", "a")
    files = {"src/more.js": "export const more = 1;\n", "src/types.ts": "export type A = 1;\n", "a.config.js": "f();\n"}
    result = look("javascript-tests", files, changed=True)
    assert [(each.rule, each.path, each.line, each.message) for each in result.findings] == [
        ("change-not-tested", "src/more.js", 1, "no test loads this file, or its coverage is not measured")
    ]


@needs_npm
@pytest.mark.host
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("packages/shared/sum.js", Status.PASS),
        ("package-lock.json", Status.PASS),
        ("tsconfig.base.json", Status.PASS),
        ("packages/app/README.md", Status.PASS),
        ("tools/deploy.py", Status.SKIPPED),
        ("README.md", Status.SKIPPED),
    ],
)
def test_a_change_beside_the_project_may_affect_its_tests(
    look: Look, write: Write, git: Git, path: str, status: Status
) -> None:
    files = {
        "packages/app/package.json": PACKAGE,
        "packages/app/test/sum.test.js": (TEST % 2).replace("../src/", "../../shared/"),
        "packages/shared/sum.js": SUM,
    }
    write({"tsconfig.base.json": "{}\n", **files})
    git("add", ".")
    git("commit", "-q", "-m", "a")
    result = look("javascript-tests", {path: f"{files.get(path, '')}\n"}, changed=True)
    assert (result.status, bool(result.reason)) == (status, status is Status.SKIPPED)


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ('{"name": "app"}', "package.json names no script “test”"),
        (
            '{"scripts": {"test": "vitest"}, "devDependencies": {"vitest": "4"}}',
            "its dependencies are not installed. Type there: npm install",
        ),
        ("{", "package.json is no JSON"),
        ("[]", "package.json names no script “test”"),
    ],
)
@needs_npm
def test_what_can_not_be_run_is_incomplete(look: Look, manifest: str, why: str) -> None:
    result = look("javascript-tests", {"package.json": manifest, "src/a.test.ts": "test()"})
    assert result.status is Status.INCOMPLETE
    assert result.reason == f"tests of JavaScript in 1 file were not run: {why}"


@needs_npm
def test_a_package_of_a_workspace_runs_its_own(look: Look) -> None:
    inner = '{"scripts": {"test": "jest"}, "devDependencies": {"jest": "30"}}'
    files = {"package.json": "{}", "packages/a/package.json": inner, "packages/a/a.test.js": "", "b.test.js": ""}
    assert look("javascript-tests", {**files, "pnpm-lock.yaml": ""}).reason == (
        "tests of JavaScript in 1 file in packages/a were not run: its dependencies are not installed. "
        "Type there: pnpm install --frozen-lockfile; "
        "tests of JavaScript in 1 file were not run: package.json names no script “test”"
    )


@pytest.mark.parametrize("files", [{"package.json": PACKAGE, "a.js": "export const a = 1;\n"}, {"a.test.js": "test()"}])
def test_without_tests_or_a_project_it_does_not_apply(look: Look, files: dict[str, str]) -> None:
    assert look("javascript-tests", files).status is Status.SKIPPED


@needs_npm
@pytest.mark.host
@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("echo 'GET /user: not found while offline'; echo 'not ok 1'; exit 1", Status.FAIL),
        ("no-such-runner", Status.INCOMPLETE),
        ("echo 'getaddrinfo ENOTFOUND registry'; exit 1", Status.INCOMPLETE),
        ("node --test --test-name-pattern=nothing a.test.js", Status.INCOMPLETE),
        ("echo '{}' > /work/omni-reports/tests.json; true vitest", Status.INCOMPLETE),
        ("true vitest", Status.INCOMPLETE),
        ("cd src && node --test", Status.PASS),
    ],
)
def test_a_failure_is_told_from_what_only_a_network_brings(look: Look, script: str, status: Status) -> None:
    manifest = json.dumps({"scripts": {"test": script}})
    files = {"package.json": manifest, "a.test.js": "", "src/sum.js": SUM, "src/sum.test.js": TEST % 2}
    assert look("javascript-tests", files).status is status


@needs_npm
@pytest.mark.host
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("test/http-error.ts:218:4", "✖  218:4  the operator is useless here", "1 error"), "✖  218:4  the operator"),
        (("test/no-fail.ts ok", "Error: it broke", "at a.ts:1"), "Error: it broke"),
    ],
)
def test_a_script_of_no_known_runner_is_quoted_where_it_says_what_went_wrong(
    look: Look, lines: tuple[str, ...], told: str
) -> None:
    script = "; ".join((*(f"echo '{line}'" for line in lines), "exit 1"))
    manifest = json.dumps({"scripts": {"test": script}})
    (finding,) = look("javascript-tests", {"package.json": manifest, "a.test.js": ""}).findings
    assert finding.message.startswith(f"`npm test` ended with 1: {told}")


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        (
            {"test": "NODE_ENV=test node --import tsx --test-reporter=dot --test 'test/*.ts'"},
            f"NODE_ENV=test node {NODE} --import tsx --test 'test/*.ts'",
        ),
        (
            {"test": "npm run lint && npm run test:unit", "lint": "eslint .", "test:unit": "vitest --dom"},
            f"(eslint .) && (vitest run {VITEST} --dom)",
        ),
        ({"test": "jest", "pretest": "tsc -b"}, f"(tsc -b) && jest {JEST}"),
        ({"test": "nyc mocha --reporter spec test/"}, f"nyc mocha {MOCHA} test/"),
        ({"test": "c8 --reporter=lcovonly mocha"}, f"c8 --reporter=lcovonly mocha {MOCHA}"),
        ({"test": "npm run test"}, "(((npm run test)))"),
        ({"test": "node jest.config.js && ava"}, "node jest.config.js && ava"),
    ],
)
def test_the_runner_is_asked_for_a_report(scripts: dict[str, str], expected: str) -> None:
    assert command(scripts, lambda _package: False)[0] == expected


# ── what comes of what a runner leaves ───────────────────────────────────────────────────────────

Answer = Callable[..., list[tuple[str, ...]]]
JEST_PACKAGE = '{"scripts": {"test": "jest"}}'
REPORT, LCOV, WRAPPED = "omni-reports/tests.json", "omni-reports/lcov.info", "coverage/lcov.info"
TWO = {"package.json": JEST_PACKAGE, "src/a.js": "export const a = 1;\n", "src/a.test.js": "test('a')\n  test('b')\n"}


def jest(*tests: tuple[str, str], path: str = "src/a.test.js") -> str:
    """Jest's report of these tests: (name, status); one that fails does so at line 2."""
    said = ["Error: 2 is not 3\n    at x (/work/src/a.test.js:2:5)"]
    results = [
        {"fullName": name, "status": status, "failureMessages": said if status == "failed" else []}
        for name, status in tests
    ]
    return json.dumps({"testResults": [{"name": f"/work/{path}", "assertionResults": results}]})


def test_a_failure_is_shown_at_its_line_or_by_its_name(look: Look, answer: Answer) -> None:
    tests = (("a b", "passed"), ("a c", "failed"), ("a d", "pending"))
    answer({REPORT: jest(*tests)}, "", 1)
    result = look("javascript-tests", TWO)
    assert said(result) == ["error failed src/a.test.js:2 `a c`: Error: 2 is not 3"]
    assert result.findings[0].snippet == "test('b')"
    assert (result.status, result.reason, dict(result.metrics)) == (
        Status.FAIL,
        "",
        {"tests.javascript.passed": 1, "tests.javascript.failed": 1, "tests.javascript.skipped": 1},
    )


def test_a_failure_elsewhere_is_shown_by_its_name(look: Look, answer: Answer) -> None:
    answer({REPORT: jest(("a c", "failed"), path="made/a.test.js")}, "", 1)
    (finding,) = look("javascript-tests", TWO).findings
    assert (finding.path, finding.line, finding.snippet) == ("", 2, "a c")


@pytest.mark.parametrize(
    ("report", "exit_code", "reason"),
    [
        (jest(("a", "passed")), 2, "the tests of JavaScript ended with 2, though no test failed: Error: no memory"),
        (jest(("a", "pending")), 0, "every test of JavaScript was skipped"),
        (jest(), 0, "no test of JavaScript was found by its runner"),
        ("{", 0, "the report of the tests of JavaScript can't be believed: it is not the JSON that it should be: "),
        ("", 0, "the report of the tests of JavaScript can't be believed: it is not the JSON that it should be: "),
        (None, 0, "tests of JavaScript in 1 file were not run: their runner left no report"),
        (None, 1, "tests of JavaScript in 1 file were not run: getaddrinfo ENOTFOUND"),
        (jest(("a", "passed"), ("b", "pending")), 0, ""),
    ],
)
def test_what_shows_nothing_is_never_green(
    look: Look, answer: Answer, report: str | None, exit_code: int, reason: str
) -> None:
    words = "getaddrinfo ENOTFOUND\n" if report is None else "a\nError: no memory\nb\n"
    answer({} if report is None else {REPORT: report}, words, exit_code)
    result = look("javascript-tests", TWO)
    assert (result.status, result.findings) == (Status.INCOMPLETE if reason else Status.PASS, ())
    assert result.reason.startswith(reason)
    assert bool(result.reason) == bool(reason)


def test_how_each_project_is_run(look: Look, answer: Answer) -> None:
    """In its own folder, of which no shell believes the name; a report of another day is taken away first."""
    asked = answer({}, "ok\n")
    files = {"a b/package.json": '{"scripts": {"test": "ava", "x": 3}}', "a b/a.test.js": "", "a b/c.spec.ts": ""}
    result = look("javascript-tests", files | {"d/package.json": '{"scripts": {"test": "tap"}}', "d/test/d.mjs": ""})
    fresh = "rm -rf /work/omni-reports coverage/lcov.info && mkdir /work/omni-reports"
    assert asked == [
        ("npm", "exec", "--offline", "-c", f"cd '/work/a b' && {fresh} && ava"),
        ("npm", "exec", "--offline", "-c", f"cd /work/d && {fresh} && tap"),
    ]
    assert (result.status, dict(result.metrics)) == (Status.PASS, {"tests.javascript.files": 3})


def test_by_its_exit_code_a_failure_is_its_package_s(look: Look, answer: Answer) -> None:
    files = {"d/package.json": '{"scripts": {"test": "tap"}}', "d/test/d.mjs": ""}
    answer({}, "a\n✖ d failed\n", 3)
    result = look("javascript-tests", files)
    assert said(result) == ["error failed d/package.json:1 `npm test` in d ended with 3: ✖ d failed"]
    assert dict(result.metrics) == {}


def lcov(path: str, *counts: int, branches: tuple[int, ...] = ()) -> str:
    lines = "".join(f"DA:{number},{count}\n" for number, count in enumerate(counts, 1))
    taken = "".join(f"BRDA:1,0,{number},{count}\n" for number, count in enumerate(branches))
    return f"SF:{path}\n{lines}{taken}end_of_record\n"


@pytest.mark.parametrize("place", [LCOV, WRAPPED])
def test_coverage_is_of_the_product_that_is_loaded(look: Look, answer: Answer, place: str) -> None:
    told = lcov("src/a.js", 1, 0, 2, branches=(0, 3)) + lcov("src/a.test.js", 0, 0) + lcov("/elsewhere/b.js", 0)
    answer({REPORT: jest(("a", "passed")), place: told})
    more = {
        "src/b.js": "f();\n",
        "src/types.ts": "export type A = 1;\n",
        "a.config.js": "f();\n",
        ".storybook/main.js": "f();\n",
        "scripts/c.py": "x = 1\n",
    }
    result = look("javascript-tests", TWO | more)
    assert {name: value for name, value in result.metrics.items() if "coverage" in name} == {
        "coverage.javascript.files": 50,
        "coverage.javascript.line": 66.67,
        "coverage.javascript.branch": 50,
    }


def test_it_is_the_whole_s_once_all_is_loaded_and_no_python_is_tested(look: Look, answer: Answer) -> None:
    answer({REPORT: jest(("a", "passed")), LCOV: lcov("/work/src/a.js", 1)})
    assert look("javascript-tests", TWO).metrics["coverage.line"] == 100
    assert "coverage.line" not in look("javascript-tests", TWO | {"tests/test_a.py": "def test_a(): ...\n"}).metrics


def test_coverage_that_can_not_be_believed(look: Look, answer: Answer) -> None:
    answer({REPORT: jest(("a", "passed")), LCOV: "SF:src/a.js\nDA:x\n"})
    result = look("javascript-tests", TWO)
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "the coverage of JavaScript can't be believed: it is not LCOV: 'DA:x'",
    )


@pytest.fixture
def committed(write: Write, git: Git) -> None:
    write(TWO | {"src/b.js": "export const b = 1;\n", "README.md": "a\n", "more/x.js": "f();\n"})
    git("add", ".")
    git("commit", "-q", "-m", "a")


@pytest.mark.usefixtures("committed")
def test_of_a_change_up_to_ten_lines_are_named(look: Look, answer: Answer) -> None:
    answer({REPORT: jest(("a", "passed")), LCOV: lcov("src/a.js", 1, *([0] * 11), 1, 1)})
    changed = TWO["src/a.js"] + "f();\n" * 13 + "// no code\n"
    result = look("javascript-tests", {"src/a.js": changed}, changed=True)
    ten = ", ".join(map(str, range(2, 12)))
    assert said(result) == [
        f"warning change-not-tested src/a.js:2 no test runs 11 of the 13 lines that changed: {ten} …"
    ]
    assert (result.findings[0].cwe, result.findings[0].snippet) == ("CWE-1053", "f();")
    assert result.metrics["coverage.javascript.changed"] == 15.38


@pytest.mark.usefixtures("committed")
def test_a_changed_file_of_which_no_coverage_speaks_is_named(look: Look, answer: Answer) -> None:
    answer({REPORT: jest(("a", "passed")), LCOV: lcov("src/a.js", 1)})
    files = {"src/b.js": "export const b = 2;\n", "src/a.js": "export const a = 2;\n", "README.md": "b\n"}
    result = look("javascript-tests", files, changed=True)
    assert said(result) == [
        "warning change-not-tested src/b.js:1 no test loads this file, or its coverage is not measured"
    ]
    assert result.metrics["coverage.javascript.changed"] == 100


def test_without_the_coverage_of_all_projects_nothing_is_said_of_what_no_test_loads(
    look: Look, answer: Answer, write: Write, git: Git
) -> None:
    write({f"a/{path}": text for path, text in TWO.items()} | {"b/package.json": "{", "b/b.test.js": ""})
    git("add", ".")
    git("commit", "-q", "-m", "a")
    answer({REPORT: jest(("a", "passed"), path="a/src/a.test.js"), LCOV: lcov("src/a.js", 1)})
    result = look("javascript-tests", {"a/src/b.js": "export const b = 2;\n"}, changed=True)
    assert (said(result), result.reason) == (
        [],
        "tests of JavaScript in 1 file were not run: b/package.json is no JSON",
    )
