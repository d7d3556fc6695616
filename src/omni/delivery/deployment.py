"""Deployment to staging on this machine: the app is started for real in the sandbox, asked, loaded and stopped."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict

from omni.sandbox import python_mounts
from omni.sandbox.job import Driver, Isolation, Job, Limits, Service

HEALTHY_WITHIN = 60.0
"""Seconds (thresholds D4A.11)."""
STOPS_WITHIN = 10.0
"""Seconds from SIGTERM to the end."""
REQUESTS, CLIENTS = 200, 4
"""The bounded load that the SLO is checked with."""
ERROR_RATE, P95_MS, P99_MS = 0.01, 500.0, 2000.0
"""Limits of a staging load (thresholds D4A.10, D4B)."""
HEADERS = ("x-content-type-options", "content-security-policy", "referrer-policy")
"""Every answer to a browser must carry these."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(Model):
    """One HTTP request of the smoke test."""

    path: str
    status: int = 200
    contains: str = ""


class Plan(Model):
    """How a project is started and asked. One without a port is a program: its `commands` are run instead."""

    environment: Path
    serve: tuple[str, ...] = ()
    port: int | None = None
    health_path: str = ""
    questions: tuple[Question, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    browser: bool = False
    """It answers browsers, so security headers are asked for."""


class Observation(Model):
    """Something that was tried, and whether it was as it should be."""

    name: str
    ok: bool
    detail: str


class Load(Model):
    """Latencies in milliseconds."""

    requests: int
    errors: int
    p50: float
    p95: float
    p99: float

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests


class Deployment(Model):
    observations: tuple[Observation, ...]
    load: Load | None = None
    started_in: float = 0.0
    """Seconds until it was healthy."""
    isolation: Isolation
    log: str = ""
    """The last of what it wrote, when something was not as it should be."""

    @property
    def ok(self) -> bool:
        return all(observation.ok for observation in self.observations)

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(f"{one.name}: {one.detail}" for one in self.observations if not one.ok)


def deploy(project: Path, plan: Plan, driver: Driver) -> Deployment:
    """Start the project, ask it, load it, stop it. What it got wrong is in the result; nothing of it stays running.

    Raises OmniError when the sandbox can't be had.
    """
    if plan.port is None:
        return _run_commands(project, plan, driver)
    began = time.monotonic()
    with running(project, plan, driver) as service:
        observations = [healthy(service, plan)]
        started_in = time.monotonic() - began
        load = None
        if observations[0].ok:
            with httpx.Client(base_url=service.url, timeout=10) as client:
                observations += _smoke(client, plan)
                load = _measure(client, plan)
                observations += _slo(load)
        asked = time.monotonic()
        end = service.stop()
        took = time.monotonic() - asked
        polite = (end.ended == "exited" and end.exit_code in {0, 143}) or end.ended == "signal"
        stopped = f"{end.ended} with {end.exit_code} after {took:.1f} s"
        observations.append(Observation(name="stops on SIGTERM", ok=polite and took < STOPS_WITHIN, detail=stopped))
        log = "" if all(one.ok for one in observations) else service.logs()[-4000:]
    return Deployment(
        observations=tuple(observations), load=load, started_in=started_in, isolation=end.isolation, log=log
    )


@contextmanager
def running(project: Path, plan: Plan, driver: Driver) -> Iterator[Service]:
    """The project as a service, stopped when the block is left."""
    if plan.port is None:
        raise ValueError("a project without a port can't be served")
    service = driver.serve(_job(project, plan, plan.serve, HEALTHY_WITHIN * 5), plan.port, trusted=True)
    try:
        yield service
    finally:
        service.stop()


def healthy(service: Service, plan: Plan) -> Observation:
    """Wait until it answers at its health path."""
    deadline = time.monotonic() + HEALTHY_WITHIN
    answer = "no answer"
    while time.monotonic() < deadline and service.alive():
        try:
            response = httpx.get(service.url + plan.health_path, timeout=2)
        except httpx.HTTPError as error:
            answer = str(error)
        else:
            answer = f"{response.status_code} {response.text[:200]}"
            if response.status_code == 200:
                return Observation(name="health", ok=True, detail=answer)
        time.sleep(0.05)
    return Observation(name="health", ok=False, detail=answer if service.alive() else "it ended by itself")


def _job(project: Path, plan: Plan, argv: Sequence[str], wall: float) -> Job:
    environment: Mapping[str, str] = {
        "PATH": f"{plan.environment / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PORT": str(plan.port or 0),
        "SECRET_KEY": secrets.token_urlsafe(32),  # of this start alone; it is kept nowhere
        "PYTHONPATH": "/work/src",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    mounts = python_mounts(plan.environment)
    return Job(argv=tuple(argv), workspace=project, env=environment, mounts=mounts, limits=Limits(wall=wall))


def _run_commands(project: Path, plan: Plan, driver: Driver) -> Deployment:
    observations, isolation = [], driver.probe().isolation or "reduced"
    for command in plan.commands:
        result = driver.run(_job(project, plan, command, 60), trusted=True)
        said = (result.stdout or result.stderr).strip().splitlines()
        detail = f"{result.ended} with {result.exit_code}: {said[0] if said else 'no output'}"
        ok = result.exit_code == 0 and bool(said)
        observations.append(Observation(name=" ".join(command), ok=ok, detail=detail[:300]))
        isolation = result.isolation
    return Deployment(observations=tuple(observations), isolation=isolation)


def _smoke(client: httpx.Client, plan: Plan) -> Iterator[Observation]:
    for question in plan.questions:
        response = client.get(question.path)
        ok = response.status_code == question.status and question.contains in response.text
        yield Observation(name=f"GET {question.path}", ok=ok, detail=str(response.status_code))
        missing = [name for name in HEADERS if name not in response.headers] if plan.browser else []
        if missing:
            yield Observation(name=f"headers of {question.path}", ok=False, detail=f"missing: {', '.join(missing)}")


def _measure(client: httpx.Client, plan: Plan) -> Load:
    paths = [plan.health_path, *(question.path for question in plan.questions if question.status == 200)]

    def ask(number: int) -> tuple[float, bool]:
        began = time.perf_counter()
        try:
            ok = client.get(paths[number % len(paths)]).status_code < 500
        except httpx.HTTPError:
            ok = False
        return 1000 * (time.perf_counter() - began), ok

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(ask, range(REQUESTS)))
    times = sorted(milliseconds for milliseconds, _ in answers)

    def percentile(share: float) -> float:
        return round(times[min(len(times) - 1, int(share * len(times)))], 1)

    errors = sum(not ok for _, ok in answers)
    return Load(requests=REQUESTS, errors=errors, p50=percentile(0.5), p95=percentile(0.95), p99=percentile(0.99))


def _slo(load: Load) -> Iterator[Observation]:
    rate = load.error_rate
    yield Observation(name="error rate", ok=rate <= ERROR_RATE, detail=f"{rate:.1%} of {load.requests} requests")
    yield Observation(name="p95", ok=load.p95 <= P95_MS, detail=f"{load.p95:g} ms (limit {P95_MS:g} ms)")
    yield Observation(name="p99", ok=load.p99 <= P99_MS, detail=f"{load.p99:g} ms (limit {P99_MS:g} ms)")
