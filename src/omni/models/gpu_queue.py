"""Calls of models on one's own GPUs, in turn: one queue for all processes of an Omni home, kept in its database.

It is at work where `models.toml` declares `[[gpu]]`, for models of own machines whose size is known; any other call
passes by. Ollama loads a model that is asked for with an empty prompt, keeps it for as long as `keep_alive` says, and
unloads it with 0 (https://docs.ollama.com/faq, "How do I keep a model loaded in memory or make it unload
immediately?"). Other servers keep what they were started with: there the queue is all that is to be done.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import httpx
from pydantic import JsonValue, TypeAdapter
from sqlalchemy import Engine, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from omni.kernel.database import writing
from omni.kernel.tables import gpu_use
from omni.models.catalog import Catalog
from omni.models.client import Endpoint, EndpointError
from omni.models.gpu import IDLE, Action, Gpu, Job, Scheduler, State
from omni.models.gpu_host import HEADROOM

LEASE = 60.0
"""Seconds after which a call of a process that gives no sign of life has lost its place."""
POLL = 0.25
"""Seconds between two looks at whether it is one's turn."""
OLLAMA = "ollama"
_LOAD_SECONDS = 600.0
_ROW = 1

Tell = Callable[[str, dict[str, JsonValue]], None]
"""Hears `gpu.queued` (model, why) and `gpu.started` (model, waited: seconds)."""


@dataclass
class Kept:
    """What stands in the database."""

    state: State = field(default_factory=State)
    alive: dict[str, float] = field(default_factory=dict)
    """Job → until when its place is its own, in seconds since 1970."""


_KEPT = TypeAdapter(Kept)


class GpuQueue:
    """Made by a gateway, for its calls."""

    def __init__(
        self, engine: Engine, gpus: Sequence[Gpu], catalog: Catalog, now: Callable[[], float] = time.time
    ) -> None:
        self._engine, self._gpus, self._now = engine, tuple(gpus), now
        self._endpoints = {each.name: each for each in (Endpoint(*pair) for pair in catalog.offers())}

    def hold(self, endpoint: Endpoint, call: str, tell: Tell) -> AbstractAsyncContextManager[None] | None:
        """What a call needs while this endpoint is asked; None: nothing that is queued for."""
        size = endpoint.model.vram_gb
        if not self._gpus or not endpoint.local or not size:
            return None
        return self._turn(Job(id=f"{call} {endpoint.name}", model=endpoint.name, vram_gb=size * HEADROOM), tell)

    @asynccontextmanager
    async def _turn(self, job: Job, tell: Tell) -> AsyncIterator[None]:
        """Raises EndpointError where it can never run, or the model can't be loaded."""
        left = threading.Event()
        alive = asyncio.create_task(self._keep(job, left))
        try:
            await self._wait(job, tell)
            yield
        finally:
            left.set()
            alive.cancel()
            await asyncio.shield(self._leave(job))

    async def _wait(self, job: Job, tell: Tell) -> None:
        began, waited, fresh = self._now(), False, False
        for action in await self._do(lambda scheduler, now: scheduler.submit(job, now), job):
            if action.kind == "refuse":
                raise EndpointError("rejected", action.why)
            fresh |= action.kind == "load" and action.job == job.id
            if action.kind == "queue" and action.job == job.id:
                waited = True
                await asyncio.to_thread(tell, "gpu.queued", {"model": job.model, "why": action.why})
        while not await asyncio.to_thread(self._has_started, job):
            await asyncio.sleep(POLL)
        if waited:
            seconds = round(self._now() - began, 1)
            await asyncio.to_thread(tell, "gpu.started", {"model": job.model, "waited": seconds})
        if (waited or fresh) and (why := await self._ask_ollama(job.model, IDLE)):
            await self._do(lambda scheduler, now: scheduler.failed(job.id, now), job)
            raise EndpointError("server", f"Ollama can't load it: {why}")

    async def _leave(self, job: Job) -> None:
        await self._do(lambda scheduler, now: scheduler.finish(job.id, now))

    async def _keep(self, job: Job, left: threading.Event) -> None:
        """Renews a place; one that was lost meanwhile, as on a machine that slept, is queued for again."""

        def again(scheduler: Scheduler, now: float) -> list[Action]:
            return [] if left.is_set() or job.id in scheduler.state.arrived else scheduler.submit(job, now)

        while True:
            await asyncio.sleep(LEASE / 3)
            await self._do(again, job)

    async def tick(self) -> None:
        """Unload what nobody has used for too long, and drop the calls of processes that died; now and then."""
        if self._gpus:
            await self._do(lambda scheduler, now: scheduler.tick(now))

    async def _do(self, what: Callable[[Scheduler, float], list[Action]], job: Job | None = None) -> list[Action]:
        """One change of the queue, and what follows from it for Ollama. `job` is renewed."""
        actions = await asyncio.to_thread(self._change, what, job)
        for action in actions:
            if action.kind == "unload":
                await self._ask_ollama(action.model, 0)
        return actions

    def _change(self, what: Callable[[Scheduler, float], list[Action]], job: Job | None) -> list[Action]:
        make = insert_on_postgresql if self._engine.dialect.name == "postgresql" else insert_on_sqlite
        now = self._now()
        with writing(self._engine) as connection:
            connection.execute(make(gpu_use).values(id=_ROW, state=_KEPT.dump_python(Kept())).on_conflict_do_nothing())
            row = connection.execute(select(gpu_use.c.state).where(gpu_use.c.id == _ROW).with_for_update())
            kept = _KEPT.validate_python(row.scalar_one())
            scheduler = Scheduler(self._gpus, state=kept.state)
            dead = [name for name, until in kept.alive.items() if until < now]
            done = [action for name in dead for action in scheduler.finish(name, now)]
            done += what(scheduler, now)
            kept.alive = {name: until for name, until in kept.alive.items() if name in kept.state.arrived}
            if job is not None and job.id in kept.state.arrived:
                kept.alive[job.id] = now + LEASE
            state = _KEPT.dump_python(kept, mode="json")
            connection.execute(update(gpu_use).where(gpu_use.c.id == _ROW).values(state=state))
        return done

    def _has_started(self, job: Job) -> bool:
        with self._engine.connect() as connection:
            kept = _KEPT.validate_python(connection.execute(select(gpu_use.c.state)).scalar_one())
        return any(job.id in loaded.jobs for loaded in kept.state.loaded.values())

    async def _ask_ollama(self, model: str, keep_alive: float) -> str:
        """Why it did not work; empty: it did, or it is another server's."""
        endpoint = self._endpoints.get(model)
        if endpoint is None or endpoint.place.provider != OLLAMA:
            return ""
        return await ask_ollama(
            endpoint.place.base_url, {"model": endpoint.model.wire_name, "keep_alive": f"{keep_alive:.0f}s"}
        )


async def ask_ollama(base_url: str, body: Mapping[str, JsonValue]) -> str:
    """Load, keep or unload a model. Why it did not work; empty: it did."""
    url = f"{base_url.removesuffix('/').removesuffix('/v1')}/api/generate"
    try:
        async with httpx.AsyncClient(timeout=httpx.Timeout(_LOAD_SECONDS, connect=5.0), trust_env=False) as client:
            answer = await client.post(url, json={**body, "stream": False})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    return "" if answer.is_success else f"HTTP {answer.status_code}: {answer.text[:200]}"
