"""Two jobs, one GPU: who waits and is told, who is let in, and what becomes of those whose process died."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.models.listening import listen
from tests.models.places import QUICK, always, catalog, place, question, script

from omni.kernel.errors import OmniError
from omni.kernel.events import replay
from omni.kernel.settings import Settings
from omni.models.budget import Budget
from omni.models.catalog import Catalog, Enabled
from omni.models.client import Endpoint, EndpointError
from omni.models.gateway import open_async_gateway, open_gateway
from omni.models.gpu import Gpu
from omni.models.gpu_queue import LEASE, GpuQueue
from omni.models.script import Record, serve
from omni.models.wire import Attribution, Want

CARD = (Gpu(name="card", free_gb=24),)


@pytest.fixture
def declared(settings: Settings) -> Settings:
    """A home that declares one card."""
    settings.home.mkdir(exist_ok=True)
    (settings.home / "models.toml").write_text('[[gpu]]\nname = "card"\nvram_gb = 24\n')
    return settings


def two(url: str) -> tuple[Enabled, Enabled]:
    """Models that do not fit beside each other."""
    return (
        place("one", url, id="big", wire_name="big", vram_gb=17),
        place("two", url, id="small", wire_name="small", vram_gb=13),
    )


def told(engine: Engine, run: str) -> list[str]:
    return [each.kind for each in replay(engine, run) if each.kind.startswith("gpu.")]


def test_of_two_builds_on_one_gpu_the_second_waits_and_is_told(declared: Settings, engine: Engine) -> None:
    """Two gateways with a loop each, as two processes have them."""
    order: list[str] = []
    with serve(script(always("hello"))) as url:
        known = catalog(*two(url))
        with (
            open_gateway(declared, engine, known, QUICK) as first,
            open_gateway(declared, engine, known, QUICK) as second,
        ):

            def other() -> None:
                second.chat(question(), Want(model="small"), Attribution(run="b"))
                order.append("second")

            thread = threading.Thread(target=other)

            def hear(_: str) -> None:  # in the middle of the first answer
                thread.start()
                while not told(engine, "b"):
                    time.sleep(0.01)
                order.append("first")

            first.chat(question(), Want(model="big"), Attribution(run="a"), hear)
            thread.join()
    assert order == ["first", "second"]
    assert (told(engine, "a"), told(engine, "b")) == ([], ["gpu.queued", "gpu.started"])
    queued = next(each.data for each in replay(engine, "b") if each.kind == "gpu.queued")
    assert queued == {"model": "two/small", "why": "the GPUs are taken; 0 before it"}


def test_a_model_that_never_fits_is_passed_over_and_named(declared: Settings, engine: Engine) -> None:
    with serve(script(always("hello"))) as url:
        huge = place("one", url, id="huge", wire_name="huge", vram_gb=75)
        with open_gateway(declared, engine, catalog(huge, *two(url)), QUICK) as gateway:
            reply = gateway.chat(question(), Want(model="huge"), Attribution())
            assert reply.fallbacks == ("one/huge: it needs 82.5 GB, and the GPUs have 24 GB for it",)
        with (
            open_gateway(declared, engine, catalog(huge), QUICK) as gateway,
            pytest.raises(OmniError, match=r"it needs 82\.5 GB"),
        ):
            gateway.chat(question(), Want(), Attribution())


@pytest.mark.parametrize("of", [{"vram_gb": None}, {"provider_class": "high-speed", "vram_gb": 17}])
def test_nothing_waits_for_a_gpu_that_needs_none(engine: Engine, of: dict[str, Any]) -> None:
    elsewhere = place("one", "http://127.0.0.1:9/v1", **of)
    queue = GpuQueue(engine, CARD, catalog(elsewhere))
    assert queue.hold(Endpoint(elsewhere, elsewhere.models[0]), "call", lambda *_: None) is None
    home = two("http://127.0.0.1:9/v1")[0]
    assert GpuQueue(engine, (), catalog(home)).hold(Endpoint(home, home.models[0]), "call", lambda *_: None) is None


class Bench:
    """A queue with a clock of its own."""

    def __init__(self, engine: Engine, known: Catalog, gpus: tuple[Gpu, ...] = CARD) -> None:
        self.now, self.said = 0.0, list[tuple[str, object]]()
        self.queue = GpuQueue(engine, gpus, known, lambda: self.now)
        self.known = known

    def hold(self, model: str, call: str) -> Any:
        (pair,) = self.known.find(model)
        return self.queue.hold(Endpoint(*pair), call, lambda kind, data: self.said.append((kind, data["model"])))


def test_who_leaves_the_queue_has_spent_nothing(declared: Settings, engine: Engine) -> None:
    record = Record()

    async def leave(url: str) -> None:
        big, small = two(url)
        known = catalog(big, small)
        taken = GpuQueue(engine, CARD, known).hold(Endpoint(big, big.models[0]), "1", lambda *_: None)
        assert taken is not None
        async with taken, open_async_gateway(declared, engine, known, QUICK) as gateway:
            asking = asyncio.create_task(gateway.ask(question(), Want(model="small"), Attribution(run="b")))
            while not (told(engine, "b") or asking.done()):
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    budget = Budget.open(engine, "b", 50_000)
    with serve(script(always("hello")), record) as url:
        asyncio.run(leave(url))
    state = budget.state()
    assert (told(engine, "b"), record.chats, state.used, state.reserved) == (["gpu.queued"], 0, 0, 0)


def ollama(url: str, name: str, **of_model: Any) -> Enabled:
    return place(name, url, **of_model).model_copy(update={"provider": "ollama"})


def test_ollama_loads_unloads_for_room_and_after_ten_minutes(engine: Engine) -> None:
    asked: list[tuple[str, str, Any]] = []

    async def work(url: str) -> None:
        known = catalog(
            ollama(f"{url}/v1", "one", id="big", wire_name="qwen3-coder:30b", vram_gb=17),
            ollama(f"{url}/v1", "two", id="small", wire_name="gpt-oss:20b", vram_gb=13),
        )
        bench = Bench(engine, known)
        for call in ("1", "2"):
            async with bench.hold("big", call):
                pass
        async with bench.hold("small", "3"):
            pass
        bench.now = 599.0
        await bench.queue.tick()
        assert len(asked) == 3
        bench.now = 600.0
        await bench.queue.tick()
        assert bench.said == []

    with listen({"/api/generate": {"done": True}}, asked) as url:
        asyncio.run(work(url))
    assert [(body["model"], body["keep_alive"]) for _, _, body in asked] == [
        ("qwen3-coder:30b", "600s"),
        ("qwen3-coder:30b", "0s"),
        ("gpt-oss:20b", "600s"),
        ("gpt-oss:20b", "0s"),
    ]


def test_what_ollama_can_not_load_is_an_endpoint_that_fails(engine: Engine) -> None:
    async def work(url: str) -> None:
        bench = Bench(engine, catalog(ollama(f"{url}/v1", "one", id="big", wire_name="big", vram_gb=17)))
        for _ in range(2):  # the place is free again
            with pytest.raises(EndpointError, match="Ollama can't load it: HTTP 500"):
                async with bench.hold("big", "call"):
                    pytest.fail("it runs")

    with listen({"/api/generate": 500}) as url:
        asyncio.run(work(url))


def test_a_call_of_a_process_that_died_gives_its_place_away(engine: Engine) -> None:
    known = catalog(*two("http://127.0.0.1:9/v1"))

    async def die() -> None:
        bench = Bench(engine, known)
        bench.now = -10.0
        async with bench.hold("big", "dead"):
            pass

    async def nobody_leaves(*_: object) -> None: ...

    async def work() -> list[tuple[str, object]]:
        bench = Bench(engine, known)

        async def wait() -> None:
            async with bench.hold("small", "alive"):
                bench.said.append(("in", ""))

        waiting = asyncio.create_task(wait())
        while not bench.said:
            await asyncio.sleep(0.01)
        await bench.queue.tick()
        assert bench.said == [("gpu.queued", "two/small")]
        bench.now = LEASE - 5
        await bench.queue.tick()
        await waiting
        return bench.said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GpuQueue, "_leave", nobody_leaves)
        asyncio.run(die())
    assert [kind for kind, _ in asyncio.run(work())] == ["gpu.queued", "gpu.started", "in"]


def test_a_server_that_batches_serves_as_many_as_are_declared(engine: Engine) -> None:
    known = catalog(*two("http://127.0.0.1:9/v1"))

    async def work() -> None:
        bench = Bench(engine, known, (Gpu(name="card", free_gb=24, jobs=2),))
        async with bench.hold("big", "1"), bench.hold("big", "2"):
            assert bench.said == []

    asyncio.run(work())
