from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import said

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


STRONG = "GPL-3.0-only (copyleft of the whole program)"


@pytest.mark.parametrize(
    ("files", "own"),
    [
        ({"pyproject.toml": PROJECT.replace('"MIT"', '{text = "Apache-2.0"}')}, "Apache-2.0"),
        ({"package.json": '{"license": "ISC"}'}, "ISC"),
        ({"package.json": '{"license": "UNLICENSED"}', "LICENSE": "Apache License\nVersion 2.0\n"}, "Apache-2.0"),
        ({"package.json": '{"license": "SEE LICENSE IN LICENSE"}'}, ""),
        ({"package.json": '{"license": 3}', "COPYING": "Mozilla Public License Version 2.0\n"}, "MPL-2.0"),
        ({"LICENSE.md": "Permission is hereby granted, free of charge, to any person obtaining a copy"}, "MIT"),
        ({"LICENSE.txt": "Do as I say.\n"}, ""),
        ({"LICENSE": b"\xff\xfe\x00"}, ""),
        ({"pyproject.toml": PROJECT.replace('"MIT"', f'"{"x" * 100}"')}, ""),
    ],
)
def test_the_project_s_own_licence(look: Look, environment: Environment, files: dict[str, str], own: str) -> None:
    home = environment({"httpx": "License: MIT", "readline-gpl": GPL})
    without = {"pyproject.toml": PROJECT.replace('license = "MIT"\n', "")}
    line = 7 if "pyproject.toml" in files else 6
    severity, said_of = ("error", f"can't be part of a program under {own}") if own else ("warning", "")
    (finding,) = said(look("licences", without | files, environment=home))
    expected = f"{severity} incompatible pyproject.toml:{line} readline-gpl 1.0: {STRONG}"
    assert finding == f"{expected} {said_of}" if own else f"{expected}; the project itself names no licence"


def test_of_several_licences_one_that_fits_is_enough(look: Look, environment: Environment) -> None:
    two = "License-Expression: MIT OR GPL-3.0-only"
    assert (
        said(
            look("licences", {"pyproject.toml": PROJECT}, environment=environment({"httpx": two, "readline-gpl": two}))
        )
        == []
    )


def test_what_is_not_understood_is_named(look: Look, environment: Environment) -> None:
    mine = "“Mine-1.0”: “Mine-1.0” is not in the table of licences"
    home = environment({"httpx": "License-Expression: Mine-1.0", "readline-gpl": ""})
    result = look("licences", {"pyproject.toml": PROJECT}, environment=home)
    assert said(result) == [
        f"note unknown pyproject.toml:6 httpx 1.0: its licence is not understood: {mine}",
        "note unknown pyproject.toml:7 readline-gpl 1.0: its metadata names no licence",
    ]
    assert (result.status, result.metrics) == (Status.PASS, {"licences.known": 1, "licences.unknown": 1})


PACKAGE = '{\n"license": "MIT",\n"dependencies": {\n"left": "1",\n"right": "2"}}\n'
NODE = "node_modules"


def test_without_a_lock_what_is_installed_counts(look: Look) -> None:
    """What is not, or says nothing, is not known."""
    files = {
        "web/package.json": PACKAGE,
        f"web/{NODE}/left/package.json": '{"license": "GPL-3.0-only"}',
        f"web/{NODE}/right/package.json": '{"license": {"type": "MIT"}}',
        ".gitignore": f"{NODE}\n",
    }
    result = look("licences", files)
    assert said(result) == [
        f"warning incompatible web/package.json:4 left: {STRONG}; the project itself names no licence"
    ]
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "the licences of 1 dependencies are not known, since they are not installed: right",
    )
    assert result.metrics == {"licences.known": 1, "licences.unknown": 0}


def test_by_a_lock(look: Look) -> None:
    """Links and what is for developers are left out; of what the lock does not name the installed package does."""
    lock = {
        "packages": {
            "": {"license": "GPL-3.0-only"},
            f"{NODE}/left": {"version": "1.0.0"},
            f"{NODE}/right": {"version": "2.0.0", "license": "MIT", "dependencies": {"between": "1"}},
            f"{NODE}/between": {
                "license": "MIT",
                "optionalDependencies": {"deep": "1"},
                "dependencies": {"right": "1"},
            },
            f"{NODE}/right/{NODE}/deep": {"license": "GPL-3.0-only"},
            f"{NODE}/linked": {"link": True, "license": "GPL-3.0-only"},
            f"{NODE}/tool": {"dev": True, "license": "GPL-3.0-only"},
            f"{NODE}/odd": 3,
            f"{NODE}/mute": {"version": "3.0.0", "license": ["MIT"]},
        }
    }
    files = {
        "package.json": PACKAGE,
        "package-lock.json": json.dumps(lock),
        f"{NODE}/left/package.json": '{"license": "GPL-3.0-only"}',
        ".gitignore": f"{NODE}\n",
    }
    result = look("licences", files)
    assert said(result) == [
        f"error incompatible package.json:4 left 1.0.0: {STRONG} can't be part of a program under MIT",
        "note unknown package.json:4 mute 3.0.0, which left needs: its metadata names no licence",
        f"error incompatible package.json:5 deep, which right needs: {STRONG} can't be part of a program under MIT",
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")
    assert result.metrics == {"licences.known": 4, "licences.unknown": 1}


@pytest.mark.parametrize("lock", ["{", "[]", '{"packages": 3}'])
def test_a_lock_that_names_nothing(look: Look, lock: str) -> None:
    result = look("licences", {"package.json": PACKAGE, "package-lock.json": lock})
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "the licences of 2 dependencies are not known, since they are not installed: left",
    )


def test_without_an_environment_it_is_said_once(look: Look) -> None:
    result = look("licences", {"pyproject.toml": PROJECT})
    assert result.reason == (
        "the licences of the Python dependencies are not known: there is no environment with them installed"
    )
    both = look("licences", {"pyproject.toml": PROJECT, "package.json": PACKAGE}).reason
    assert both.endswith("; the licences of 4 dependencies are not known, since they are not installed: httpx")


def test_a_manifest_that_can_not_be_read(look: Look) -> None:
    result = look("licences", {"package.json": "{", "web/package.json": '{"devDependencies": {"a": "1"}}'})
    assert [path for path, why in result.coverage.failed.items() if "not a manifest" in why] == ["package.json"]
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())
