"""A small project with planted faults, and the sandbox in which claims about it are tried."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.review.citation import Material, read_files
from omni.review.ground import Ground
from omni.sandbox import choose
from omni.sandbox.job import Driver

SHOP = '''"""Orders."""

ORDERS = {1: {"owner": "ada", "total": 10}, 2: {"owner": "bob", "total": 20}}


def last(items: list[int], count: int) -> list[int]:
    """The last `count` items."""
    return items[-count + 1 :]


def order(caller: str, number: int) -> dict[str, object]:
    """An order of the caller's."""
    return ORDERS[number]


def duplicates(items: list[int]) -> list[int]:
    """The items that stand there twice."""
    return [item for place, item in enumerate(items) if item in items[:place]]
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop-project"
    (root / "tests").mkdir(parents=True)
    (root / "src" / "shop").mkdir(parents=True)
    (root / "src" / "shop" / "__init__.py").write_text(SHOP)
    (root / "tests" / "conftest.py").write_text("import pytest\n\n\n@pytest.fixture\ndef caller():\n    return 'ada'\n")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--cov=shop"\n')
    return root


@pytest.fixture
def shown(project: Path) -> Material:
    return read_files(project, ["src/shop/__init__.py"])


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    home = tmp_path_factory.mktemp("home")
    return choose(Settings(home=home, database_url="sqlite://"))


@pytest.fixture
def ground(project: Path, driver: Driver) -> Ground:
    return Ground(project, Path(sys.prefix), driver)
