"""Who judges an engine, and what is kept of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from omni.agents.engines.contract import Ended, EngineResult, EngineTask
from omni.agents.engines.results import figures
from omni.agents.engines.running import judge, pick
from omni.agents.workspace import AgentWorkspace
from omni.kernel.database import open_database
from omni.kernel.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    deadlines = {1: 600.0, 2: 600.0}  # tools may have to be installed first, beside other tests
    return Settings(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path / 'omni.db'}", tier_deadlines=deadlines)


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    opened = open_database(settings)
    yield opened
    opened.dispose()


CLEAN = {"README.md": "# Notes\n\nA line.\n"}
MARKED = {"README.md": "# Notes\n\n<<<<<<< ours\nA line.\n=======\nA word.\n>>>>>>> theirs\n"}
UNTRIED = {"shop.py": "X = 1\n", "test_shop.py": "from shop import X\n\n\ndef test_x() -> None:\n    assert X == 1\n"}


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("ended", "files", "said", "kept"),
    [
        ("done", CLEAN, "pass", [(1, 1)]),
        ("done", MARKED, "fail", [(1, 0)]),
        ("done", UNTRIED, "incomplete", []),
        ("budget", CLEAN, "fail", [(1, 0)]),
    ],
)
def test_what_counts_is_the_verdict(
    ended: Ended, files: dict[str, str], said: str, kept: list[tuple[int, int]], settings: Settings, database: Engine
) -> None:
    settings.home.mkdir(exist_ok=True)
    (settings.home / "envs").symlink_to(load_settings({}).home / "envs")  # its tools take long to install
    here = settings.home.parent / "work"
    here.mkdir()
    for name, text in files.items():
        (here / name).write_text(text)
    task = EngineTask(AgentWorkspace(here), "", "", "m", kind="bugfix")
    assert judge(task, EngineResult(engine="native", version="1", ended=ended), settings, database) == said
    assert [(each.runs, each.passed) for each in figures(database)] == kept
    assert pick("bugfix", "m", settings, database).engine == "native"
