"""Deployment to staging on this machine: the app is started for real in the sandbox, asked, loaded and stopped."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import httpx

from omni.delivery.questions import Model, Observation, Question, ask, ask_as_described, headers, visitor
from omni.sandbox import python_mounts
from omni.sandbox.job import Driver, Isolation, Job, JobResult, Limits, Service

HEALTHY_WITHIN = 60.0
"""Seconds (thresholds D4A.11)."""
STOPS_WITHIN = 10.0
"""Seconds from SIGTERM to the end."""
REQUESTS, CLIENTS = 200, 4
"""The bounded load that the SLO is checked with."""
ERROR_RATE, P95_MS, P99_MS = 0.01, 500.0, 2000.0
"""Limits of a staging load (thresholds D4A.10, D4B)."""


DATA = "data"
"""The folder beneath the project in which an app keeps what it must not lose."""


class Plan(Model):
    """How a project is started and asked. One without a port is a program: its `commands` are run instead."""

    environment: Path
    serve: tuple[str, ...] = ()
    port: int | None = None
    health_path: str = ""
    questions: tuple[Question, ...] = ()
    description: str = ""
    """Address of the app's own OpenAPI document; what it describes is asked too."""
    told: tuple[Question, ...] = ()
    """What the app is told before a restart …"""
    remembered: tuple[Question, ...] = ()
    """… and asked by a new visitor after it."""
    commands: tuple[tuple[str, ...], ...] = ()
    browser: bool = False
    """It answers browsers, so security headers are asked for."""
    trusted: bool = True
    """All of its code is Omni's own."""


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
    def verdict(self) -> Literal["promoted", "rolled back"]:
        """A version that was not healthy, or missed its objectives, does not stay."""
        return "promoted" if self.ok else "rolled back"

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(f"{one.name}: {one.detail}" for one in self.observations if not one.ok)


def deploy(project: Path, plan: Plan, driver: Driver) -> Deployment:
    """Start the project in staging mode, ask it, load it, stop it, and start it again on its data.

    What it got wrong is in the result; nothing of it stays running. Raises OmniError when the sandbox can't be had.
    """
    if plan.port is None:
        return _run_commands(project, plan, driver)
    with tempfile.TemporaryDirectory(prefix="omni-deploy-") as folder:
        kept = Path(folder, "kept")
        first = _first_start(project, plan, driver, kept)
        if not first.ok or not (kept / DATA).is_dir():
            return first
        again = Path(folder, "again")
        shutil.copytree(project, again, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        shutil.copytree(kept / DATA, again / DATA, dirs_exist_ok=True)
        return _second_start(again, plan, driver, first)


def _first_start(project: Path, plan: Plan, driver: Driver, kept: Path) -> Deployment:
    began = time.monotonic()
    load = None
    with running(project, plan, driver, mode="staging", kept=kept) as service:
        observations = [healthy(service, plan)]
        started_in = time.monotonic() - began
        if observations[0].ok:
            with visitor(service.url) as client:
                observations += _smoke(client, plan)
                load = _measure(client, plan)
                observations += _slo(load)
        stopped, end = _stop(service)
        return Deployment(
            observations=(*observations, *stopped),
            load=load,
            started_in=started_in,
            isolation=end.isolation,
            log=_last_words(service, (*observations, *stopped)),
        )


def _second_start(project: Path, plan: Plan, driver: Driver, first: Deployment) -> Deployment:
    with running(project, plan, driver, mode="staging") as service:
        observations = [healthy(service, plan)]
        if observations[0].ok:
            with visitor(service.url) as client:
                observations += [ask(client, question) for question in plan.remembered]
        stopped, _ = _stop(service)
        after = [one.model_copy(update={"name": f"{one.name}, after a restart"}) for one in (*observations, *stopped)]
        update = {"observations": (*first.observations, *after), "log": _last_words(service, after)}
        return first.model_copy(update=update)


def _stop(service: Service) -> tuple[tuple[Observation, ...], JobResult]:
    """What is seen when it is asked to end; nothing when it has ended before."""
    if not service.alive():
        return (), service.stop()
    asked = time.monotonic()
    end = service.stop()
    took = time.monotonic() - asked
    # A server may also die of the signal itself once it has finished its work; only the kill after the grace is wrong.
    polite = took < STOPS_WITHIN and (end.ended == "signal" or (end.ended == "exited" and end.exit_code == 0))
    how = "by the signal" if end.ended == "signal" else f"{end.ended} with {end.exit_code}"
    return (Observation(name="stops on SIGTERM", ok=polite, detail=f"{how} after {took:.1f} s"),), end


def _last_words(service: Service, observations: Sequence[Observation]) -> str:
    return "" if all(one.ok for one in observations) else service.logs()[-4000:]


@contextmanager
def running(
    project: Path, plan: Plan, driver: Driver, *, mode: str = "development", kept: Path | None = None
) -> Iterator[Service]:
    """The project as a service, stopped when the block is left. Its data come to `kept`.

    `mode` is what the app calls its environment: in staging it trusts that people come over HTTPS, as browsers here
    do not.
    """
    if plan.port is None:
        raise ValueError("a project without a port can't be served")
    job = _job(project, plan, plan.serve, HEALTHY_WITHIN * 5)
    job = replace(job, env={**job.env, "APP_ENV": mode}, collect=(DATA,) if kept else (), into=kept)
    service = driver.serve(job, plan.port, trusted=plan.trusted)
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
        result = driver.run(_job(project, plan, command, 60), trusted=plan.trusted)
        said = (result.stdout or result.stderr).strip().splitlines()
        detail = f"{result.ended} with {result.exit_code}: {said[0] if said else 'no output'}"
        ok = result.exit_code == 0 and bool(said)
        observations.append(Observation(name=" ".join(command), ok=ok, detail=detail[:300]))
        isolation = result.isolation
    return Deployment(observations=tuple(observations), isolation=isolation)


def _smoke(client: httpx.Client, plan: Plan) -> Iterator[Observation]:
    for question in plan.questions:
        yield ask(client, question)
        if plan.browser:
            yield headers(client, question.path)
    if plan.description:
        yield from ask_as_described(client, plan.description)
    for question in plan.told:
        yield ask(client, question)


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
