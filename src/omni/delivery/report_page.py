"""The one page that a client reads: what was asked, what was built, what was not, and how it was proved.

Self-contained: no script, no font, no picture from elsewhere; readable on a phone, in the dark, and on paper.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Literal, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict

from omni.delivery import wording
from omni.spec.model import Specification
from omni.verify.report import Report, Status


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phrase(Model):
    """What became of one phrase of the request."""

    part: str
    text: str
    outcome: Literal["delivered", "assumed", "not-delivered", "waived", "narrative"]
    items: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    why: str = ""


class Missing(Model):
    """Something of the specification that was not delivered."""

    what: str
    why: str
    waived: bool = False
    """A person gave it up by name."""


class CriterionProof(Model):
    """How an acceptance criterion was shown."""

    id: str
    result: Literal["passed", "failed", "not run"]
    tests: tuple[str, ...] = ()


class ScoreEvidence(Model):
    source: str
    says: str
    findings: tuple[str, ...] = ()


class ScoreJudged(Model):
    """What a model said of a dimension."""

    score: float
    because: str
    cites: tuple[str, ...]
    model: str
    review: str
    independent: bool


class ScoreRow(Model):
    dimension: str
    title: str
    score: float | None
    """0 to 10; None: not assessed."""
    evidence: tuple[ScoreEvidence, ...] = ()
    measured: float | None = None
    """What checks alone gave, where a model judged too."""
    judged: ScoreJudged | None = None
    disagreement: float = 0.0


class Fact(Model):
    """One line of a table: what was looked at, what it was, and whether that is as it should be."""

    label: str
    value: str
    ok: bool | None = None


class Specialist(Model):
    """One specialist's part in the work."""

    role: str
    """`P0.1` … `P6.5`."""
    title: str
    stage: str
    model: str
    """As `provider/model`; empty: none answered."""
    tokens: int
    outcome: str
    why: str = ""


class Screenshot(Model):
    title: str
    alt: str
    """What is to be seen, for those who can't see it."""
    media_type: Literal["image/png", "image/jpeg", "image/webp"]
    data: bytes
    narrow: bool = False
    """Taken at the width of a phone."""


class Step(Model):
    title: str
    command: str


class ReportContext(Model):
    spec: Specification
    verdict: Literal["pass", "fail", "incomplete"]
    reasons: tuple[str, ...] = ()
    """Why it is not `pass`, and what to do."""
    made: datetime
    phrases: tuple[Phrase, ...]
    missing: tuple[Missing, ...] = ()
    """Beyond the phrases: items that follow from them."""
    proofs: tuple[CriterionProof, ...]
    reports: tuple[Report, ...]
    scores: tuple[ScoreRow, ...] = ()
    files: int
    lines: int
    deployment: tuple[Fact, ...] = ()
    screenshots: tuple[Screenshot, ...] = ()
    run: tuple[Step, ...]
    provenance: tuple[Fact, ...]
    specialists: tuple[Specialist, ...] = ()
    """Where models were asked: who worked on it."""
    versions: dict[str, str] = {}
    seconds: tuple[tuple[str, float], ...] = ()
    """Stage title and seconds, in order."""


class Segment(NamedTuple):
    """A stretch of the request's text, with what became of it; None between phrases."""

    text: str
    phrase: Phrase | None


def render(context: ReportContext) -> str:
    """The page as HTML. The same context gives the same page."""
    template = _environment().get_template("report.html.jinja")
    proofs = {proof.id: proof for proof in context.proofs}
    return template.render(
        c=context,
        spec=context.spec,
        segments=tuple(_segments(context)),
        not_delivered=_not_delivered(context),
        criteria=[(criterion, proofs.get(criterion.id)) for criterion in context.spec.criteria],
        results=[result for report in context.reports for result in report.results],
        isolation=_isolation(context.reports),
        overall=_overall(context.scores),
        figures=tuple(_figures(context)),
        unknown=tuple(_unknown(context.reports)),
    )


def _segments(context: ReportContext) -> Iterator[Segment]:
    """The request's text, whole and in order, cut at the borders of its phrases."""
    text, at = context.spec.request.text, 0
    phrases = {phrase.part: phrase for phrase in context.phrases}
    for part in sorted(context.spec.parts, key=lambda part: part.start):
        if part.start > at:
            yield Segment(text[at : part.start], None)
        yield Segment(text[max(part.start, at) : part.end], phrases.get(part.id))
        at = max(at, part.end)
    if at < len(text):
        yield Segment(text[at:], None)


def _not_delivered(context: ReportContext) -> tuple[Missing, ...]:
    """Phrases first, in the words of the request; then what follows from them."""
    from_phrases = tuple(
        Missing(what=f"“{phrase.text}”", why=phrase.why, waived=phrase.outcome == "waived")
        for phrase in context.phrases
        if phrase.outcome in {"not-delivered", "waived"}
    )
    return tuple(sorted(from_phrases + context.missing, key=lambda one: one.waived))


def _isolation(reports: tuple[Report, ...]) -> str:
    """The weakest isolation that code of this run was run in."""
    order = ("none", "reduced", "full")
    return min((report.isolation for report in reports), key=order.index, default="none")


def _unknown(reports: tuple[Report, ...]) -> Iterator[str]:
    """The checks that should have told something and could not."""
    for result in (result for report in reports for result in report.results):
        if result.status in {Status.INCOMPLETE, Status.ERROR}:
            yield f"{result.title[0].lower()}{result.title[1:]}"


def _overall(scores: tuple[ScoreRow, ...]) -> float | None:
    known = [row.score for row in scores if row.score is not None]
    return sum(known) / len(known) if known else None


def _figures(context: ReportContext) -> Iterator[tuple[str, str]]:
    """The few numbers beneath the verdict."""
    passed = sum(proof.result == "passed" for proof in context.proofs)
    yield f"{passed} of {len(context.spec.criteria)}", "acceptance criteria shown by tests"
    results = [result for report in context.reports for result in report.results if result.status != "skipped"]
    yield f"{sum(result.status == 'pass' for result in results)} of {len(results)}", "checks passed"
    metrics = {name: value for result in results for name, value in result.metrics.items()}
    if "coverage.branch" in metrics:
        yield f"{metrics['coverage.branch']:.0f} %", "of the branches in the code run in tests"
    overall = _overall(context.scores)
    if overall is not None:
        yield f"{overall:.1f} of 10", "on the scorecard"
    yield f"{context.lines:,}", f"lines in {context.files:,} files"
    yield wording.duration(sum(seconds for _, seconds in context.seconds)), "from request to result"


def _data_uri(shot: Screenshot) -> str:
    return f"data:{shot.media_type};base64,{base64.b64encode(shot.data).decode()}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("omni.delivery", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "data_uri": _data_uri,
        "duration": wording.duration,
        "field_kind": wording.field_kind,
        "field_limits": wording.field_limits,
        "findings": wording.findings,
        "relation": wording.relation,
        "start_small": wording.start_small,
        "words": wording.words,
    }
    environment.globals |= {
        "headline": wording.HEADLINE,
        "ownership": wording.OWNERSHIP,
        "isolation_says": wording.ISOLATION,
        "outcome_says": wording.OUTCOME,
        "status_says": wording.STATUS,
        "tier_says": wording.TIER,
    }
    return environment
