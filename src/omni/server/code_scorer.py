"""`omni serve code-scorer`: code and its specification in, a score for each of the ten dimensions out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import ValidationError
from sqlalchemy import Engine

from omni import __version__
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.settings import Settings
from omni.models.wire import Chat
from omni.pipeline.scoring import NO_SCORE, Listed, Scored, Submission, score_code, score_of, scores
from omni.server import config
from omni.server.door import bearer, telling, whole_body

NO_TOKEN = declare("R010", "Who asks is not known", Exit.NOT_ALLOWED, "Send Authorization: Bearer with the token.")
BAD_REQUEST = declare("R011", "The request is not understood", Exit.USAGE, "See /docs for what is asked for.")
BUSY = declare("R012", "Too much is being scored", Exit.INCOMPLETE, "Ask again in a minute.")

PORT = 8350
TOKEN = Path("secrets", "code-scorer-token")
LARGEST = 8 << 20
"""Bytes of a request."""
AT_ONCE, WAITING = 2, 8
"""Submissions that are scored at the same time, and that may wait."""
STATUS = {NO_TOKEN: 401, NO_SCORE: 404, BUSY: 429}
"""HTTP status of an error; 400 for all others."""


def app(settings: Settings, engine: Engine, chat: Chat | None) -> FastAPI:
    """The service. `chat`: who judges beside the evidence; None where no model is enabled."""

    @asynccontextmanager
    async def running(service: FastAPI) -> AsyncIterator[None]:
        service.state.turn = asyncio.Semaphore(AT_ONCE)
        yield

    service = FastAPI(title="Omni code scorer", version=__version__, lifespan=running)
    service.state.waiting = 0
    service.add_exception_handler(OmniError, telling(STATUS, {BUSY: 60}))
    known = bearer(config.token(settings.home, TOKEN), NO_TOKEN)
    _open_routes(service, engine, chat)
    _score_routes(service, settings, engine, chat, known)
    return service


def _open_routes(service: FastAPI, engine: Engine, chat: Chat | None) -> None:
    @service.get("/health")
    def health() -> dict[str, object]:
        return {"status": "ok", "version": __version__, "judge": "evidence and models" if chat else "evidence"}

    @service.get("/metrics")
    def metrics() -> Response:
        """Prometheus' text format, https://prometheus.io/docs/instrumenting/exposition_formats/"""
        newest = scores(engine, limit=1)
        lines = ["# TYPE omni_scores_waiting gauge", f"omni_scores_waiting {service.state.waiting}"]
        if newest:
            lines += ["# TYPE omni_score_newest gauge", f"omni_score_newest {newest[0].overall}"]
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _score_routes(
    service: FastAPI, settings: Settings, engine: Engine, chat: Chat | None, known: Callable[..., Awaitable[None]]
) -> None:
    @service.post("/v1/score", dependencies=[Depends(known)])
    async def score(request: Request) -> Scored:
        """JSON with `files` (path → text), and if known `spec`, `project` and `authors`."""
        try:
            sent = Submission.model_validate_json(await whole_body(request, LARGEST, BAD_REQUEST))
        except ValidationError as problem:
            error = problem.errors(include_url=False, include_input=False)[0]
            raise OmniError(BAD_REQUEST, f"{'.'.join(map(str, error['loc']))}: {error['msg']}") from problem
        if service.state.waiting >= AT_ONCE + WAITING:
            raise OmniError(BUSY, f"{service.state.waiting} submissions wait")
        service.state.waiting += 1
        try:
            async with service.state.turn:
                return await asyncio.to_thread(score_code, sent, settings, engine, chat)
        finally:
            service.state.waiting -= 1

    @service.get("/v1/scores", dependencies=[Depends(known)])
    def listed(project: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> tuple[Listed, ...]:
        """The newest first: how a project's scores went over time."""
        return scores(engine, project, limit)

    @service.get("/v1/scores/{score_id}", dependencies=[Depends(known)])
    def one(score_id: str) -> Scored:
        return score_of(settings, engine, score_id)
