from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

BAD_PYTHON = "import os\n\n\ndef f():\n    return undefined_name\n"


@pytest.mark.parametrize(
    ("check", "path", "text", "expected"),
    [
        ("hadolint", "Dockerfile", "FROM python:latest\nUSER 1000\n", ["warning DL3007 Dockerfile:1"]),
        ("hadolint", "Dockerfile", "FORM python\n", ["error DL1000 Dockerfile:1"]),
        ("hadolint", "Dockerfile", "FROM python:3.12-slim\nUSER 1000\n", []),
        (
            "shellcheck",
            "run.sh",
            "#!/bin/sh\ncd $1\n",
            ["warning SC2164 run.sh:2", "note SC2086 run.sh:2"],
        ),
        ("shellcheck", "run.sh", '#!/bin/sh\ncd "$1" || exit 1\n', []),
        ("shfmt", "run.sh", "#!/bin/sh\nif true; then\n  true\nfi\n", ["note unformatted run.sh:1"]),
        ("shfmt", "run.sh", "#!/bin/sh\nif true; then\n\ttrue\nfi\n", []),
        ("yamllint", "a.yaml", "a: 1\nb: 2\na: 3\n", ["error key-duplicates a.yaml:3"]),
        ("yamllint", "a.yaml", "mode: 0644\n", ["error octal-values a.yaml:1"]),
        ("yamllint", "a.yaml", "a:   [1,2 ]\n", []),
        ("oxlint", "a.js", "const a = 1;\na = 2;\nf(a);\n", ["error no-const-assign a.js:1"]),
        ("oxlint", "a.ts", "function f(: number {\n", ["error syntax a.ts:1"]),
        ("oxlint", "a.ts", "export const a: number = 1;\n", []),
        (
            "squawk",
            "migrations/1.sql",
            "ALTER TABLE a RENAME COLUMN b TO c;\n",
            ["error renaming-column migrations/1.sql:1"],
        ),
        ("squawk", "migrations/1.sql", "CREATE TABLE a (b int);\n", []),
        ("spelling", "a.md", "Teh end.\n", ["note misspelt a.md:1"]),
        ("spelling", "a.md", "The end.\n", []),
        ("ruff-lint", "a.py", BAD_PYTHON, ["warning F401 a.py:1", "error F821 a.py:5"]),
        ("ruff-lint", "a.py", "x = 1\n", []),
        ("ruff-format", "a.py", "x  =  1\n", ["note unformatted a.py:1"]),
    ],
)
def test_tool(found: Found, check: str, path: str, text: str, expected: list[str]) -> None:
    assert sorted(found(check, {path: text})) == sorted(expected)


def test_what_the_project_chose_counts(found: Found) -> None:
    chosen = {"pyproject.toml": '[tool.ruff.lint]\nselect = ["F", "I"]\n'}
    assert found("ruff-lint", {**chosen, "a.py": BAD_PYTHON}) == ["error F401 a.py:1", "error F821 a.py:5"]
    assert found("ruff-format", {**chosen, "a.py": "x  =  1\n"}) == ["error unformatted a.py:1"]


def test_workflow(found: Found) -> None:
    workflow = (
        "name: ci\non: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n"
    )
    told = found("workflows", {".github/workflows/ci.yml": workflow})
    assert "error zizmor/template-injection .github/workflows/ci.yml:8" in told
    # The trigger alone runs nothing of a stranger's.
    assert [each for each in told if "dangerous-triggers" in each] == [
        "warning zizmor/dangerous-triggers .github/workflows/ci.yml:2"
    ]


def test_findings_say_why_and_how(look: Look) -> None:
    for check, path, text in (
        ("hadolint", "Dockerfile", "FROM python:latest\n"),
        ("shellcheck", "run.sh", "#!/bin/sh\ncd $1\n"),
        ("oxlint", "a.js", "const a = 1;\na = 2;\n"),
        ("squawk", "migrations/1.sql", "ALTER TABLE a RENAME COLUMN b TO c;\n"),
    ):
        assert all(each.why and each.fix for each in look(check, {path: text}).findings)


def test_configuration_of_yamllint_is_obeyed(found: Found) -> None:
    files = {".yamllint": "rules: {colons: enable}\n", "a.yaml": "a:   1\n"}
    assert found("yamllint", files) == ["error colons a.yaml:1"]


def test_a_name_that_its_author_knows_to_come_from_elsewhere(found: Found) -> None:
    known = "shell = get_ipython()  # type: ignore[name-defined]\n"
    assert found("ruff-lint", {"a.py": known + "get_other()\n"}) == ["error F821 a.py:2"]


def test_a_project_that_asks_ruff_to_mend_is_only_looked_at(found: Found, root: Path) -> None:
    config = "[tool.ruff]\nfix = true\nunsafe-fixes = true\nfix-only = true\nlint.select = ['F', 'I']\n"
    assert found("ruff-lint", {"a.py": "import sys\nimport os\n", "pyproject.toml": config})
    assert (root / "a.py").read_text() == "import sys\nimport os\n"
