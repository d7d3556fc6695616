"""What a change can affect: never too little, and not everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest

from omni.verify import registry
from omni.verify.analysis.impact import Selection, affected_tests
from omni.verify.check import Context
from omni.verify.config import ProjectConfig
from omni.verify.execution import Execution
from omni.verify.files import take_inventory

Write = Callable[[Mapping[str, str | bytes]], Path]

FILES: Mapping[str, str] = {
    "README.md": "words\n",
    "NOTES.rst": "words\n",
    "pyproject.toml": "[project]\nname = 'app'\n",
    "src/app/__init__.py": "",
    "src/app/money.py": "from .base import Base\n",
    "src/app/base.py": "class Base: pass\n",
    "src/app/web/__init__.py": "",
    "src/app/web/page.py": "from app import money\n",
    "src/app/plugins.py": "import importlib\n",
    "src/app/alone.py": "",
    "tests/conftest.py": "",
    "tests/helpers.py": "from app.alone import *\n",
    "tests/test_money.py": "from app.money import Base\n",
    "tests/test_page.py": "import app.web.page\n",
    "tests/test_alone.py": "import helpers\n",
    "tests/test_plugins.py": "from app.plugins import load\nNOTES = 'NOTES.rst'\n",
    "tests/deep/test_nothing.py": "",
}
EVERY = tuple(sorted(path for path in FILES if "/test_" in path))


@pytest.fixture
def affected(write: Write) -> Callable[..., Selection]:
    def select(*changed: str, gone: str = "", **more: str) -> Selection:
        root = write({**FILES, **more})
        if gone:
            (root / gone).unlink()
        inventory = take_inventory(root)
        context = Context(
            registry.get("tests"), root, inventory.files, inventory, ProjectConfig(), cast("Execution", None)
        )
        return affected_tests(context, EVERY, frozenset({*changed, *([gone] if gone else [])}))

    return select


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("src/app/money.py", {"tests/test_money.py", "tests/test_page.py"}),
        ("src/app/base.py", {"tests/test_money.py", "tests/test_page.py"}),
        ("src/app/web/page.py", {"tests/test_page.py"}),
        ("src/app/alone.py", {"tests/test_alone.py"}),
        ("tests/helpers.py", {"tests/test_alone.py"}),
        ("tests/test_page.py", {"tests/test_page.py"}),
        ("src/app/__init__.py", {*EVERY} - {"tests/deep/test_nothing.py"}),
        ("tests/conftest.py", {*EVERY}),
    ],
)
def test_who_depends_on_it_is_run(affected: Callable[..., Selection], changed: str, tests: set[str]) -> None:
    always = {"tests/test_plugins.py"}  # it reaches code that loads others by name
    selection = affected(changed)
    assert set(selection.tests) == tests | always
    assert set(selection.left_out) == {*EVERY} - tests - always
    assert selection.why_all == ""


def test_a_module_that_is_gone_affects_who_imports_it(affected: Callable[..., Selection]) -> None:
    assert affected(gone="src/app/base.py").tests == (
        "tests/test_money.py",
        "tests/test_page.py",
        "tests/test_plugins.py",
    )


def test_what_is_no_code_affects_all_but_for_prose_that_no_code_names(affected: Callable[..., Selection]) -> None:
    assert affected("README.md") == Selection((), EVERY)
    assert affected("pyproject.toml").tests == EVERY
    assert "pyproject.toml" in affected("pyproject.toml").why_all
    assert affected("NOTES.rst").tests == EVERY


def test_a_file_that_can_not_be_parsed_is_affected_by_everything(affected: Callable[..., Selection]) -> None:
    selection = affected("src/app/alone.py", **{"src/app/money.py": "def (:\n"})
    assert {"tests/test_money.py", "tests/test_page.py"} <= set(selection.tests)
