"""The ten-dimension scorecard, evidence first: each score cites what it comes from, or says "not assessed".

Where a model judged too, its scores stand beside (`omni.review.judge`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from omni.verify.report import CheckResult, Finding, Report, Severity, Status

PENALTY = {Severity.ERROR: 3.0, Severity.WARNING: 0.5, Severity.NOTE: 0.1}
"""Points that a finding costs, of 10."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Measure(Model):
    """A metric of a check, mapped linearly: `zero` scores 0, `full` scores 10."""

    metric: str
    zero: float
    full: float


class Dimension(Model):
    """What a dimension is judged by. Declared in `dimensions.toml`."""

    title: str
    checks: tuple[str, ...] = ()
    """Ids of checks; `id/rule-prefix` takes only the findings of such rules."""
    measures: tuple[Measure, ...] = ()


class Evidence(Model):
    source: str
    """A check or a metric."""
    says: str
    findings: tuple[str, ...] = ()
    """`path:line rule`, at most ten."""


class Judged(Model):
    """What a model thinks of a dimension."""

    score: float
    because: str
    cites: tuple[str, ...]
    """`path:line` of what it quoted; each was looked up."""
    model: str
    review: str
    """design, code or security."""
    independent: bool
    """Whether it is another model than the authors."""


class Score(Model):
    dimension: str
    title: str
    score: float | None
    """0 to 10; None: not assessed, for want of evidence."""
    evidence: tuple[Evidence, ...]
    measured: float | None = None
    """What the evidence alone gave, where a model judged too; the lower of the two counts."""
    judged: Judged | None = None
    disagreement: float = 0.0
    """Points between evidence and judge, when they are many."""


class Scorecard(Model):
    scores: tuple[Score, ...]
    judge: Literal["evidence", "evidence and models"] = "evidence"
    """Who judged. By evidence alone: every point comes from a check that ran."""
    models: tuple[str, ...] = ()
    """Which models judged."""
    independent: bool | None = None
    """Whether each judge is another model than the authors; false too where there was none. None: no model wrote."""
    dropped: int = 0
    """Claims of models that did not count, since they cited nothing, or something that is not there."""
    author: float | None = None
    """What the author thought of its own work, 0 to 10, before anybody else did."""

    @property
    def overall(self) -> float:
        """Mean of the assessed dimensions, 0 when there is none."""
        known = [score.score for score in self.scores if score.score is not None]
        return round(sum(known) / len(known), 2) if known else 0.0

    @property
    def overrated(self) -> float | None:
        """Points that the author gave itself beyond what the review gave; negative: it was too modest."""
        return None if self.author is None else round(self.author - self.overall, 2)


@cache
def dimensions() -> dict[str, Dimension]:
    data = tomllib.loads(files("omni.review").joinpath("dimensions.toml").read_text())
    return TypeAdapter(dict[str, Dimension]).validate_python(data)


def score(reports: Sequence[Report], measured: Mapping[str, float]) -> Scorecard:
    """The scorecard of a project from what verification found, and what was measured where it ran."""
    results = {result.check: result for report in reports for result in report.results}
    metrics = {name: value for result in results.values() for name, value in result.metrics.items()} | dict(measured)
    return Scorecard(scores=tuple(_score(name, each, results, metrics) for name, each in dimensions().items()))


def _score(name: str, dimension: Dimension, results: Mapping[str, CheckResult], metrics: Mapping[str, float]) -> Score:
    points: list[float] = []
    evidence: list[Evidence] = []
    penalty, ran = 0.0, False
    for wanted in dimension.checks:
        check, _, rules = wanted.partition("/")
        result = results.get(check)
        if result is None or result.status not in {Status.PASS, Status.FAIL}:
            continue
        ran = True
        found = [finding for finding in result.findings if finding.rule.startswith(rules)]
        penalty += sum(PENALTY[finding.severity] for finding in found)
        evidence.append(_cite(wanted, result, found))
    if ran:
        points.append(max(0.0, 10.0 - penalty))
    for measure in dimension.measures:
        if measure.metric in metrics:
            value = metrics[measure.metric]
            share = (value - measure.zero) / (measure.full - measure.zero)
            points.append(10.0 * min(1.0, max(0.0, share)))
            evidence.append(Evidence(source=measure.metric, says=f"{value:g} (full marks at {measure.full:g})"))
    return Score(
        dimension=name,
        title=dimension.title,
        score=round(min(points), 2) if points else None,
        evidence=tuple(evidence),
    )


def _cite(source: str, result: CheckResult, found: Sequence[Finding]) -> Evidence:
    seen = f"{result.coverage.seen} {'file' if result.coverage.seen == 1 else 'files'}"
    against = f"{len(found)} {'finding speaks' if len(found) == 1 else 'findings speak'} against it"
    says = f"“{result.title}”: {against if found else 'nothing speaks against it'}, in {seen}"
    return Evidence(
        source=source,
        says=says,
        findings=tuple(f"{finding.path}:{finding.line or 0} {finding.rule}" for finding in found[:10]),
    )
