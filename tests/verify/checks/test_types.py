from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

WRONG = "def f(x: int) -> str:\n    return x + 1\n"
STRICT = {"pyproject.toml": "[tool.mypy]\nstrict = true\n"}


@pytest.mark.slow
def test_counts_where_the_project_checks_types(found: Found) -> None:
    assert found("types", {"a.py": WRONG}) == ["warning return-value a.py:2"]
    assert found("types", {**STRICT, "a.py": WRONG}) == ["error return-value a.py:2"]


@pytest.mark.slow
def test_options_of_the_project(found: Found) -> None:
    untyped = {"a.py": "def f(x):\n    return x\n"}
    assert found("types", untyped) == []
    assert found("types", {**STRICT, **untyped}) == ["error no-untyped-def a.py:1"]
    relaxed = '[tool.mypy]\nstrict = true\n[[tool.mypy.overrides]]\nmodule = "a"\nignore_errors = true\n'
    assert found("types", {"pyproject.toml": relaxed, **untyped}) == []


@pytest.mark.slow
def test_nothing_of_the_project_is_executed(look: Look, root: Path) -> None:
    """A plug-in and an interpreter of the project's would run outside of the sandbox."""
    files = {
        "pyproject.toml": '[tool.mypy]\nplugins = ["plugin.py"]\npython_executable = "./python"\n',
        "plugin.py": "open('ran', 'w')\n",
        "python": f"#!/bin/sh\ntouch {root}/ran\n",
        "a.py": "x: int = 1\n",
        ".venv/pyvenv.cfg": "home = /usr/bin\n",
        ".venv/bin/python": f"#!/bin/sh\ntouch {root}/ran\n",
        ".venv/lib/python3.11/site-packages/b.py": "y: int = 1\n",
        ".venv/lib/python3.11/os.py": "",
    }
    result = look("types", files, environment=root / ".venv")
    assert result.status is Status.PASS
    assert not (root / "ran").exists()


@pytest.mark.slow
def test_missing_packages_are_said(look: Look) -> None:
    """What they bring can't be checked; that is no fault of the project, and no proof either."""
    source = {"a.py": "import numpy\n\n\nclass A(numpy.ndarray): ...\n"}
    assert look("types", source).status is Status.PASS
    result = look("types", {**STRICT, **source})
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())
    assert "1 imports lead to packages that are not here" in result.reason


@pytest.mark.slow
def test_keywords_of_a_class_whose_base_is_not_here_do_not_block(found: Found) -> None:
    """The base comes from a package through another file, and mypy asks `object` what the keyword is."""
    config = {
        "mypy.ini": "[mypy]\n",
        "base.py": "from pydantic import BaseModel\n\n\nclass Base(BaseModel):\n    pass\n",
    }
    derived = 'from base import Base\n\n\nclass Derived(Base, extra="ignore"):\n    pass\n'
    assert found("types", {**config, "derived.py": derived}) == ["warning call-arg derived.py:4"]
    own = 'class Base:\n    pass\n\n\nclass Derived(Base, extra="ignore"):\n    pass\n'
    assert found("types", {"mypy.ini": "[mypy]\n", "base.py": own, "derived.py": ""}) == ["error call-arg base.py:5"]


@pytest.mark.slow
def test_stubs_speak_for_their_modules(found: Found) -> None:
    files = {
        "p/__init__.pyi": "def f(x: int) -> str: ...\n",
        "p/__init__.py": "",
        "p/_made.py": "def f(x):\n    return x\n",
    }
    assert found("types", {**STRICT, **files}) == []


def test_what_is_superfluous_for_one_version_does_not_block(found: Found) -> None:
    config = '[project]\nname = "a"\n[tool.mypy]\nstrict = true\n'
    code = "from typing import cast\n\n\ndef f(a: int) -> int:\n    return cast(int, a)\n"
    assert found("types", {"pyproject.toml": config, "a.py": code}) == ["warning redundant-cast a.py:5"]
