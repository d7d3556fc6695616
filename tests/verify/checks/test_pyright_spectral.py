"""Pyright and Spectral, each where a project configures it, with the real tools."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import load_settings
from omni.verify.report import CheckResult, Status
from omni.verify.tools import open_tools

Look = Callable[..., CheckResult]
API = "openapi: 3.1.0\ninfo:\n  title: a\n  version: '1'\npaths: {}\n"
RULESET = """rules:
  contact:
    message: an API names who answers for it
    severity: error
    given: $.info
    then: {field: contact, function: truthy}
"""


def set_of_tools(name: str) -> None:
    settings = load_settings()
    try:
        open_tools(settings.home, settings.offline, print, name)
    except OmniError as problem:
        pytest.skip(f"the set {name} can't be had here: {problem.why}")


@pytest.mark.slow
@pytest.mark.host
def test_pyright(look: Look) -> None:
    set_of_tools("pyright")
    files = {"pyrightconfig.json": "{}", "a.py": 'x: int = "a"\n', "b.py": 'import not_here\n\ny: int = "b"\n'}
    result = look("pyright", files)
    assert [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings] == [
        "error reportAssignmentType a.py:1",
        "warning reportAssignmentType b.py:3",
    ]
    assert (result.status, result.reason.partition(",")[0]) == (Status.FAIL, "1 files import what is not here")


@pytest.mark.slow
@pytest.mark.host
def test_spectral(look: Look) -> None:
    set_of_tools("spectral")
    result = look("spectral", {".spectral.yaml": RULESET, "openapi.yaml": API})
    assert [(each.severity, each.rule, each.path, each.line, each.message) for each in result.findings] == [
        ("error", "contact", "openapi.yaml", 2, "an API names who answers for it")
    ]
    result = look("spectral", {".spectral.yaml": "extends: https://rules.example.org/a.yaml\n"})
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())
    assert result.reason.startswith("Spectral ended with")


@pytest.mark.parametrize(
    ("check", "files", "why"),
    [
        (
            "pyright",
            {"a.py": "x = 1\n", "pyproject.toml": "[tool.mypy]\n"},
            "the project does not configure pyright at its root",
        ),
        (
            "pyright",
            {"a.py": "x = 1\n", "pyproject.toml": f"a = {'[' * 10_000}\n"},
            "the project does not configure pyright at its root",
        ),
        (
            "spectral",
            {"api/.spectral.yaml": RULESET, "openapi.yaml": API},
            "the project has no ruleset of Spectral at its root",
        ),
        ("spectral", {".spectral.yaml": RULESET, "a.yaml": "b: 1\n"}, "there is no OpenAPI or AsyncAPI document"),
    ],
)
def test_what_a_project_does_not_configure_does_not_apply(
    look: Look, check: str, files: dict[str, str], why: str
) -> None:
    set_of_tools(check)
    result = look(check, files)
    assert (result.status, result.reason) == (Status.SKIPPED, why)
