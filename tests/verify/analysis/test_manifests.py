"""What a project says it depends on, in every format in which it can say so."""

from __future__ import annotations

import json

import pytest

from omni.verify.analysis.manifests import (
    BadManifestError,
    Declared,
    is_python_manifest,
    npm_dependencies,
    own_name,
    package_name,
    python_dependencies,
)


def declared(path: str, text: str) -> list[str]:
    """`name:line`, with what is not usual about it."""
    read = npm_dependencies if path.endswith("package.json") else python_dependencies
    return [
        f"{each.name}:{each.line}" + (" dev" if each.development else "") + ("" if each.direct else " elsewhere")
        for each in read(path, text)
    ]


def test_pyproject() -> None:
    text = """\
[build-system]
requires = ["hatchling", 3]
[project]
dependencies = ["Django_Rest.framework>=3", "own @ https://example.org/own.whl", "git-tool @ git+ssh://x"]
[project.optional-dependencies]
tests = ["hypothesis"]
postgres = ["psycopg[binary]"]
[dependency-groups]
lint = ["ruff", {include-group = "x"}]
[tool.pdm.dev-dependencies]
doc = ["mkdocs"]
[tool.uv]
dev-dependencies = ["pytest"]
[tool.poetry.dependencies]
Python = "^3.11"
httpx = "^1"
local = {path = "../local"}
pinned = {version = "1"}
[tool.poetry.dev-dependencies]
black = "1"
[tool.poetry.group.docs.dependencies]
sphinx = {git = "https://example.org"}
"""
    assert declared("a/pyproject.toml", text) == [
        "django-rest-framework:4",
        "own:4 elsewhere",
        "git-tool:4 elsewhere",
        "hypothesis:6 dev",
        "psycopg:7",
        "ruff:9 dev",
        "mkdocs:11 dev",
        "pytest:13 dev",
        "hatchling:2 dev",
        "httpx:16",
        "local:17 elsewhere",
        "pinned:18",
        "black:20 dev",
        "sphinx:22 dev elsewhere",
    ]


def test_pipfile() -> None:
    text = '[packages]\nrequests = "*"\nfork = {url = "https://x"}\n[dev-packages]\npytest = "*"\n'
    assert declared("Pipfile", text) == ["requests:2", "fork:3 elsewhere", "pytest:5 dev"]


def test_requirements() -> None:
    text = (
        "# Flask\n-r other.txt\n--index-url https://example.org\nFlask-Cors==1  # why\nflask[async] >= 2 \\\n"
        "    --hash=sha256:0\n./local\n/abs/local\ngit+https://example.org/x.git\nhttps://example.org/y.whl\n"
        "z @ file:///z\n\n_odd\na#b\n"
    )
    expected = ["flask-cors:4", "flask:5", "z:11 elsewhere", "a:14"]
    assert declared("requirements.txt", text) == expected
    assert declared("requirements-dev.txt", "a\n") == ["a:1 dev"]
    assert declared("dev/requirements.txt", "a\n") == ["a:1"]
    assert declared("requirements/base.in", "\na.b\n") == ["a-b:2"]


def test_setup_cfg() -> None:
    text = "[options]\ninstall_requires =\n    a>=1\n    b\n[options.extras_require]\ntest =\n    c\nfast = d\n"
    assert declared("setup.cfg", text) == ["a:3", "b:4", "c:7 dev", "d:8"]
    assert declared("setup.cfg", "[metadata]\nname = x\n") == []


def test_setup_py_is_read_and_never_run() -> None:
    text = """\
import os
setuptools.setup(
    install_requires=["a", "b" + VERSION],
    tests_require=["c"],
    extras_require={"fast": ["d"]},
    name="own",
)
other(install_requires=["e"])
"""
    assert declared("setup.py", text) == ["a:3", "b:3", "c:4 dev", "d:5 dev"]


def test_a_line_is_that_of_the_whole_name() -> None:
    assert declared("requirements.txt", "flask-cors\nmy.flask\nflask\n") == ["flask-cors:1", "my-flask:2", "flask:3"]


def test_npm() -> None:
    groups = {
        "dependencies": {"react": "^19", "local": "file:../x", "git": "git+ssh://x", "odd": 3},
        "devDependencies": {"vite": "1", "other": "workspace:*"},
        "peerDependencies": {"@a/b": "1", "alias": "npm:c@1"},
        "optionalDependencies": {"web": "https://example.org/x.tgz", "linked": "link:../y"},
        "scripts": {"start": "x"},
    }
    assert declared("package.json", json.dumps(groups, indent=1)) == [
        "react:3",
        "local:4 elsewhere",
        "git:5 elsewhere",
        "odd:6 elsewhere",
        "vite:9 dev",
        "other:10 dev elsewhere",
        "@a/b:13",
        "alias:14 elsewhere",
        "web:17 elsewhere",
        "linked:18 elsewhere",
    ]
    assert npm_dependencies("a/package.json", '{"dependencies": {"x": "1"}}') == [
        Declared("x", "a/package.json", 1, development=False)
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[project"),
        ("pyproject.toml", "a = " + "[" * 5000),
        ("setup.cfg", "no section"),
        ("setup.py", "def"),
        ("package.json", "{"),
        ("package.json", "[" * 100_000),
    ],
)
def test_what_can_not_be_read_is_said(path: str, text: str) -> None:
    with pytest.raises(BadManifestError, match=r"\w"):
        declared(path, text)


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("setup.py", "from x import setup\nother(name='b')\nsetup(name='a')", "a"),
        ("setup.py", "setup(name=NAME)", ""),
        ("setup.py", "x = 1", ""),
        ("setup.py", "def", ""),
        ("a/pyproject.toml", "[project]\nname = 'a'", "a"),
        ("pyproject.toml", "[project]", ""),
        ("pyproject.toml", "[", ""),
        ("Pipfile", "[project]\nname = 'a'", ""),
    ],
)
def test_its_own_name(path: str, text: str, name: str) -> None:
    assert own_name(path, text) == name


def test_the_name_of_a_package() -> None:
    assert package_name('{"name": "a"}') == "a"


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("a/pyproject.toml", True),
        ("setup.cfg", True),
        ("setup.py", True),
        ("Pipfile", True),
        ("requirements-dev.in", True),
        ("requirements/base.txt", True),
        ("requirements.md", False),
        ("my-requirements.txt", False),
        ("package.json", False),
    ],
)
def test_which_files_are_manifests(path: str, is_one: bool) -> None:
    assert is_python_manifest(path) is is_one
