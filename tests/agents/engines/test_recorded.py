"""Engines that no registry carries: their documented protocol is played by `player.py`, and said to be so.

What this shows: Omni finds the program, calls it as documented, and the rest of the contract holds around it. What it
can't show: that the real program does what its documentation says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.agents.engines.ways import BROKEN, DIFF, FIXED, always, project, solving

from omni.agents.engines.contract import EngineTask
from omni.agents.engines.registry import adapters
from omni.agents.engines.running import listed, run_engine
from omni.agents.workspace import AgentWorkspace
from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.script import Reply, serve

MEND = "`add` in calc.py subtracts. Mend it."
RECORDED: dict[str, dict[str, object]] = tomllib.loads(Path(__file__).with_name("recorded.toml").read_text("utf-8"))
PROXY = """#!/usr/bin/env python3
# The translation proxy of SERA as documented: listens on --port, passes on to --endpoint.
import http.server, sys, urllib.error, urllib.request
if sys.argv[1:] == ["--version"]:
    print("1.2.3"); sys.exit()
given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
assert sys.argv[1] == "--proxy-only" and set(given) == {"--port", "--endpoint", "--model"}, sys.argv
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer = urllib.request.urlopen(urllib.request.Request(given["--endpoint"], body))
        except urllib.error.HTTPError as error:
            answer = error
        self.send_response(answer.status); self.end_headers(); self.wfile.write(answer.read())
http.server.HTTPServer(("127.0.0.1", int(given["--port"])), Proxy).serve_forever()
"""

pytestmark = [pytest.mark.host, pytest.mark.slow]


@pytest.fixture(params=sorted(RECORDED))
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The engine's stand-in, on PATH."""
    wanted: str = request.param
    tool = tmp_path / "tool" / "bin"
    tool.mkdir(parents=True)
    program = str(RECORDED[wanted]["program"])
    shutil.copy(Path(__file__).with_name("player.py"), tool / program)
    (tool / program).chmod(0o755)
    (tool / program).with_suffix(".json").write_text(json.dumps(RECORDED[wanted]))
    if wanted == "sera":
        (tool / "sera").write_text(PROXY)
        (tool / "sera").chmod(0o755)
    found = tmp_path / "bin"
    found.mkdir()
    for each in tool.iterdir():
        (found / each.name).symlink_to(each)
    monkeypatch.setenv("PATH", f"{found}{os.pathsep}{os.environ['PATH']}")
    return wanted


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=f"sqlite:///{tmp_path / 'omni.db'}")


@pytest.fixture
def database(settings: Settings) -> Iterator[Engine]:
    opened = open_database(settings)
    yield opened
    opened.dispose()


def _task(tmp_path: Path, url: str) -> EngineTask:
    return EngineTask(AgentWorkspace(project(tmp_path / "project")), MEND, url, "scripted")


def test_the_documented_protocol_is_kept(name: str, tmp_path: Path, settings: Settings, database: Engine) -> None:
    with serve(solving(name)) as url:
        result = run_engine(name, _task(tmp_path, url), settings, database)
    assert (result.ended, result.why, result.diff) == ("done", "", DIFF), result.output
    assert (tmp_path / "project" / "calc.py").read_text() == FIXED


def test_a_budget_ends_it(name: str, tmp_path: Path, settings: Settings, database: Engine) -> None:
    with serve(always(Reply(status=402, text="the budget is used up"))) as url:
        result = run_engine(name, _task(tmp_path, url), settings, database)
    assert (result.ended, result.diff) == ("budget", "")
    assert (tmp_path / "project" / "calc.py").read_text() == BROKEN


def test_every_recorded_engine_is_played_and_says_that_it_is() -> None:
    looked = {name: each.looked for name, each in adapters().items() if each.proof == "recorded"}
    assert looked.keys() == RECORDED.keys()
    assert all(re.match(r"20\d\d-\d\d-\d\d: \w", why) for why in looked.values())


def test_what_is_not_here_is_never_faked(
    tmp_path: Path, settings: Settings, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (tmp_path / "project").mkdir()
    workspace = AgentWorkspace(tmp_path / "project")
    with serve(always(Reply(text="I did it."))) as url:
        for each in listed(settings)[1:]:
            with pytest.raises(OmniError) as problem:
                run_engine(each.name, EngineTask(workspace, MEND, url, "scripted"), settings, database)
            assert (problem.value.kind.code, each.state) == ("A061", "not here")
            assert problem.value.fix == each.get
            assert "Type: omni" in each.get or "nstall" in each.get


def test_nobody_at_the_endpoint_is_said_at_once(tmp_path: Path, settings: Settings, database: Engine) -> None:
    with serve(always(Reply(text="gone"))) as url:
        pass
    with pytest.raises(OmniError, match="refused") as problem:
        run_engine("native", _task(tmp_path, url), settings, database)
    assert (problem.value.kind.code, problem.value.where) == ("A064", url)
