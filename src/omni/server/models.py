"""`omni serve models`: OpenAI's API over Omni's router, so that outside agents are routed, budgeted and logged too.

`omni serve semantic-cache` is the same with the semantic cache before the router.
"""

from __future__ import annotations

import asyncio
import hmac
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Engine
from starlette.types import Receive, Scope, Send

from omni import __version__
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.ids import uuid7
from omni.kernel.settings import Settings
from omni.models import tokens
from omni.models.cache import Counts, SemanticCache
from omni.models.catalog import load_catalog
from omni.models.errors import BUDGET_USED_UP, NO_ANSWER, NO_SUCH_MODEL, UNUSABLE
from omni.models.gateway import AsyncGateway, open_async_gateway
from omni.models.router import EndpointHealth
from omni.models.tokens import NO_TOKEN, Grant
from omni.models.vectors import embed
from omni.models.wire import Attribution, ChatReply, ChatRequest, Want
from omni.server import openai_format
from omni.server.door import whole_body
from omni.server.listening import listen
from omni.server.openai_format import BAD_REQUEST, ChatBody, Object

TOO_MANY = declare("M024", "Too many questions at once", Exit.INCOMPLETE, "Ask again in a moment.")
BROKEN_OFF = declare("M025", "An answer broke off", Exit.INCOMPLETE, "Ask again: another model takes over.")

PORT = 8372
MOST_AT_ONCE = 512
"""Questions that are answered at the same time; one more is told to come back."""
LARGEST = 32 << 20
"""Bytes of a request."""
STREAM_HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
LOOKUPS = ("exact", "similar", "missed")
NAMES = ("run", "stage", "role", "project", "call")
"""Of `Attribution`: a caller with the home's token says them in headers, as `x-omni-run`."""
STATUS = {
    NO_TOKEN: (401, "invalid_api_key"),
    BUDGET_USED_UP: (402, "insufficient_quota"),
    NO_SUCH_MODEL: (404, "model_not_found"),
    TOO_MANY: (429, "rate_limit_exceeded"),
    UNUSABLE: (502, "server_error"),
    BROKEN_OFF: (502, "server_error"),
    NO_ANSWER: (503, "server_error"),
}
"""HTTP status of an error and OpenAI's code for it; 400 for all others. 402: clients try 429 again, and a budget stays
used up."""


def app(settings: Settings, engine: Engine, cache: SemanticCache | None = None) -> FastAPI:
    """The service over the models that are enabled in this Omni home. With a cache, that is looked into first."""

    @asynccontextmanager
    async def running(service: FastAPI) -> AsyncIterator[None]:
        async with open_async_gateway(settings, engine) as gateway:
            desk = Desk(gateway, cache)
            _open_routes(service, desk)
            _model_routes(service, settings, desk)
            _embedding_route(service, settings, engine)
            yield

    service = FastAPI(title="Omni models", version=__version__, lifespan=running)
    service.add_exception_handler(OmniError, _problem)
    return service


@dataclass
class Desk:
    """Who is being answered, and how that went."""

    gateway: AsyncGateway
    cache: SemanticCache | None
    at_once: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """`answered`, `left`, or the code of an error → how often."""

    async def ask(self, question: Question, on_text: Callable[[str], None] | None = None) -> ChatReply:
        """Raises `M024`, `M025`, and what the gateway raises."""
        if self.at_once >= MOST_AT_ONCE:
            raise OmniError(TOO_MANY, f"{MOST_AT_ONCE} are being answered")
        self.at_once += 1
        how = "left"
        try:
            reply = await self._cached(question) or await self._fresh(question, on_text)
            how = "answered"
        except OmniError as error:
            how = error.kind.code
            raise
        else:
            return reply
        finally:
            self.at_once -= 1
            self.answers[how] += 1

    async def _cached(self, question: Question) -> ChatReply | None:
        """What the model that would be asked first has answered before."""
        if self.cache is None:
            return None
        order = self.gateway.router.order(question.request, question.want)
        model = next((each.endpoint.partition("/")[2] for each in order if each.place), "")
        hit = await asyncio.to_thread(self.cache.look_up, question.request, model, question.attribution)
        return hit.reply if hit else None

    async def _fresh(self, question: Question, on_text: Callable[[str], None] | None) -> ChatReply:
        asked = (question.request, question.want, question.attribution)
        reply = await self.gateway.ask(*asked, on_text, _broken_off if on_text else None)
        if self.cache is not None:
            await asyncio.to_thread(self.cache.keep, question.request, reply, question.attribution)
        return reply


@dataclass(frozen=True)
class Question:
    """What is asked, who should answer, and who pays."""

    request: ChatRequest
    want: Want
    attribution: Attribution
    usage: bool
    """Whether a stream ends with it."""
    model: str
    """As it was asked for."""
    number: str
    """Of the answer."""
    created: int
    """Seconds since 1970."""


def _broken_off() -> None:
    # OpenAI's format can't take back what was streamed.
    raise OmniError(BROKEN_OFF, "a part of it was passed on already")


def _open_routes(service: FastAPI, desk: Desk) -> None:
    @service.get("/health")
    def health() -> dict[str, object]:
        return {"status": "ok", "version": __version__, "answering": desk.at_once}

    @service.get("/metrics")
    def metrics() -> Response:
        """Prometheus' text format, https://prometheus.io/docs/instrumenting/exposition_formats/"""
        lines = ["# TYPE omni_models_answering gauge", f"omni_models_answering {desk.at_once}"]
        lines.append("# TYPE omni_models_questions_total counter")
        lines += [f'omni_models_questions_total{{how="{how}"}} {count}' for how, count in sorted(desk.answers.items())]
        if desk.cache is not None:
            counts = desk.cache.counts()
            lines.append("# TYPE omni_cache_lookups_total counter")
            lines += [f'omni_cache_lookups_total{{how="{how}"}} {getattr(counts, how)}' for how in LOOKUPS]
            lines += ["# TYPE omni_cache_tokens_saved_total counter"]
            lines += [f"omni_cache_tokens_saved_total {counts.tokens_saved}"]
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _model_routes(service: FastAPI, settings: Settings, desk: Desk) -> None:
    @service.get("/v1/models")
    def models(request: Request) -> Object:
        """What may be asked for by name: the enabled models, and `auto`, `fast`, `balanced`, `heavy`."""
        _granted(settings, request.headers)
        offers = [(model.id, place.name) for place, model in load_catalog(settings).offers()]
        chosen = [(name, "omni") for name in ("auto", "fast", "balanced", "heavy")]
        known = dict(reversed([*chosen, *offers]))
        return {
            "object": "list",
            "data": [
                {"id": name, "object": "model", "created": 0, "owned_by": owner}
                for name, owner in sorted(known.items())
            ],
        }

    @service.get("/v1/endpoints")
    async def endpoints(request: Request) -> list[EndpointHealth]:
        """How each endpoint is: asked, resting or probed, and why; how fast, and how busy."""
        _owner(settings, request.headers)
        return desk.gateway.router.health()

    @service.get("/v1/cache")
    def cache(request: Request, project: str = "") -> Counts:
        """Hits, misses and savings of all time; of a project, if one is named."""
        _owner(settings, request.headers)
        return desk.cache.counts(project=project) if desk.cache else Counts()

    @service.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        """OpenAI's chat completions, whole or streamed."""
        granted = _granted(settings, request.headers)
        body = openai_format.read(await whole_body(request, LARGEST, BAD_REQUEST))
        question = _question(body, granted)
        if body.stream:
            return Streamed(desk, question)
        reply = await _unless_left(desk.ask(question), request.receive)
        if reply is None:
            return Response(status_code=499)  # nobody is there to read it; nginx' word for that
        return JSONResponse(openai_format.completion(reply, question.number, question.created))


def _embedding_route(service: FastAPI, settings: Settings, engine: Engine) -> None:
    @service.post("/v1/embeddings")
    async def embeddings(request: Request) -> Object:
        """OpenAI's embeddings; without an embedding model, those of a function that comes with Omni, under its name."""
        granted = _granted(settings, request.headers)
        body = openai_format.read_embeddings(await whole_body(request, LARGEST, BAD_REQUEST))
        name = "" if body.model in openai_format.CHOOSE else body.model
        found = await asyncio.to_thread(embed, settings, engine, body.texts, name, granted.attribution)
        return openai_format.embeddings(found, body.encoding_format)


def _owner(settings: Settings, headers: Mapping[str, str]) -> None:
    """What an agent with a token for its run has no business with. Raises `M022`."""
    if not _is_owner(settings, headers):
        raise OmniError(NO_TOKEN, "only the home's own token may ask this")


def _is_owner(settings: Settings, headers: Mapping[str, str]) -> bool:
    return hmac.compare_digest(_bearer(headers).encode(), tokens.token(settings).encode())


def _bearer(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ").strip()


def _granted(settings: Settings, headers: Mapping[str, str]) -> Grant:
    """On whose account this is. Raises `M022`."""
    if not _is_owner(settings, headers):
        return tokens.read(settings, _bearer(headers))
    said = {name: headers.get(f"x-omni-{name}", "") for name in NAMES}
    return Grant.model_validate({"attribution": said, "want": {}, "until": tokens.FOREVER})


def _question(body: ChatBody, granted: Grant) -> Question:
    request = body.request()
    return Question(
        request=request,
        want=body.want(granted.want, request),
        attribution=granted.attribution,
        usage=body.stream_options.include_usage,
        model=body.model,
        number=uuid7(),
        created=int(time.time()),
    )


async def _unless_left(work: Awaitable[ChatReply], receive: Receive) -> ChatReply | None:
    """The reply; None when the client leaves before: then the model is left too."""
    asking, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return asking.result() if asking.done() else None
    finally:
        await _stop(asking, leaving)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stop(*tasks: asyncio.Future[object] | asyncio.Future[None] | asyncio.Future[ChatReply]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Streamed(Response):
    """The answer as server-sent events, as it comes. What fails before its first word is an HTTP error."""

    def __init__(self, desk: Desk, question: Question) -> None:
        super().__init__()
        self._desk = desk
        self._question = question
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asking = asyncio.ensure_future(self._desk.ask(self._question, self._pieces.put_nowait))
        asking.add_done_callback(lambda _: self._pieces.put_nowait(None))
        sending = asyncio.ensure_future(self._send(asking, scope, receive, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            await _stop(sending, leaving, asking)

    async def _send(self, asking: asyncio.Future[ChatReply], scope: Scope, receive: Receive, send: Send) -> None:
        passed = ""
        question = self._question
        while pieces := await self._arrived():
            if not passed:
                await self._begin(send)
            shown = []
            for piece in pieces:
                about = (question.number, question.created, question.model)
                shown.append(openai_format.text_event(piece, *about, first=not passed))
                passed += piece
            await send({"type": "http.response.body", "body": b"".join(shown), "more_body": True})
        try:
            reply = asking.result()
            end = self._end(reply, passed)
        except OmniError as error:
            if not passed:
                await _failed(error)(scope, receive, send)
                return
            end = openai_format.event(_shown(error)[1])
        if not passed:
            await self._begin(send)
        await send({"type": "http.response.body", "body": end})

    async def _arrived(self) -> list[str]:
        """The pieces that are there, so that they leave together; waits for the first. None at the end."""
        pieces, piece = list[str](), await self._pieces.get()
        while piece is not None:
            pieces.append(piece)
            if self._pieces.empty():
                return pieces
            piece = self._pieces.get_nowait()
        if pieces:
            self._pieces.put_nowait(None)
        return pieces

    async def _begin(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})

    def _end(self, reply: ChatReply, passed: str) -> bytes:
        """All that follows what was passed on. Raises `M025` when that is not how the reply begins."""
        said = openai_format.said(reply)
        if not said.startswith(passed):
            _broken_off()
        rest, question = said[len(passed) :], self._question
        return openai_format.last_events(reply, rest, question.number, question.created, usage=question.usage)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    return _failed(error) if isinstance(error, OmniError) else JSONResponse({}, 500)


def _failed(error: OmniError) -> JSONResponse:
    status, about = _shown(error)
    headers = {"Retry-After": "1"} if error.kind is TOO_MANY else {}
    return JSONResponse(about, status, headers=headers)


def _shown(error: OmniError) -> tuple[int, Object]:
    """Status and OpenAI's object of an error."""
    status, code = STATUS.get(error.kind, (400, "invalid_request_error"))
    text = f"{error.kind.title} [{error.kind.code}]: {error.why}. {error.fix}"
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return status, {"error": {"message": text, "type": kind, "param": None, "code": code}}


@contextmanager
def served(service: FastAPI, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a service (`http://127.0.0.1:…`) that runs in a thread on a free port."""
    listening = listen(host, 0)
    config = uvicorn.Config(service, log_level="error", server_header=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="models", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
