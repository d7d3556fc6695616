from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.verify.checks import dependency_names
from omni.verify.report import CheckResult, Severity, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]
AddTool = Callable[[str, str], None]


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


def index(names: dict[str, bool | None]) -> str:
    """A program in the place of the Python that asks pip: answers for these, and fails without any."""
    lines = "".join(f"echo '{json.dumps(each)}'\n" for each in names.items())
    return lines or "exit 3"


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        ({"pip": True, "gone-17": False, "there-17": True}, Status.FAIL, "there is no package `gone-17` on pypi"),
        ({"pip": True, "gone-17": True, "there-17": True}, Status.PASS, ""),
        ({"pip": True, "gone-17": False}, Status.INCOMPLETE, "could not be asked"),
        ({"pip": True, "gone-17": False, "there-17": None}, Status.INCOMPLETE, "could not be asked"),
        ({"pip": False, "gone-17": False, "there-17": False}, Status.INCOMPLETE, "could not be asked"),
        ({}, Status.INCOMPLETE, "could not be asked"),
    ],
)
def test_an_index_that_does_not_know_pip_says_nothing_of_others(
    look: Look, add_tool: AddTool, answers: dict[str, bool | None], status: Status, said: str
) -> None:
    add_tool("python", index(answers))
    result = look("dependency-names", _project("gone-17", "there-17"))
    assert result.status is status
    assert said in " ".join([result.reason, *(each.message for each in result.findings)])
    assert len(result.findings) == (status is Status.FAIL)


NPM = {
    "here-17": "echo '\"here-17\"'",
    "gone-17": 'echo \'{"error": {"code": "E404"}}\'; exit 1',
    "down-17": 'echo \'{"error": {"code": "ENOTFOUND"}}\'; exit 1',
    "odd-17": "echo nothing; exit 1",
    "list-17": "echo '[]'; exit 1",
    "npm": "echo '\"npm\"'",
}


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("here-17", Status.PASS, ""),
        ("gone-17", Status.FAIL, "there is no package `gone-17` on npm"),
        (
            "down-17",
            Status.INCOMPLETE,
            "`down-17`, `here-17`: not in the snapshot of 2026-11, and npm could not be asked",
        ),
        ("odd-17", Status.INCOMPLETE, "npm could not be asked"),
        ("list-17", Status.INCOMPLETE, "npm could not be asked"),
    ],
)
def test_npm_is_asked_about_its_own(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, status: Status, said: str
) -> None:
    cases = "".join(f"{each}) {does} ;;\n" for each, does in NPM.items())
    (tmp_path / "npm").write_text(f'#!/bin/sh\ncase "$3" in\n{cases}esac\n')
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    result = look("dependency-names", {"package.json": f'{{"dependencies": {{"{name}": "1", "here-17": "1"}}}}'})
    assert result.status is status
    assert said in " ".join([result.reason, *(each.message for each in result.findings)])
    assert result.metrics == ({"dependencies.missing.npm": 1} if status is Status.FAIL else {})
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    again = look("dependency-names", {"package.json": '{"dependencies": {"other-17": "1"}}'})
    assert again.reason.endswith("and npm could not be asked")


def test_which_names_are_asked_about(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what a declared package brings, what may be absent, or a script's import where no manifest of npm is."""
    asked: dict[str, list[str]] = {}

    def answers(_context: object, registry: str, names: set[str]) -> dict[str, bool]:
        asked[registry] = sorted(names)
        return {name: name in {"pip", "npm"} for name in names}

    monkeypatch.setattr(dependency_names, "_answers", answers)
    python = (
        "import declared_17\nimport spaced_17.part\nimport yaml\nimport made_up_17\ntry:\n    import absent_17\n"
        "except ImportError:\n    absent_17 = None\n"
    )
    files = {
        "requirements.txt": "declared-17\nspaced-17-part\n",
        "a.py": python,
        "a.js": "import 'left-17';\n",
        "docs/b.py": "import doubtful_17\n",
        "tests/requirements.txt": "given-17\n",
    }
    result = look("dependency-names", files)
    assert asked == {"pypi": ["declared-17", "doubtful-17", "given-17", "made-up-17", "pip", "spaced-17-part"]}
    assert [(each.severity, each.path, each.line, each.message.split("`")[1]) for each in result.findings] == snapshot(
        [
            (Severity.ERROR, "a.py", 4, "made-up-17"),
            (Severity.WARNING, "docs/b.py", 1, "doubtful-17"),
            (Severity.ERROR, "requirements.txt", 1, "declared-17"),
            (Severity.ERROR, "requirements.txt", 2, "spaced-17-part"),
            (Severity.ERROR, "tests/requirements.txt", 1, "given-17"),
        ]
    )
    package = {"package.json": '{"dependencies": {"named-17": "1"}}', "a.js": "import 'left-17';\nimport 'named-17';\n"}
    of_npm = [each for each in look("dependency-names", files | package).findings if each.message.endswith("npm")]
    assert asked["npm"] == ["left-17", "named-17", "npm"]
    assert [(each.severity, each.path, each.line) for each in of_npm] == [
        (Severity.ERROR, "a.js", 1),
        (Severity.ERROR, "package.json", 1),
    ]


def test_what_is_installed_is_there(look: Look, tmp_path: Path) -> None:
    info = tmp_path / "env/lib/python3.11/site-packages/our_own_17-1.0.dist-info"
    info.mkdir(parents=True)
    result = look("dependency-names", _project("our-own-17"), environment=tmp_path / "env", offline=True)
    assert (result.status, result.reason) == (Status.PASS, "")


def test_a_broken_manifest_names_nothing(look: Look) -> None:
    result = look("dependency-names", {"pyproject.toml": "[project\n", "package.json": "{"}, offline=True)
    assert (result.status, result.findings) == (Status.PASS, ())
