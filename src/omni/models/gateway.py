"""The door: account, then router, then account. `Gateway.chat` is the `Chat` of the other rooms."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from pydantic import JsonValue
from sqlalchemy import Engine

from omni.kernel import clock, events
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models import ledger
from omni.models.catalog import Catalog, load_catalog
from omni.models.chat_format import estimate
from omni.models.client import Pace
from omni.models.gpu_host import declared_gpus
from omni.models.gpu_queue import GpuQueue
from omni.models.keys import read_key
from omni.models.ledger import Asked, Cost
from omni.models.race import Hold, Waste
from omni.models.router import Chosen, EndpointHealth, Routed, Router
from omni.models.wire import Attribution, ChatReply, ChatRequest, Want

RENEW = ledger.LEASE / 3
"""Seconds between two signs of life of the calls that are being answered."""
_SOON, _LATER = 0.05, 1.0
"""Seconds until a call looks again whether its budget has room: the first time, and at most."""

T = TypeVar("T")


class AsyncGateway:
    """For programs with an event loop of their own, as the server: made and used on one loop."""

    def __init__(self, router: Router, engine: Engine, gpus: GpuQueue | None = None) -> None:
        self.router = router
        self._gpus = gpus
        self._engine = engine
        self._asked: set[str] = set()

    async def ask(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
        on_restart: Callable[[], None] | None = None,
    ) -> ChatReply:
        """Like `Chat`. `on_restart`: a stream broke after text of it was passed on; another answer begins anew."""
        asked = await self._begin(request, attribution)
        if isinstance(asked, ChatReply):
            return asked
        limited = request if asked.most is None else request.model_copy(update={"max_tokens": asked.most})
        self._asked.add(asked.id)
        waste = Waste()
        try:
            routed = await self.router.ask(limited, want, on_text, on_restart, self._hold(asked), waste)
        except OmniError as error:
            await asyncio.to_thread(ledger.failed, self._engine, asked, error.why, waste.tokens)
            raise
        except BaseException as error:  # the asker left: whoever was asked may still want to be paid
            ledger.failed(self._engine, asked, f"left: {type(error).__name__}", waste.tokens)
            raise
        else:
            reply, keep = reply_of(routed), bool(attribution.run and attribution.call)
            await asyncio.to_thread(ledger.answered, self._engine, asked, reply, cost_of(routed), keep=keep)
            return reply
        finally:
            self._asked.discard(asked.id)

    async def keep_alive(self) -> None:
        """Renews the calls that are being answered, and settles those of others that died, for as long as it runs."""
        while True:
            await asyncio.to_thread(ledger.settle_lost, self._engine)
            await asyncio.sleep(RENEW)
            if self._gpus:
                await self._gpus.tick()
            if self._asked:
                await asyncio.to_thread(ledger.renew, self._engine, tuple(self._asked))

    def _hold(self, asked: Asked) -> Hold | None:
        """The GPU of the endpoint that is asked, where GPUs are declared; who has to queue for one is told."""
        if (gpus := self._gpus) is None:
            return None

        def tell(kind: str, data: dict[str, JsonValue]) -> None:
            events.append(self._engine, asked.run, kind, data)

        return lambda endpoint: gpus.hold(endpoint, asked.id, tell)

    async def _begin(self, request: ChatRequest, attribution: Attribution) -> Asked | ChatReply:
        prompt, wait = estimate(request), _SOON
        while True:
            asked = await asyncio.to_thread(ledger.begin, self._engine, attribution, prompt, request.max_tokens)
            if asked is not None:
                return asked
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LATER)


class Gateway:
    """The same for threads: `chat` is safe from many at once."""

    def __init__(self, inner: AsyncGateway, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop

    def chat(
        self,
        request: ChatRequest,
        want: Want,
        attribution: Attribution,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        """Fulfils `omni.models.wire.Chat`. `on_text` is called on the gateway's thread.

        The pieces are for showing: where a stream broke after some of them, those of the next answer follow.
        """
        return self._wait(self._inner.ask(request, want, attribution, on_text))

    def order(self, request: ChatRequest, want: Want) -> list[Chosen]:
        """In which order the endpoints would be asked now. Raises OmniError (M005)."""

        async def order() -> list[Chosen]:
            return self._inner.router.order(request, want)

        return self._wait(order())

    def health(self) -> list[EndpointHealth]:
        async def health() -> list[EndpointHealth]:
            return self._inner.router.health()

        return self._wait(health())

    def _wait(self, work: Coroutine[None, None, T]) -> T:
        """What the gateway's loop makes of it. Whoever is interrupted here takes the question back."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


@contextmanager
def open_gateway(
    settings: Settings, engine: Engine, catalog: Catalog | None = None, pace: Pace | None = None
) -> Iterator[Gateway]:
    """A gateway over the enabled models of this Omni home, with a thread of its own until it is closed.

    Raises OmniError (M004) for a bad list of them.
    """
    known = catalog or load_catalog(settings)
    opened: Future[tuple[Gateway, asyncio.Event, asyncio.AbstractEventLoop]] = Future()

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            async with open_async_gateway(settings, engine, known, pace) as inner:
                opened.set_result((Gateway(inner, loop), stop, loop))
                await stop.wait()
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="models", daemon=True)
    thread.start()
    gateway, stop, loop = opened.result()
    try:
        yield gateway
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@asynccontextmanager
async def open_async_gateway(
    settings: Settings, engine: Engine, catalog: Catalog | None = None, pace: Pace | None = None
) -> AsyncIterator[AsyncGateway]:
    """The same on the running loop."""
    known = await asyncio.to_thread(load_catalog, settings) if catalog is None else catalog
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    spent = await asyncio.to_thread(ledger.usage, engine, ("provider",), since=midnight)
    router = Router(
        known,
        lambda name: read_key(settings.home, name),
        offline=settings.offline,
        pace=pace or Pace(idle=settings.model_idle),
        spent_today={row.key[0]: row.prompt + row.completion for row in spent},
    )
    gpus = await asyncio.to_thread(declared_gpus, settings)
    gateway = AsyncGateway(router, engine, GpuQueue(engine, gpus, known) if gpus else None)
    alive = asyncio.create_task(gateway.keep_alive())
    try:
        yield gateway
    finally:
        alive.cancel()
        await asyncio.gather(alive, return_exceptions=True)
        await router.close()


def reply_of(routed: Routed) -> ChatReply:
    """What the asker gets."""
    answer = routed.answer
    return ChatReply(
        message=answer.message,
        finish=answer.finish,
        usage=answer.usage,
        provider=routed.provider,
        model=routed.model,
        fallbacks=routed.fallbacks,
        seconds=answer.seconds,
        first_token=answer.first_piece,
    )


def cost_of(routed: Routed) -> Cost:
    """What it took. Cached tokens of a prompt count in full: discounts differ, and few providers say theirs."""
    usage, (prompt, completion) = routed.answer.usage, routed.prices
    return Cost(
        wasted=routed.wasted,
        gpu_seconds=routed.answer.seconds if routed.local else 0.0,
        price=(usage.prompt * prompt + usage.completion * completion) / 1e6
        if prompt is not None and completion is not None
        else None,
        estimated=routed.answer.estimated,
    )
