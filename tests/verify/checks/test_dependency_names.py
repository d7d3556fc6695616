from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from omni.verify.checks import dependency_names
from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]


def _project(*names: str) -> dict[str, str]:
    listed = "".join(f'    "{name}",\n' for name in names)
    return {"pyproject.toml": f'[project]\nname = "app"\nversion = "1"\ndependencies = [\n{listed}]\n'}


@pytest.mark.parametrize("name", ["reqeusts", "requets", "djnago", "python-dateutils", "sqla1chemy", "nunpy", "flaskk"])
def test_look_alikes(found: Found, name: str) -> None:
    assert found("dependency-names", _project("httpx", name), offline=True) == ["error look-alike pyproject.toml:6"]


@pytest.mark.parametrize("name", ["requests", "httpx", "SQLAlchemy", "ruamel.yaml", "boto3", "types-requests"])
def test_popular_names_are_known_offline(look: Look, name: str) -> None:
    result = look("dependency-names", _project(name), offline=True)
    assert (result.status, result.findings) == (Status.PASS, ())


def test_unknown_names_are_incomplete_offline(look: Look) -> None:
    result = look("dependency-names", _project("a-name-that-nobody-has-taken-yet-17"), offline=True)
    assert result.status is Status.INCOMPLETE
    assert "`a-name-that-nobody-has-taken-yet-17`: not in the snapshot of 2026-11" in result.reason
    assert "offline" in result.reason


def test_made_up_import_is_a_name_too(found: Found) -> None:
    assert found("dependency-names", {"app.py": "import os\nimport reqeusts\n"}, offline=True) == [
        "error look-alike app.py:2"
    ]


def test_url_and_workspace_are_nobodys_business(look: Look) -> None:
    result = look("dependency-names", _project("our-own-thing-xyz @ https://example.com/a.whl"), offline=True)
    assert result.status is Status.PASS


def test_npm(found: Found) -> None:
    files = {"package.json": '{\n  "dependencies": {\n    "react": "19",\n    "lodahs": "1"\n  }\n}\n'}
    assert found("dependency-names", files, offline=True) == ["error look-alike package.json:4"]


@pytest.mark.host
@pytest.mark.slow
def test_the_registry_is_asked(look: Look) -> None:
    """Needs the package index; without one the honest answer is `incomplete`."""
    result = look("dependency-names", _project("a-name-that-nobody-has-taken-yet-17"))
    if result.status is Status.INCOMPLETE:
        assert "could not be asked" in result.reason
    else:
        assert [finding.rule for finding in result.findings] == ["no-such-package"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"setup.py": 'from setuptools import setup\nsetup(install_requires=["NAME"])\n'},
            "error no-such-package setup.py:2",
        ),
        (
            {
                "host/setup.py": 'from setuptools import setup\nsetup(name="NAME")\n',
                "plugin/pyproject.toml": '[project]\nname = "plugin"\ndependencies = ["NAME"]\n',
            },
            "warning no-such-package plugin/pyproject.toml:3",
        ),
        ({"scripts/deploy.py": "import NAME\n"}, "error no-such-package scripts/deploy.py:1"),
        ({"tests/test_a.py": "import NAME\n"}, "warning no-such-package tests/test_a.py:1"),
        (
            {"tests/test_a.py": "import NAME\n", "web/app.py": "import NAME\n"},
            "error no-such-package web/app.py:1",
        ),
    ],
)
def test_only_what_a_test_or_an_example_imports_is_doubtful(
    found: Found, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: str
) -> None:
    known = dependency_names.CERTAIN.values()
    monkeypatch.setattr(
        dependency_names, "_answers", lambda _context, _registry, names: {name: name in known for name in names}
    )
    made_up = "nobody_has_taken_this_name_17"
    assert found("dependency-names", {path: text.replace("NAME", made_up) for path, text in files.items()}) == [
        expected
    ]


def test_who_was_there_today_is_not_asked_about_again(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def answers(_context: object, _registry: str, names: set[str]) -> dict[str, bool]:
        asked.append(set(names))
        return {name: name != "not-there-yet-17" for name in names}

    monkeypatch.setattr(dependency_names, "_answers", answers)
    files = _project("our-own-thing-xyz")
    assert look("dependency-names", files).status is Status.PASS
    assert look("dependency-names", {**files, "a.py": "x = 1\n"}).status is Status.PASS
    more = _project("our-own-thing-xyz", "not-there-yet-17")
    for text in ("x = 2\n", "x = 3\n"):
        assert look("dependency-names", {**more, "a.py": text}).status is Status.FAIL
    assert asked == [{"pip", "our-own-thing-xyz"}, {"pip", "not-there-yet-17"}]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 700)
    assert look("dependency-names", {**more, "a.py": "x = 4\n"}).status is Status.FAIL
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86400)
    assert look("dependency-names", {**files, "a.py": "x = 5\n"}).status is Status.PASS
    assert asked[2:] == [{"pip", "not-there-yet-17"}, {"pip", "our-own-thing-xyz"}]


def test_who_was_not_there_is_asked_about_again_soon(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    there: set[str] = {"pip"}
    monkeypatch.setattr(
        dependency_names, "_answers", lambda _context, _registry, names: {name: name in there for name in names}
    )
    files = _project("not-there-yet-17", "nor-this-one-17")
    result = look("dependency-names", files)
    assert (result.status, result.metrics) == (Status.FAIL, {"dependencies.missing.pypi": 2})
    there |= {"not-there-yet-17", "nor-this-one-17"}
    assert look("dependency-names", files).status is Status.FAIL
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 700)
    result = look("dependency-names", files)
    assert (result.status, result.metrics) == (Status.PASS, {})
