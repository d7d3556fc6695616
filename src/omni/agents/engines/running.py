"""Runs an engine by its name, whichever it is; the door for the pipeline and the command line."""

from __future__ import annotations

import socket
import threading
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import Engine

from omni import __version__
from omni.agents.engines import installed
from omni.agents.engines.contract import ABSENT, NO_ENDPOINT, Adapter, EngineResult, EngineTask
from omni.agents.engines.registry import AUTO, NATIVE, adapter, adapters
from omni.agents.engines.results import Choice, Result, choose, figures, keep
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.wire import Model
from omni.sandbox import choose as choose_driver


class Listed(Model):
    """An engine as it is shown to a person."""

    name: str
    title: str
    version: str
    state: Literal["here", "not here"]
    proof: Literal["run", "recorded"]
    looked: str = ""
    """Why it is not run in the suite, and when that was last tried."""
    get: str
    """What to type; empty when it is here."""
    source: str


def run_engine(
    name: str, task: EngineTask, settings: Settings, database: Engine, stop: threading.Event | None = None
) -> EngineResult:
    """Let an engine work on a task; `auto` takes the one that did tasks of this kind best here. `stop` serves one run.

    Raises OmniError: `A060` no such engine, `A061` not installed (nothing is installed behind a person's back), `A064`
    the endpoint does not answer, and those of the sandbox. All that goes wrong later is told in the result.
    """
    from omni.agents.engines import native, outside  # sessions, tools and HTTP: a list of engines needs none of them

    chosen = pick(task.kind, task.model, settings, database).engine if name == AUTO else name
    _require_endpoint(task.endpoint_url)
    if chosen == NATIVE:
        return native.run(task, settings, database, choose_driver(settings), stop)
    wanted = adapter(chosen)
    here = installed.installed(wanted, settings.home)
    if here is None:
        raise OmniError(ABSENT, wanted.title, fix=installed.how_to_get(wanted, settings.home))
    return outside.run(wanted, here, task, choose_driver(settings), stop)


def judge(task: EngineTask, result: EngineResult, settings: Settings, database: Engine) -> str:
    """The verdict of tiers 1 and 2 on the workspace now, and the result kept if that is a clear one.

    What the engine says of itself does not count. `incomplete` says nothing about it, and is not kept.
    """
    from omni.verify.engine import Options, verify  # every check is loaded: not before something is verified

    verdict = "fail"
    if result.ok:
        verdict = str(verify(task.workspace.root, Options(tiers=(1, 2)), settings).verdict)
    if verdict != "incomplete":
        row = Result(
            engine=result.engine,
            version=result.version,
            kind=task.kind,
            model=task.model,
            passed=verdict == "pass",
            ended=result.ended,
            tokens=result.usage.total,
            seconds=round(result.seconds, 3),
        )
        keep(database, "", row)
    return verdict


def pick(kind: str, model: str, settings: Settings, database: Engine) -> Choice:
    """The engine for a kind of task with a model, by measured results (`results`), and why."""
    here = [NATIVE, *(each.name for each in adapters().values() if installed.installed(each, settings.home))]
    return choose(figures(database), kind, model, here, otherwise=NATIVE)


def listed(settings: Settings) -> list[Listed]:
    """Every engine, Omni's own first. Installs nothing and needs no network."""
    own = Listed(
        name=NATIVE,
        title="Omni's own",
        version=__version__,
        state="here",
        proof="run",
        get="",
        source="omni.agents.session",
    )
    return [own, *(_listed(each, settings) for each in adapters().values())]


def _listed(each: Adapter, settings: Settings) -> Listed:
    here = installed.installed(each, settings.home) is not None
    return Listed(
        name=each.name,
        title=each.title,
        version=installed.version(each),
        state="here" if here else "not here",
        proof=each.proof,
        looked=each.looked,
        get="" if here else installed.how_to_get(each, settings.home),
        source=each.source,
    )


def _require_endpoint(url: str) -> None:
    """Somebody listens there: else the engine would find out after minutes of trying again."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=5).close()
    except OSError as problem:
        raise OmniError(NO_ENDPOINT, problem.strerror or str(problem), where=url) from problem
