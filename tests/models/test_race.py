"""What a race counts as asked in vain; the races themselves are run by the tests of the router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from tests.models.places import BALANCED, HEDGING, NOWHERE, place

from omni.models.breaker import RetryBudget
from omni.models.choice import Need, Station
from omni.models.client import Answer, Endpoint
from omni.models.keyring import Keyring
from omni.models.race import Race
from omni.models.wire import Message, Usage

ANSWER = Answer(
    message=Message(role="assistant", content="at last"),
    finish="stop",
    usage=Usage(),
    estimated=False,
    seconds=1.0,
    first_piece=1.0,
)


def test_who_only_waited_for_a_gpu_has_cost_nothing() -> None:
    """The second is to be asked too, since the first is slow, and is in the queue when that one answers."""
    queued = asyncio.Event()

    @asynccontextmanager
    async def taken() -> AsyncIterator[None]:
        queued.set()
        await asyncio.Event().wait()
        yield

    def ask(_: Station, heard: Callable[[str], None]) -> Coroutine[None, None, Answer]:
        async def answer() -> Answer:
            await queued.wait()
            heard("at last")
            return ANSWER

        return answer()

    async def run() -> tuple[str, int]:
        places = place("first", NOWHERE), place("second", NOWHERE, "community")
        stations = [Station(Endpoint(each, each.models[0]), Keyring((), None, lambda _: None)) for each in places]
        race = Race(ask, stations, Need(BALANCED, 100), HEDGING, RetryBudget())
        race.hold = lambda endpoint: taken() if endpoint.place.name == "second" else None
        station, _ = await race.run()
        return station.endpoint.name, race.waste.tokens

    assert asyncio.run(run()) == ("first/m", 0)
