"""ESLint and Prettier as a project configures them. The project's own ones are stood in for by scripts for Node."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import load_settings
from omni.verify.report import CheckResult, Status
from omni.verify.tools import open_tools

Look = Callable[..., CheckResult]

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not on this machine")
CONFIG = {"eslint.config.js": "export default [];\n", "a.js": "let unused;\n"}
SAID = [
    {
        "filePath": "/work/a.js",
        "messages": [
            {"ruleId": "no-unused-vars", "severity": 2, "message": "'unused' is not used.", "line": 1, "column": 5},
            {"ruleId": None, "severity": 1, "message": "Unused directive.", "line": 1, "column": 0},
            {"ruleId": None, "fatal": True, "severity": 2, "message": "Parsing error", "line": None},
        ],
    }
]


def program(said: str, stderr: str = "", code: int = 0) -> str:
    told = [f"process.{name}.write({json.dumps(text)})" for name, text in (("stdout", said), ("stderr", stderr))]
    return "; ".join((*told, f"process.exitCode = {code};"))


def shapes(result: CheckResult) -> list[str]:
    return sorted(f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings)


@needs_node
@pytest.mark.host
def test_what_eslint_says(look: Look) -> None:
    other = {**SAID[0], "filePath": "/work/a.json"}
    files = {"node_modules/eslint/bin/eslint.js": program(json.dumps([*SAID, other]), code=1), "a.json": "{}\n"}
    result = look("eslint", {**CONFIG, **files, "b.ts": "let b;\n", ".gitignore": "node_modules\n"})
    assert shapes(result) == ["error no-unused-vars a.js:1", "error syntax a.js:None", "warning directive a.js:1"]
    assert (result.coverage.seen, sorted(result.coverage.skipped)) == (1, ["b.ts", "eslint.config.js"])


@needs_node
@pytest.mark.host
@pytest.mark.parametrize(
    ("script", "status", "why"),
    [
        (program("", "Error: Cannot find package 'x'", 2), Status.INCOMPLETE, "ESLint ended with 2: Error: Cannot"),
        (program("{}"), Status.ERROR, "ESLint did not print what it should"),
        (program("[{}]"), Status.ERROR, "ESLint did not print what it should"),
        (program("no"), Status.ERROR, "ESLint did not print what it should"),
    ],
)
def test_an_eslint_that_fails_is_no_pass(look: Look, script: str, status: Status, why: str) -> None:
    result = look("eslint", {**CONFIG, "node_modules/eslint/bin/eslint.js": script, ".gitignore": "node_modules\n"})
    assert (result.status, result.findings) == (status, ())
    assert result.reason.startswith(why)


def test_eslint_that_is_not_there(look: Look) -> None:
    result = look("eslint", CONFIG)
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "ESLint is configured, and not installed. Type: npm install",
    )
    assert look("eslint", {"b.js": ""}).status is Status.INCOMPLETE


@needs_node
@pytest.mark.host
def test_of_what_eslint_did_not_look_at_nothing_is_known(look: Look) -> None:
    result = look(
        "eslint", {**CONFIG, "node_modules/eslint/bin/eslint.js": program("[]"), ".gitignore": "node_modules\n"}
    )
    assert result.status is Status.SKIPPED


BELOW_THE_ROOT = {"web/eslint.config.js": "export default [];\n", "web/.prettierrc": "{}\n", "web/a.js": "let a;\n"}


def test_without_a_configuration_of_eslint_at_the_root_it_does_not_apply(look: Look) -> None:
    result = look("eslint", BELOW_THE_ROOT)
    assert (result.status, result.reason) == (Status.SKIPPED, "the project has no configuration of ESLint at its root")


@pytest.fixture
def _prettier() -> None:
    settings = load_settings()
    try:
        open_tools(settings.home, settings.offline, print, "prettier")
    except OmniError as problem:
        pytest.skip(f"Prettier can't be had here: {problem.why}")


@pytest.mark.usefixtures("_prettier")
def test_without_a_configuration_of_prettier_at_the_root_it_does_not_apply(look: Look) -> None:
    result = look("prettier", BELOW_THE_ROOT)
    said = "the project has no configuration of Prettier at its root"
    assert (result.status, result.reason) == (Status.SKIPPED, said)


@pytest.mark.slow
@pytest.mark.host
@pytest.mark.usefixtures("_prettier")
def test_layout_by_the_pinned_prettier_is_a_note(look: Look) -> None:
    files = {
        ".prettierrc": '{"singleQuote": true}\n',
        ".prettierignore": "made/\n",
        "a.js": 'const a = "x"\n',
        "right.js": "const a = 'x';\n",
        "made/b.js": "const  b=1\n",
        "broken.ts": "const = ;\n",
    }
    result = look("prettier", files)
    assert shapes(result) == ["note unformatted a.js:1"]
    assert list(result.coverage.skipped) == ["broken.ts"]
    result = look("prettier", {".prettierrc": '{"plugins": ["prettier-plugin-none"]}\n'})
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "the configuration of Prettier needs prettier-plugin-none, which is not installed. Type: npm install",
    )


@pytest.mark.host
@pytest.mark.usefixtures("_prettier")
@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({".prettierrc": '{"printWidth": "wide"}\n'}, "1: Invalid printWidth value. Expected an integer"),
        ({".prettierrc": '{"printWidth": wide}\n'}, "1: Invalid printWidth value. Expected an integer"),
        ({".prettierrc.json": '{"printWidth": wide}\n'}, "2: Invalid configuration for file"),
        ({".prettierrc": "{}\n", "web/.prettierrc": '{"tabWidth": "x"}\n'}, "1: Invalid tabWidth value."),
    ],
)
def test_a_prettier_that_looked_at_nothing_is_no_pass(look: Look, files: dict[str, str], why: str) -> None:
    result = look("prettier", {**files, "a.js": "const a=1\n", "web/b.js": "const b=1\n"})
    assert (result.status, result.findings) == (Status.ERROR, ())
    assert result.reason.startswith(f"Prettier ended with {why}")


@needs_node
@pytest.mark.host
@pytest.mark.usefixtures("_prettier")
def test_layout_by_the_project_s_own_prettier_counts(look: Look) -> None:
    files = {
        "package.json": '{"prettier": {}, "devDependencies": {"prettier": "^2.8.0"}}',
        "node_modules/prettier/bin/prettier.cjs": program("a.ts\nREADME.md\n", code=1),
        "a.ts": "let a\n",
        "README.md": "* a\n",
        ".gitignore": "node_modules\n",
    }
    assert shapes(look("prettier", files)) == ["error unformatted a.ts:1", "note unformatted README.md:1"]


@pytest.mark.usefixtures("_prettier")
def test_another_prettier_than_the_project_asks_for_is_not_asked(look: Look) -> None:
    result = look(
        "prettier", {"package.json": '{"prettier": {}, "devDependencies": {"prettier": "^2.8.0"}}', "a.js": ""}
    )
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "the project asks for Prettier ^2.8.0, which is not installed. Type: npm install",
    )
