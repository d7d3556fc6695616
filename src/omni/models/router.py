"""The router: who answers a question, who answers instead, and how every endpoint is. In memory; one event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping

from pydantic import SecretStr

from omni.kernel import clock
from omni.kernel.errors import OmniError
from omni.models.breaker import RetryBudget
from omni.models.catalog import Catalog
from omni.models.chat_format import estimate
from omni.models.choice import Need, Station, in_order, rank, unfit
from omni.models.client import Answer, Endpoint, EndpointError, Pace, chat, http_client
from omni.models.errors import NO_ANSWER, NO_SUCH_MODEL, UNUSABLE
from omni.models.keyring import Key, Keyring
from omni.models.race import Hold, LostError, Race, Waste
from omni.models.wire import ChatRequest, ImagePart, Model, Want


class Routed(Model):
    """An answer, and what it took to get it."""

    answer: Answer
    provider: str
    model: str
    local: bool
    prices: tuple[float | None, float | None]
    """Of a million tokens of prompt and of reply, in US dollars."""
    fallbacks: tuple[str, ...]
    wasted: int


class EndpointHealth(Model):
    """How an endpoint is: for the health page and `omni models route`."""

    endpoint: str
    state: str
    """closed (it is asked), open (it isn't), half-open (the next question probes it)."""
    why: str
    ready_in: float
    in_flight: int
    p95: float | None
    """Seconds until the first piece of an answer."""


class Chosen(Model):
    """A place in the order in which a question would be asked, and why not."""

    endpoint: str
    place: int
    """From 1; 0: it isn't asked."""
    why: str


class Router:
    """Made and used on one event loop. `spent_today`: tokens by place, for those with a daily limit."""

    def __init__(
        self,
        catalog: Catalog,
        read_key: Callable[[str], SecretStr | None],
        *,
        offline: bool = False,
        pace: Pace | None = None,
        spent_today: Mapping[str, int] | None = None,
    ) -> None:
        self._catalog = catalog
        self._offline = offline
        self._pace = pace or Pace()
        self._http = http_client(self._pace)
        self._retries = RetryBudget()
        self._day = clock.now().date()
        self._spent = dict(spent_today or {})
        rings = {each.name: Keyring(each.keys, each.requests_per_minute, read_key) for each in catalog.enabled}
        self._stations = [Station(Endpoint(place, model), rings[place.name]) for place, model in catalog.offers()]

    async def ask(
        self,
        request: ChatRequest,
        want: Want,
        on_text: Callable[[str], None] | None = None,
        on_restart: Callable[[], None] | None = None,
        hold: Hold | None = None,
        waste: Waste | None = None,
    ) -> Routed:
        """An answer of the best endpoint that gives one; `hold` is what it takes while it is asked.

        Raises OmniError (M001, M003, M005); what was spent in vain until then is in `waste`.
        """
        self._retries.earn()
        need = self.need(request, want)
        stations = [station for station in self._stations if not self._spent_up(station)]
        if not in_order(stations, need):
            raise OmniError(NO_ANSWER, self._nobody(need))
        race = Race(
            lambda station, heard: self._ask(station, request, need, heard), stations, need, self._pace, self._retries
        )
        race.on_text, race.on_restart = on_text or race.on_text, on_restart or race.on_restart
        race.hold, race.waste = hold or race.hold, waste or race.waste
        try:
            async with asyncio.timeout(self._pace.whole):
                station, answer = await race.run()
        except (LostError, TimeoutError):
            kind = UNUSABLE if race.kinds == {"unusable"} else NO_ANSWER
            raise OmniError(kind, _story(race.notes)) from None
        place = station.endpoint.place
        self._spent[place.name] = self._spent.get(place.name, 0) + answer.usage.total
        return routed_of(station.endpoint, answer, (*race.notes, *self._missing(station, need)), race.waste.tokens)

    def need(self, request: ChatRequest, want: Want) -> Need:
        """What a question takes. Raises OmniError (M005) for a model that isn't enabled."""
        named = (
            frozenset(Endpoint(*pair).name for pair in self._catalog.find(want.model)) if want.model else frozenset()
        )
        if want.model and not named:
            raise OmniError(NO_SUCH_MODEL, f"{want.model} is not enabled")
        contents = (each.content for each in request.messages if not isinstance(each.content, str))
        vision = any(isinstance(part, ImagePart) for parts in contents for part in parts)
        return Need(want, estimate(request), vision, named, self._offline)

    def order(self, request: ChatRequest, want: Want) -> list[Chosen]:
        """In which order the endpoints would be asked now, and why some would not. Raises like `need`."""
        need, now = self.need(request, want), time.monotonic()
        fit = in_order(self._stations, need)
        asked = [
            Chosen(endpoint=each.endpoint.name, place=place, why=each.why_not(now)) for place, each in enumerate(fit, 1)
        ]
        return asked + [
            Chosen(endpoint=each.endpoint.name, place=0, why=unfit(each.endpoint, need))
            for each in self._stations
            if each not in fit
        ]

    def health(self) -> list[EndpointHealth]:
        now = time.monotonic()
        return [
            EndpointHealth(
                endpoint=each.endpoint.name,
                state=each.breaker.state(now),
                why=each.why_not(now),
                ready_in=each.ready_in(now),
                in_flight=each.in_flight,
                p95=each.pulse.p95(),
            )
            for each in self._stations
        ]

    async def close(self) -> None:
        await self._http.aclose()

    def _ask(
        self, station: Station, request: ChatRequest, need: Need, heard: Callable[[str], None]
    ) -> Coroutine[None, None, Answer]:
        """One endpoint, once, with the key whose turn it is."""
        key = station.keys.take(time.monotonic())
        return self._ask_with(key, station, _fitting(request, need, station.endpoint.model.context), heard)

    async def _ask_with(self, key: Key, station: Station, request: ChatRequest, heard: Callable[[str], None]) -> Answer:
        """Raises EndpointError; a key that is refused, or at its limit, then rests."""
        try:
            secret = station.keys.secret(key)
            answer = await chat(self._http, station.endpoint, secret, request, self._pace, heard)
        except EndpointError as error:
            key.rest(time.monotonic(), error.kind, error.retry_after)
            raise
        key.worked()
        return answer

    def _spent_up(self, station: Station) -> bool:
        """Whether its place has given all that it gives in a day (UTC)."""
        if self._day != clock.now().date():
            self._day = clock.now().date()
            self._spent.clear()
        limit = station.endpoint.place.daily_tokens
        return limit is not None and self._spent.get(station.endpoint.place.name, 0) >= limit

    def _missing(self, winner: Station, need: Need) -> list[str]:
        """Why it is another model than the one that is named, or one that is less able than was wanted."""
        if need.pinned:
            named = [] if winner.endpoint.name in need.pinned else self._stations
            reasons = ((each.endpoint.name, unfit(each.endpoint, need)) for each in named)
            return [f"{name}: {why}" for name, why in reasons if name in need.pinned and why]
        below = rank(winner.endpoint, need)[1]
        return [f"{need.want.capability}: no enabled model of this capability answers"] if below else []

    def _nobody(self, need: Need) -> str:
        if not self._stations:
            return "none is enabled"
        reasons = ((each, unfit(each.endpoint, need) or "its tokens of today are used up") for each in self._stations)
        return _story([f"{station.endpoint.name}: {why}" for station, why in reasons])


def routed_of(endpoint: Endpoint, answer: Answer, fallbacks: tuple[str, ...] = (), wasted: int = 0) -> Routed:
    """An answer, with whose it is and what it costs."""
    place, model = endpoint.place, endpoint.model
    return Routed(
        answer=answer,
        provider=place.name,
        model=model.id,
        local=endpoint.local,
        prices=(model.price_prompt, model.price_completion),
        fallbacks=fallbacks,
        wasted=wasted,
    )


def _fitting(request: ChatRequest, need: Need, context: int | None) -> ChatRequest:
    """The request with a reply that fits into the model's context: servers refuse one that does not."""
    if context is None or request.max_tokens is None or need.tokens + request.max_tokens <= context:
        return request
    return request.model_copy(update={"max_tokens": context - need.tokens})


def _story(notes: list[str]) -> str:
    """Each note once, in order."""
    return "; ".join(dict.fromkeys(notes)) or "the time for it is over"
