"""`omni serve gate-engine`: a repository or an archive in, a binary verdict with reasons and what to do out."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field, ValidationError

from omni import __version__
from omni.kernel.clock import now
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.ids import uuid7
from omni.kernel.settings import Settings
from omni.server import config as configuration
from omni.server import forge as forges
from omni.server.config import GateConfig
from omni.server.door import bearer, chunks, telling, whole_body
from omni.server.jobs import NO_JOB, QUEUE_FULL, Job, Jobs, Source
from omni.server.repositories import NOT_ALLOWED, allowed_path, allowed_url
from omni.server.worker import UPLOAD, Worker
from omni.verify.gate import gates
from omni.verify.outputs import MEDIA_TYPES, render
from omni.verify.report import Model, Report

NO_TOKEN = declare("G009", "Who asks is not known", Exit.NOT_ALLOWED, "Send Authorization: Bearer with the token.")
BAD_REQUEST = declare("G010", "The request is not understood", Exit.USAGE, "See /docs for what is asked for.")
NOT_YET = declare("G011", "There is no report", Exit.INCOMPLETE, "Wait until the job's state is done; see its reasons.")

PORT = 8351
POLL = 0.1
"""Seconds between two looks for new events."""
STATUS = {NO_TOKEN: 401, NOT_ALLOWED: 403, forges.BAD_SIGNATURE: 403, NO_JOB: 404, NOT_YET: 409, QUEUE_FULL: 429}
"""HTTP status of an error; 400 for all others."""
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A report shows what strangers wrote: no script, no request, no origin."""


class Asked(Model):
    """One of `path` and `repository`."""

    path: str = ""
    """A folder on the engine's machine, below one that its configuration allows."""
    repository: str = ""
    """An HTTPS URL on a host that its configuration allows."""
    commit: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$|^$", max_length=200)] = ""


def app(settings: Settings, public: str = "") -> FastAPI:
    """The service. Raises OmniError when its configuration can't be used."""
    config, token = configuration.load(settings.home), configuration.token(settings.home)
    jobs = Jobs(settings.home / "gate-engine" / "jobs", config.queue)
    worker = Worker(jobs, config, settings, public)

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=worker.run, daemon=True, name="gate-worker").start()
        yield
        worker.stop()

    service = FastAPI(title="Omni gate engine", version=__version__, lifespan=running)
    service.add_exception_handler(OmniError, telling(STATUS, {QUEUE_FULL: 30}))
    _open_routes(service, jobs, worker)
    _job_routes(service, jobs, config, bearer(token, NO_TOKEN))
    _webhook(service, jobs, config)
    return service


def _open_routes(service: FastAPI, jobs: Jobs, worker: Worker) -> None:
    @service.get("/health")
    def health() -> JSONResponse:
        """503 while jobs can't be worked on."""
        waiting = sum(job.state == "queued" for job in jobs.all())
        about = {"status": "failing" if worker.problem else "ok", "version": __version__, "waiting": waiting}
        return JSONResponse(about, 503 if worker.problem else 200)

    @service.get("/metrics")
    def metrics() -> Response:
        """Prometheus' text format, https://prometheus.io/docs/instrumenting/exposition_formats/"""
        found = jobs.all()
        states = Counter(job.state for job in found)
        verdicts = Counter(job.verdict for job in found if job.state == "done")
        lines = [
            "# TYPE omni_gate_jobs gauge",
            *(f'omni_gate_jobs{{state="{state}"}} {states[state]}' for state in ("queued", "running", "done")),
            "# TYPE omni_gate_verdicts gauge",
            *(f'omni_gate_verdicts{{verdict="{each}"}} {verdicts[each]}' for each in ("pass", "fail", "incomplete")),
            "# TYPE omni_gate_seconds gauge",
            f"omni_gate_seconds {max((job.seconds for job in found), default=0.0)}",
        ]
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


Tier = Annotated[int, Query(ge=1, le=3, description="Up to this tier.")]
GateName = Annotated[str, Query(description="A gate of gates.toml.")]


def _job_routes(service: FastAPI, jobs: Jobs, config: GateConfig, known: Callable[..., Awaitable[None]]) -> None:
    @service.post("/v1/verify", status_code=202, dependencies=[Depends(known)])
    async def submit(request: Request, tier: Tier = 2, gate: GateName = "default") -> Job:
        """JSON with `path` or `repository`, or the bytes of a tar.gz or zip."""
        if gate not in gates():
            raise OmniError(BAD_REQUEST, f"there is no gate “{gate[:50]}”; known: {', '.join(gates())}")
        if request.headers.get("content-type", "").startswith("application/json"):
            source = _source(await whole_body(request, 1 << 16, BAD_REQUEST), config)
            return _add(jobs, Job(id=uuid7(), source=source, tier=tier, gate=gate, created=now()))
        job_id, folder = jobs.reserve()
        try:
            with (folder / UPLOAD).open("wb") as target:
                async for chunk in chunks(request, config.upload, BAD_REQUEST):
                    target.write(chunk)
        except BaseException:  # too large, or the client went away
            jobs.release(job_id)
            raise
        return jobs.add(Job(id=job_id, source=Source(kind="archive"), tier=tier, gate=gate, created=now()))

    @service.get("/v1/jobs/{job_id}", dependencies=[Depends(known)])
    def show(job_id: str) -> Job:
        return jobs.get(job_id)

    @service.get("/v1/jobs/{job_id}/report", dependencies=[Depends(known)])
    def report(job_id: str, form: Annotated[str, Query(alias="format")] = "json") -> Response:
        job = jobs.get(job_id)
        path = jobs.folder(job.id) / "report.json"
        if not path.exists():
            raise OmniError(NOT_YET, f"the job is {job.state}")
        text = render(Report.model_validate_json(path.read_bytes()), form)
        headers = {"Content-Security-Policy": PAGE_POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(text, media_type=MEDIA_TYPES[form], headers=headers)

    @service.get("/v1/jobs/{job_id}/events", dependencies=[Depends(known)])
    def events(job_id: str, last_event_id: Annotated[int, Header(ge=0)] = 0) -> StreamingResponse:
        """Server-sent events, from the beginning or after `Last-Event-ID`, until the job is over."""
        return StreamingResponse(_stream(jobs, jobs.get(job_id).id, last_event_id), media_type="text/event-stream")


def _source(body: bytes, config: GateConfig) -> Source:
    """What is asked for, if it is allowed. Raises `G005` and `G010`."""
    try:
        asked = Asked.model_validate_json(body)
    except ValidationError as problem:
        raise OmniError(BAD_REQUEST, problem.errors(include_url=False)[0]["msg"]) from problem
    if bool(asked.path) == bool(asked.repository):
        raise OmniError(BAD_REQUEST, "name one of `path` and `repository`")
    if asked.path:
        allowed_path(asked.path, config.paths)
        return Source(kind="path", place=asked.path, commit=asked.commit)
    insecure = {each.host for each in config.forges if each.insecure}
    allowed_url(asked.repository, {*config.hosts, *(each.host for each in config.forges)}, insecure)
    return Source(kind="repository", place=asked.repository, commit=asked.commit)


def _add(jobs: Jobs, job: Job) -> Job:
    """A job without an upload. Raises `G003`."""
    job_id, _ = jobs.reserve()
    return jobs.add(job.model_copy(update={"id": job_id}))


async def _stream(jobs: Jobs, job_id: str, after: int) -> AsyncIterator[str]:
    while True:
        over = jobs.get(job_id).state == "done"
        for number, text in jobs.events(job_id, after):
            after = number
            yield f"id: {number}\ndata: {text}\n\n"
        if over:
            return
        await asyncio.sleep(POLL)


def _webhook(service: FastAPI, jobs: Jobs, config: GateConfig) -> None:
    @service.post("/v1/webhook/{host}")
    async def webhook(host: str, request: Request) -> JSONResponse:
        """A push or a pull request, signed by the forge. The same one again is answered with the job it has."""
        forge = next((each for each in config.forges if each.host == host), None)
        if forge is None:
            raise OmniError(forges.BAD_SIGNATURE, "this forge is not known")
        body = await whole_body(request, forges.LARGEST, BAD_REQUEST)
        forges.believed(forge, body, request.headers)
        kind = request.headers.get("x-gitea-event") or request.headers.get("x-github-event", "")
        event = forges.read(forge, kind, body)
        if event is None:
            return JSONResponse({"job": None, "why": "nothing to verify in such an event"})
        source = Source(kind="repository", place=event.url, commit=event.commit)
        key = hashlib.sha256(host.encode() + b"\0" + body).hexdigest()
        asked = Job(id="", source=source, tier=2, gate="default", created=now(), origin=event.origin, key=key)
        return JSONResponse({"job": _add(jobs, asked).id}, 202)
