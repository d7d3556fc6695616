"""One suite that every engine has to pass: the real program, in the real sandbox, against a scripted model.

Engines are large, so only a small one is installed for it: `omni engines install NAME` first, in the home of OMNI_HOME.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from tests.agents.engines.here import require
from tests.agents.engines.ways import BROKEN, DIFF, FIXED, always, project, solving

from omni.agents.engines.contract import EngineLimits, EngineResult, EngineTask
from omni.agents.engines.registry import NATIVE, adapters
from omni.agents.engines.running import run_engine
from omni.agents.workspace import AgentWorkspace
from omni.kernel.database import open_database
from omni.kernel.settings import Settings, load_settings
from omni.models.script import Record, Reply, serve
from omni.sandbox import choose
from omni.sandbox.job import Job

ENGINES = [NATIVE, *(name for name, each in adapters().items() if each.proof == "run")]
CANARY = "canary-5f0e1d"
SECONDS = 120

pytestmark = [pytest.mark.host, pytest.mark.slow]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The home in which engines are installed; the database is the test's own."""
    home = load_settings({}).home
    return Settings(home=home, database_url=f"sqlite:///{tmp_path / 'omni.db'}")


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    opened = open_database(settings)
    yield opened
    opened.dispose()


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    wanted: str = request.param
    require(wanted)
    return wanted


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


def _task(workspace: Path, url: str, **more: object) -> EngineTask:
    limits = EngineLimits(seconds=SECONDS)
    fields = {"instructions": "`add` in calc.py subtracts. Mend it.", "model": "scripted", "limits": limits, **more}
    return EngineTask(workspace=AgentWorkspace(workspace), endpoint_url=url, **fields)  # type: ignore[arg-type]


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_mends_a_bug_in_one_file(
    name: str, workspace: Path, settings: Settings, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{CANARY}-environment")
    key = SecretStr(f"{CANARY}-key")
    record = Record()
    with serve(solving(name), record) as url:
        result = run_engine(name, _task(workspace, url, key=key), settings, database)
    assert (result.ended, result.why) == ("done", "")
    assert (result.diff, result.written, result.deleted, result.refused) == (DIFF, ("calc.py",), (), ())
    assert _contents(workspace).keys() == {"calc.py", "test_calc.py", "README.md"}
    assert (workspace / "calc.py").read_text() == FIXED
    tests = choose(settings).run(Job(("python3", "-m", "unittest"), workspace))
    assert tests.exit_code == 0, tests.stderr
    assert {asked.key for asked in record.asked} == {"…-key"}
    assert CANARY not in json.dumps(record.asked[-1].request)
    assert CANARY not in result.model_dump_json()
    assert result.usage.total == sum(turn.usage.total for turn in result.transcript) > 0
    assert not any(turn.estimated for turn in result.transcript)


def test_ends_when_the_endpoint_says_that_the_budget_is_used_up(
    name: str, workspace: Path, settings: Settings, database: Engine
) -> None:
    with serve(always(Reply(status=402, text="the budget is used up"))) as url:
        result = run_engine(name, _task(workspace, url), settings, database)
    assert (result.ended, result.diff) == ("budget", "")
    assert "budget is used up" in result.why
    assert result.seconds < SECONDS / 2
    assert (workspace / "calc.py").read_text() == BROKEN


def test_ends_when_its_own_budget_is_used_up(name: str, workspace: Path, settings: Settings, database: Engine) -> None:
    if name == "aider":
        pytest.skip("it asks once only, and the reply that goes over the budget is let through")
    with serve(solving(name)) as url:
        result = run_engine(name, _task(workspace, url, budget=1), settings, database)
    assert result.ended == "budget"
    assert result.why.endswith("of 1 tokens are used")
    assert len([turn for turn in result.transcript if turn.usage.total]) == 1
    assert (workspace / "calc.py").read_text() == BROKEN


def test_ends_when_the_endpoint_goes_away(name: str, workspace: Path, settings: Settings, database: Engine) -> None:
    with serve(always(Reply(fault="cut"))) as url:
        result = run_engine(name, _task(workspace, url), settings, database)
    assert result.ended == "endpoint"
    assert url in result.why
    assert (workspace / "calc.py").read_text() == BROKEN


def test_stopped_in_the_middle_leaves_nothing_running(
    name: str, workspace: Path, settings: Settings, database: Engine
) -> None:
    mark, record, stop = f"mark-{os.getpid()}-{name}", Record(), threading.Event()
    results: list[EngineResult] = []
    with serve(always(Reply(fault="hang")), record) as url:
        task = _task(workspace, url, instructions=f"Mend calc.py ({mark}).")
        thread = threading.Thread(target=lambda: results.append(run_engine(name, task, settings, database, stop)))
        thread.start()
        _until(lambda: bool(record.asked))
        stop.set()
        thread.join(SECONDS)
    assert _alive(mark) == []
    assert [result.ended for result in results] == ["stopped"]
    assert _contents(workspace) == _contents(project(workspace.with_name("untouched")))


_RUN = """
import sys
from pathlib import Path
from omni.agents.engines.contract import EngineTask
from omni.agents.engines.running import run_engine
from omni.agents.workspace import AgentWorkspace
from omni.kernel.database import open_database
from omni.kernel.settings import Settings
name, workspace, url, home, database, mark = sys.argv[1:]
settings = Settings(home=Path(home), database_url=database)
task = EngineTask(AgentWorkspace(Path(workspace)), f"Mend calc.py ({mark}).", url, "scripted")
run_engine(name, task, settings, open_database(settings))
"""


def test_killed_with_omni_leaves_nothing_running(name: str, workspace: Path, settings: Settings) -> None:
    mark, record = f"mark-{os.getpid()}-{name}", Record()
    with serve(always(Reply(fault="hang")), record) as url:
        argv = [sys.executable, "-c", _RUN, name, str(workspace), url, str(settings.home), settings.database_url, mark]
        process = subprocess.Popen(argv, start_new_session=True)
        try:
            _until(lambda: bool(record.asked))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        _until(lambda: not _alive(mark))
    assert _contents(workspace) == _contents(project(workspace.with_name("untouched")))


def _until(what: object) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(mark: str) -> list[str]:
    """The processes that were started with the mark."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if mark.encode() in file.read_bytes() and int(file.parent.name) != os.getpid():
                found.append(file.parent.name)
    return found
