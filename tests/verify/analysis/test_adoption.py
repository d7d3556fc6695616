"""Which tools a project has chosen for itself."""

from __future__ import annotations

import re

import pytest
from tests.verify.analysis.conftest import ContextOf

from omni.verify.analysis.adoption import adopts, adopts_script, other_version, package_json, pyproject, table


def test_tables_within_tables() -> None:
    data = {"a": {"b": {"c": 1}, "d": 2}}
    assert table(data, "a", "b") == {"c": 1}
    assert table(data) == data
    assert table(data, "a", "d") == table(data, "x", "b") == table(3) == table(data, "a", "d", "e") == {}


def test_what_can_not_be_read_says_nothing(context_of: ContextOf) -> None:
    empty = context_of({})
    assert (pyproject(empty), package_json(empty)) == ({}, {})
    good = context_of({"pyproject.toml": "a = 1", "package.json": '{"b": 2}', "x/pyproject.toml": "c = 3"})
    assert (pyproject(good), package_json(good), pyproject(good, "x/pyproject.toml")) == ({"a": 1}, {"b": 2}, {"c": 3})
    bad = context_of({"pyproject.toml": "a", "package.json": "["})
    assert (pyproject(bad), package_json(bad)) == ({}, {})
    deep = context_of({"pyproject.toml": "a = " + "[" * 9999, "package.json": "[" * 99999})
    assert (pyproject(deep), package_json(deep)) == ({}, {})
    binary = context_of({"pyproject.toml": "a = '\0'", "package.json": '"\0"'})
    assert (pyproject(binary), package_json(binary)) == ({}, {})


@pytest.mark.parametrize(
    ("path", "text", "version"),
    [
        (".pre-commit-config.yaml", "- repo: https://x/ruff-pre-commit\n  rev: v0.3.1\n", "0.3"),
        (".pre-commit-config.yaml", "- repo: https://x/ruff-pre-commit\n  rev: 'v0.4.9'\n", ""),
        (".pre-commit-config.yaml", "- repo: https://x/other-pre-commit\n  rev: v0.3.1\n", ""),
        ("x/.pre-commit-config.yaml", "- repo: https://x/ruff-pre-commit\n  rev: v0.3.1\n", ""),
        ("requirements.txt", "a==1.0\nruff==0.3.1\n", "0.3"),
        ("requirements/dev.txt", "ruff==1.4\n", "1.4"),
        ("requirements-dev.txt", "ruff>=0.3\n", ""),
        ("requirements.txt", "xruff==0.3.1\n", ""),
        ("notes.txt", "ruff==0.3.1\n", ""),
    ],
)
def test_the_version_that_a_project_pins_if_it_is_not_ours(
    context_of: ContextOf, path: str, text: str, version: str
) -> None:
    assert other_version(context_of({"a.txt": "", path: text}), "ruff", "0.4.2") == version


@pytest.mark.parametrize(
    ("path", "text", "tool", "adopted"),
    [
        ("ruff.toml", "", "ruff", True),
        (".mypy.ini", "", "mypy", True),
        ("x/ruff.toml", "", "ruff", False),
        ("ruff.toml", "", "mypy", False),
        ("pyproject.toml", "[tool.ruff.lint]", "ruff", True),
        ("pyproject.toml", "[ruff]", "ruff", False),
        ("pyproject.toml", "[tool.unheard-of]", "unheard-of", True),
    ],
)
def test_a_tool_that_is_configured_is_adopted(
    context_of: ContextOf, path: str, text: str, tool: str, adopted: bool
) -> None:
    assert adopts(context_of({path: text}), tool) is adopted


def test_a_tool_for_scripts_is_adopted_by_a_file_or_a_key(context_of: ContextOf) -> None:
    files = re.compile(r"eslint\.config\.[cm]?js$")
    assert not adopts_script(context_of({"x/eslint.config.js": "", "package.json": "{}"}), files, "eslintConfig")
    assert adopts_script(context_of({"package.json": '{"eslintConfig": {}}'}), files, "eslintConfig")
    assert adopts_script(context_of({"package.json": "{}", "eslint.config.mjs": ""}), files, "eslintConfig")
