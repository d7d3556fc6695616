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
from omni.kernel.settings import Settings
from omni.verify import engine as verify


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path / 'omni.db'}")


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    opened = open_database(settings)
    yield opened
    opened.dispose()


class _Report:
    def __init__(self, verdict: str) -> None:
        self.verdict = verdict


@pytest.mark.parametrize(
    ("ended", "verdict", "said", "kept"),
    [
        ("done", "pass", "pass", [(1, 1)]),
        ("done", "fail", "fail", [(1, 0)]),
        ("done", "incomplete", "incomplete", []),
        ("budget", "pass", "fail", [(1, 0)]),
    ],
)
def test_what_counts_is_the_verdict(
    ended: Ended,
    verdict: str,
    said: str,
    kept: list[tuple[int, int]],
    tmp_path: Path,
    settings: Settings,
    database: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify, "verify", lambda *_: _Report(verdict))
    task = EngineTask(AgentWorkspace(tmp_path), "", "", "m", kind="bugfix")
    assert judge(task, EngineResult(engine="native", version="1", ended=ended), settings, database) == said
    assert [(each.runs, each.passed) for each in figures(database)] == kept
    assert pick("bugfix", "m", settings, database).engine == "native"
