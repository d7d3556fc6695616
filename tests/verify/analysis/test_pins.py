"""Exact versions of dependencies, of every kind of lock file."""

from __future__ import annotations

import json

import pytest

from omni.verify.analysis.manifests import BadManifestError
from omni.verify.analysis.pins import Pin, pins

TABLES = """\
[[package]]
name = "first"
version = "1.0"

[[package]]
name = "no-version"

[[package]]
version = "2"

[[package]]
name = "second"
version = "2.0"
"""


@pytest.mark.parametrize(
    ("path", "ecosystem"),
    [("uv.lock", "PyPI"), ("a/poetry.lock", "PyPI"), ("pdm.lock", "PyPI"), ("Cargo.lock", "crates.io")],
)
def test_tables(path: str, ecosystem: str) -> None:
    assert pins(path, TABLES) == [Pin(ecosystem, "first", "1.0", 2), Pin(ecosystem, "second", "2.0", 12)]


def test_npm() -> None:
    packages = {
        "": {"version": "1"},
        "node_modules/a": {"version": "1.0"},
        "node_modules/a/node_modules/@b/c": {"version": "2.0"},
        "node_modules/linked": {"link": True},
        "apps/own": {"version": "3"},
    }
    text = json.dumps({"packages": packages}, indent=1)
    assert pins("web/package-lock.json", text) == [Pin("npm", "a", "1.0", 6), Pin("npm", "@b/c", "2.0", 9)]


def test_requirements() -> None:
    text = "# a==1\nFlask_Cors[x] == 1.0 ; python_version > '3'\nb>=2\n-e .\nc==2.0,<3\nd==1.0#x\ne==1.0\\\n"
    assert pins("requirements.txt", text) == [
        Pin("PyPI", "flask-cors", "1.0", 2),
        Pin("PyPI", "c", "2.0", 5),
        Pin("PyPI", "d", "1.0", 6),
        Pin("PyPI", "e", "1.0", 7),
    ]


@pytest.mark.parametrize(
    ("path", "text"), [("uv.lock", "["), ("package-lock.json", "{"), ("package-lock.json", "[" * 100_000)]
)
def test_what_can_not_be_read_is_said(path: str, text: str) -> None:
    with pytest.raises(BadManifestError, match=r"\w"):
        pins(path, text)


def test_without_packages_there_are_no_pins() -> None:
    assert pins("uv.lock", "package = 3") == pins("uv.lock", "") == pins("package-lock.json", "[]") == []
