"""How a run's project is deployed: what is started, what is asked, what the figures say."""

from __future__ import annotations

import secrets

from pydantic import BaseModel, ConfigDict

from omni.delivery.deployment import Deployment, Plan
from omni.delivery.questions import Question
from omni.delivery.report_page import Fact
from omni.pipeline.handoffs import ImplementationHandoff
from omni.pipeline.stage import Work
from omni.pipeline.steps import project_environment
from omni.review.intent import Door
from omni.spec.model import PageKind

VERSION = "0.1.0"
"""Of everything that a build hands over for the first time."""
API = "/api/v1"
"""Where the part `api` answers."""


class Picture(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    alt: str
    digest: str
    """Of the PNG."""
    narrow: bool = False


class Pictures(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    pictures: tuple[Picture, ...] = ()


def plan(work: Work) -> Plan:
    """What the template says about starting its projects, for this one."""
    template, package = work.template(), work.handoff(ImplementationHandoff, "implementation").package
    health = [Question(path=template.health_path), Question(path="/metrics")] if template.health_path else []
    told, remembered = _account(work)
    return Plan(
        environment=project_environment(work),
        serve=tuple(word.format(package=package) for word in template.serve),
        port=template.port,
        health_path=template.health_path,
        questions=(*health, *_public_pages(work)),
        description=f"{API}/openapi.json" if "api" in template.parts else "",
        told=told,
        remembered=remembered,
        commands=() if template.port else (("python", "-m", package, "--help"), ("python", "-m", package, "--version")),
        browser="web" in template.parts,
        trusted=work.trusted,
    )


def door(work: Work) -> Door:
    """How a stranger reaches the app, and where it says what it offers."""
    found = plan(work)
    pages = tuple(question.path for question in _public_pages(work))
    return Door(
        serve=found.serve,
        port=found.port or 0,
        health=found.health_path,
        description=(found.description,) if found.description else pages,
        command=() if found.port else ("python", "-m", work.handoff(ImplementationHandoff, "implementation").package),
    )


def _account(work: Work) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
    """Somebody signs up before the restart, and must be able to log in after it."""
    parts = set(work.template().parts)
    if not work.spec().auth or "react" in parts:  # its API wants a token that only its own page can give
        return (), ()
    secret = {"email": "ada@example.org", "password": secrets.token_urlsafe(16)}
    person = {"name": "Ada Lovelace", **secret}
    if "web" in parts:
        signed_up = Question(path="/sign-up", form=person, status=303)
        return (signed_up,), (Question(path="/log-in", form=secret, status=303),)
    if "api" in parts:
        signed_up = Question(path=f"{API}/users", body=person, status=201)
        return (signed_up,), (Question(path=f"{API}/sessions", body=secret, status=201),)
    return (), ()


def facts(deployment: Deployment) -> tuple[Fact, ...]:
    """The figures of a deployment, for the report."""
    rows = [Fact(label=one.name, value=one.detail, ok=one.ok) for one in deployment.observations]
    if deployment.load:
        rows.insert(0, Fact(label="healthy after", value=f"{deployment.started_in:.1f} s", ok=True))
    return tuple(rows)


def metrics(deployment: Deployment) -> dict[str, float]:
    """What the scorecard reads; only what was measured."""
    seen = {one.name: float(one.ok) for one in deployment.observations}
    found = {"deployment.health": seen.get("health"), "deployment.metrics": seen.get("GET /metrics")}
    if deployment.load:
        found |= {"deployment.p95_ms": deployment.load.p95, "deployment.error_rate": deployment.load.error_rate}
    return {name: value for name, value in found.items() if value is not None}


def _public_pages(work: Work) -> list[Question]:
    """The pages that a visitor without an account may open."""
    if "web" not in work.template().parts:
        return []
    open_to_all = {PageKind.SIGN_UP, PageKind.LOG_IN}
    pages = [page for page in work.spec().pages if page.kind in open_to_all or (page.public and "{" not in page.path)]
    return [Question(path=page.path, contains="<html") for page in pages if page.kind is not PageKind.FORM]
