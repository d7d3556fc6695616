"""Omni's own engine under the same contract as the others: a session whose model is asked through the meter."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Engine

from omni import __version__
from omni.agents.engines import differences
from omni.agents.engines.contract import Ended, EngineResult, EngineTask
from omni.agents.engines.meter import Meter, metered
from omni.agents.engines.outside import scratch, take_over
from omni.agents.limits import Limits
from omni.agents.log import Ended as SessionEnded
from omni.agents.log import SessionLog
from omni.agents.roles import load_role, system
from omni.agents.session import Outcome, Task, run_session
from omni.agents.tools.toolbox import Toolbox
from omni.agents.workspace import AgentWorkspace, Changes
from omni.kernel.errors import OmniError
from omni.kernel.ids import uuid7
from omni.kernel.settings import Settings
from omni.models.catalog import CatalogModel, Enabled
from omni.models.client import Endpoint, EndpointError, Pace, chat, http_client
from omni.models.errors import BUDGET_USED_UP, NO_ANSWER
from omni.models.wire import Attribution, Chat, ChatReply, ChatRequest, Want
from omni.sandbox.job import Driver, Job, JobResult, Probe, Service

NAME = "native"
_ROLE = "developer"
_STOPPED = "it was stopped from outside"
_GLANCE = 0.1
"""Seconds between two looks at whether it is stopped."""
_TOOLS = ("bash", "read", "search", "edit", "write", "verify")
_ENDED: dict[SessionEnded, Ended] = {"done": "done", "budget": "budget", "limit": "timeout"}


def run(
    task: EngineTask, settings: Settings, database: Engine, driver: Driver, stop: threading.Event | None = None
) -> EngineResult:
    """The same as `outside.run`, by a session of its own. Raises OmniError when the sandbox can't be had."""
    stop = stop or threading.Event()
    began = time.monotonic()
    meter = Meter(task, stop)
    with scratch(task.workspace) as copy, metered(meter) as port:
        before = _contents(copy)
        toolbox = Toolbox(copy, _Stoppable(driver, stop), settings, allowed=_TOOLS, environment=task.environment)
        ended, why, said = _work(task, toolbox, SessionLog(database, f"engine-{uuid7()}/{NAME}"), _asker(meter, port))
        after = _contents(copy)
        changes = Changes(
            written=tuple(sorted(path for path in after if after[path] != before.get(path))),
            deleted=tuple(sorted(before.keys() - after.keys())),
        )
        diff = differences.unified(task.workspace.folder, copy.folder, (*changes.written, *changes.deleted))
        if meter.ended or stop.is_set():
            ended, why = (meter.ended or "stopped"), (meter.why or _STOPPED)
        if ended == "done":
            take_over(task.workspace, copy, changes)
    return EngineResult(
        engine=NAME,
        version=__version__,
        ended=ended,
        why=why,
        diff=diff,
        written=changes.written,
        deleted=changes.deleted,
        transcript=tuple(meter.turns),
        output=said,
        usage=meter.usage,
        seconds=time.monotonic() - began,
    )


class _Stoppable:
    """A driver whose jobs end when the engine is stopped."""

    def __init__(self, driver: Driver, stop: threading.Event) -> None:
        self._driver, self._stop = driver, stop
        self.name = driver.name

    def probe(self) -> Probe:
        return self._driver.probe()

    def run(self, job: Job, *, trusted: bool = False) -> JobResult:
        return self._driver.run(replace(job, stop=self._stop), trusted=trusted)

    def serve(self, job: Job, port: int, *, trusted: bool = False) -> Service:
        return self._driver.serve(job, port, trusted=trusted)


def _work(task: EngineTask, toolbox: Toolbox, log: SessionLog, ask: Chat) -> tuple[Ended, str, str]:
    """How the session ended, why if not well, and what the model said at its end."""
    work = Task(
        session=log.session,
        system=system(load_role(_ROLE)),
        instructions=task.instructions,
        limits=Limits(seconds=task.limits.seconds),
    )
    try:
        outcome: Outcome = run_session(work, ask, toolbox, log)
    except OmniError as problem:
        if problem.kind is not NO_ANSWER:
            raise
        return "endpoint", problem.why, ""
    ended = _ENDED.get(outcome.ended, "failed")
    return ended, "" if ended == "done" else f"{outcome.ended}: {outcome.summary}", outcome.summary


def _asker(meter: Meter, port: int) -> Chat:
    """Asks the one model behind the meter."""
    model = CatalogModel(id=meter.task.model, wire_name=meter.task.model)
    place = Enabled(
        name="engine", provider="omni", provider_class="local", base_url=f"http://127.0.0.1:{port}/v1", models=(model,)
    )

    async def once(request: ChatRequest, heard: Callable[[str], None]) -> ChatReply:
        pace = Pace()
        async with http_client(pace) as http:
            asked = asyncio.create_task(chat(http, Endpoint(place, model), None, request, pace, heard))
            while not (await asyncio.wait((asked,), timeout=_GLANCE))[0]:
                if meter.stop.is_set():
                    asked.cancel()
                    raise OmniError(NO_ANSWER, _STOPPED)
            answer = asked.result()
        return ChatReply(
            message=answer.message,
            finish=answer.finish,
            usage=answer.usage,
            provider="omni",
            model=model.id,
            seconds=answer.seconds,
            first_token=answer.first_piece,
        )

    def ask(
        request: ChatRequest,
        want: Want,  # noqa: ARG001 - there is one model only
        attribution: Attribution,  # noqa: ARG001 - the session's log has it
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        if meter.stop.is_set():
            raise OmniError(NO_ANSWER, _STOPPED)
        try:
            return asyncio.run(once(request, on_text or (lambda _: None)))
        except EndpointError as problem:
            raise OmniError(BUDGET_USED_UP if meter.ended == "budget" else NO_ANSWER, problem.why) from problem

    return ask


def _contents(workspace: AgentWorkspace) -> dict[str, tuple[bytes, int]]:
    folder = workspace.folder
    return {path: folder.read(path) for path, found in folder.walk().items() if found.target is None}
