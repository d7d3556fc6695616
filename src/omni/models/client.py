"""One endpoint, asked once: over httpx, streamed, with deadlines. No retries here: those are the router's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx
from pydantic import SecretStr

from omni.kernel import clock
from omni.models.catalog import CatalogModel, Enabled
from omni.models.chat_format import DONE, LARGEST_EVENT, Assembly, Events, FormatError, body, estimate, explain, parse
from omni.models.wire import ChatRequest, Finish, Message, Model, Usage

AFTER_THE_END = 2.0
"""Seconds in which the usage may follow the last piece of a reply."""
LONGER = 2
"""A reply of so many times the tokens that were allowed is cut: no budget reckons with it."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

Kind = Literal["unreachable", "limited", "key", "server", "silent", "unusable", "rejected"]
"""Not reached; too many requests; the key isn't good; it failed; it fell silent; it sent nonsense; it doesn't take this
request."""
_STATUS: dict[int, Kind] = {401: "key", 403: "key", 408: "server", 425: "server", 429: "limited"}


@dataclass(frozen=True)
class Endpoint:
    """One model at one place."""

    place: Enabled
    model: CatalogModel

    @property
    def name(self) -> str:
        return f"{self.place.name}/{self.model.id}"

    @property
    def local(self) -> bool:
        """On the user's own machines."""
        return self.place.provider_class == "local"


class Pace(Model):
    """How long what may take. Seconds."""

    connect: float = 5.0
    first_piece: float = 300.0
    """A long prompt on a slow machine takes minutes."""
    idle: float = 60.0
    """Between two pieces of a stream."""
    whole: float = 1800.0
    """From the question to the end of the answer, whoever gives it."""
    unmeasured: float = 2.0
    """Until somebody else is asked too, while an endpoint has never answered; then its own p95 counts."""
    soonest: float = 0.05
    """Nobody else is asked before, however fast an endpoint usually is."""
    patience: float = 8.0
    """How long to wait for an endpoint to come back when all have failed."""
    queue: float = 300.0
    """How long to wait for one when all are at their rate limits."""


class Answer(Model):
    message: Message
    finish: Finish
    usage: Usage
    estimated: bool
    """The server did not say the usage: about four characters a token."""
    seconds: float
    first_piece: float


class EndpointError(Exception):
    """An endpoint did not answer. `retry_after`: seconds, where it said so; `heard`: tokens that came before, about."""

    def __init__(self, kind: Kind, why: str, retry_after: float | None = None, heard: int = 0) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why
        self.retry_after = retry_after
        self.heard = heard


def http_client(pace: Pace) -> httpx.AsyncClient:
    """A client that keeps connections, follows no redirect, and asks this machine without any proxy."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=60)
    direct = {f"all://{host}": httpx.AsyncHTTPTransport(limits=limits) for host in LOOPBACK}
    timeout = httpx.Timeout(None, connect=pace.connect)
    return httpx.AsyncClient(limits=limits, timeout=timeout, mounts=direct)


async def chat(
    http: httpx.AsyncClient,
    endpoint: Endpoint,
    key: SecretStr | None,
    request: ChatRequest,
    pace: Pace,
    heard: Callable[[str], None],
) -> Answer:
    """The endpoint's answer. `heard` gets every piece of text as it comes, and "" for a piece that is no text.

    Raises EndpointError, and nothing else of what a server can do; no key is in its text.
    """
    reading = _Reading(heard)
    try:
        async with asyncio.timeout(pace.first_piece) as deadline, _asked(http, endpoint, key, request) as response:
            await _check(response)
            async for event in _events(response):
                reading.add(event)
                if request.max_tokens and reading.tokens > LONGER * request.max_tokens:
                    reading.assembly.cut()
                    break
                wait = AFTER_THE_END if reading.assembly.ended else pace.idle
                if reading.first:
                    deadline.reschedule(asyncio.get_running_loop().time() + wait)
        reading.check_end()
    except TimeoutError:
        why = f"silent for {pace.idle:g} s in mid-stream" if reading.first else f"silent for {pace.first_piece:g} s"
        reading.check_end("silent", why)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise EndpointError("unreachable", _without(key, str(error) or "no connection")) from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        reading.check_end("server", f"the connection broke: {_without(key, str(error)) or type(error).__name__}")
    except FormatError as error:
        raise EndpointError("unusable", _without(key, str(error)), heard=reading.tokens) from None
    except EndpointError as error:
        raise EndpointError(error.kind, _without(key, error.why), error.retry_after, error.heard) from None
    return reading.answer(request)


class _Reading:
    """An answer as it comes in."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self.assembly = Assembly()
        self.first = 0.0
        """Seconds until the first piece; 0: none yet."""
        self._began = time.perf_counter()
        self._heard = heard

    @property
    def tokens(self) -> int:
        return -(-self.assembly.heard // 4)

    def add(self, event: bytes) -> None:
        text = self.assembly.event(event)
        if text is None:
            return
        self.first = self.first or time.perf_counter() - self._began
        self._heard(text)

    def check_end(self, kind: Kind = "server", why: str = "the stream was cut") -> None:
        """Whatever happened after the server said that this is all does not matter. Raises EndpointError."""
        if not self.assembly.ended:
            raise EndpointError(kind, why, heard=self.tokens) from None

    def answer(self, request: ChatRequest) -> Answer:
        seconds = time.perf_counter() - self._began
        usage = self.assembly.usage
        return Answer(
            message=self.assembly.message(),
            finish=self.assembly.finish,
            usage=usage or Usage(prompt=estimate(request), completion=self.tokens),
            estimated=usage is None,
            seconds=seconds,
            first_piece=self.first or seconds,
        )


@asynccontextmanager
async def _asked(
    http: httpx.AsyncClient, endpoint: Endpoint, key: SecretStr | None, request: ChatRequest
) -> AsyncIterator[httpx.Response]:
    limit = "max_completion_tokens" if endpoint.place.provider == "openai" else "max_tokens"
    content = json.dumps(body(request, endpoint.model.wire_name, limit)).encode()
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key.get_secret_value()}"
    async with http.stream(
        "POST", f"{endpoint.place.base_url}/chat/completions", content=content, headers=headers
    ) as response:
        yield response


async def _events(response: httpx.Response) -> AsyncIterator[bytes]:
    """The data of a stream's events; of a reply that isn't streamed: its whole body as one. Raises FormatError."""
    kind = response.headers.get("content-type", "")
    if "json" in kind or "html" in kind:
        yield await _whole(response)
        yield DONE
        return
    events = Events()
    async for piece in response.aiter_bytes():
        for event in events.feed(piece):
            yield event


async def _whole(response: httpx.Response, most: int = LARGEST_EVENT) -> bytes:
    read = bytearray()
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) > most:
            raise FormatError("an answer without an end")
    return bytes(read)


async def _check(response: httpx.Response) -> None:
    """Raises EndpointError where the status says that there will be no answer."""
    status = response.status_code
    if status == 200:
        return
    said = await _whole(response, most=1 << 16)
    try:
        why = explain(parse(said))
    except FormatError:
        why = " ".join(said.decode(errors="replace").split())[:120]
    kind = _STATUS.get(status, "rejected" if 400 <= status < 500 else "server")
    raise EndpointError(kind, f"HTTP {status}{': ' if why else ''}{why}", _retry_after(response.headers))


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds, of `Retry-After` as RFC 9110, 10.2.3 has it: a number or a date."""
    said = headers.get("retry-after", "").strip()
    if said.replace(".", "", 1).isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _without(key: SecretStr | None, text: str) -> str:
    """A server may repeat the key that it was given."""
    secret = key.get_secret_value() if key else ""
    return text.replace(secret, "***") if secret else text
