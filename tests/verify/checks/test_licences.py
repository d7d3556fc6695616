from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

PROJECT = (
    '[project]\nname = "shop"\nversion = "1"\nlicense = "MIT"\ndependencies = [\n  "httpx",\n  "readline-gpl",\n]\n'
)


@pytest.fixture
def environment(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """An environment in which these are installed: name → further lines of METADATA."""

    def make(installed: Mapping[str, str]) -> Path:
        for name, lines in installed.items():
            folder = tmp_path / f"env/lib/python3.11/site-packages/{name.replace('-', '_')}-1.0.dist-info"
            folder.mkdir(parents=True)
            (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{lines}\n\nText\n")
        return tmp_path / "env"

    return make


Environment = Callable[[Mapping[str, str]], Path]
GPL = "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)"


def test_breach(look: Look, environment: Environment) -> None:
    home = environment({"httpx": "License: BSD-3-Clause", "readline-gpl": GPL})
    result = look("licences", {"pyproject.toml": PROJECT}, environment=home)
    (finding,) = result.findings
    assert (finding.rule, finding.severity, finding.path, finding.line) == (
        "incompatible",
        "error",
        "pyproject.toml",
        7,
    )
    assert finding.message == (
        "readline-gpl 1.0: GPL-3.0-only (copyleft of the whole program) can't be part of a program under MIT"
    )
    assert finding.why
    assert finding.fix


def test_clean_twin(look: Look, environment: Environment) -> None:
    home = environment({"httpx": "License: BSD-3-Clause", "readline-gpl": "License-Expression: MIT OR GPL-2.0-only"})
    result = look("licences", {"pyproject.toml": PROJECT}, environment=home)
    assert (result.status, result.findings) == (Status.PASS, ())
    assert result.metrics == {"licences.known": 2, "licences.unknown": 0}


def test_through_another(look: Look, environment: Environment) -> None:
    home = environment(
        {
            "httpx": "License: BSD-3-Clause\nRequires-Dist: deep; python_version > '3'\nRequires-Dist: h; extra == 'h'",
            "deep": "License: GPLv3",
            "h": "License: GPLv3",
            "readline-gpl": "License: MIT",
        }
    )
    (finding,) = look("licences", {"pyproject.toml": PROJECT}, environment=home).findings
    assert (finding.line, finding.message.partition(":")[0]) == (6, "deep 1.0, which httpx needs")


def test_a_project_without_a_licence_is_warned(look: Look, environment: Environment) -> None:
    home = environment({"httpx": "License: MIT", "readline-gpl": GPL})
    text = PROJECT.replace('license = "MIT"\n', "")
    (finding,) = look("licences", {"pyproject.toml": text}, environment=home).findings
    assert finding.severity == "warning"
    assert "the project itself names no licence" in finding.message


def test_the_text_of_the_licence_counts(look: Look, environment: Environment) -> None:
    home = environment({"httpx": "License: MIT", "readline-gpl": GPL})
    text = PROJECT.replace('license = "MIT"\n', "")
    licence = "GNU GENERAL PUBLIC LICENSE\nVersion 3"
    assert look("licences", {"pyproject.toml": text, "LICENSE": licence}, environment=home).findings == ()


def test_not_known(look: Look, environment: Environment) -> None:
    home = environment({"httpx": "License: Mine", "readline-gpl": ""})
    findings = look("licences", {"pyproject.toml": PROJECT}, environment=home).findings
    assert [(each.rule, each.severity) for each in findings] == [("unknown", "note")] * 2


def test_not_installed(look: Look, environment: Environment) -> None:
    result = look("licences", {"pyproject.toml": PROJECT}, environment=environment({"httpx": "License: MIT"}))
    assert result.status is Status.INCOMPLETE
    assert "1 dependencies are not known, since they are not installed: readline-gpl" in result.reason


def test_no_environment(look: Look) -> None:
    result = look("licences", {"pyproject.toml": PROJECT})
    assert result.status is Status.INCOMPLETE
    assert "there is no environment" in result.reason


def test_only_for_developers(look: Look) -> None:
    text = '[project]\nname = "a"\nversion = "1"\n[dependency-groups]\ndev = ["pylint"]\n'
    assert look("licences", {"pyproject.toml": text}).status is Status.SKIPPED


def test_node(look: Look) -> None:
    package = {"name": "a", "license": "MIT", "dependencies": {"left": "1"}, "devDependencies": {"right": "1"}}
    lock = {
        "packages": {
            "": {"name": "a"},
            "node_modules/left": {"version": "1.0.0", "license": "ISC"},
            "node_modules/left/node_modules/deep": {"version": "2.0.0", "license": "AGPL-3.0"},
            "node_modules/right": {"version": "1.0.0", "license": "GPL-3.0-only", "dev": True},
        }
    }
    files = {"package.json": json.dumps(package, indent=2), "package-lock.json": json.dumps(lock)}
    (finding,) = look("licences", files).findings
    assert (finding.rule, finding.path, finding.line) == ("incompatible", "package.json", 5)
