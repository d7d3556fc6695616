"""How a run stands, in one record: what every face shows when it is over."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine

from omni.agents.limits import spent
from omni.agents.log import SessionLog, is_part, sessions
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.pipeline.approvals import decided, question
from omni.pipeline.change.handoffs import HandOverHandoff
from omni.pipeline.change.new_service import PlaceHandoff
from omni.pipeline.handoffs import (
    Handoff,
    ImplementationHandoff,
    PackageHandoff,
    ReviewHandoff,
    SpecificationHandoff,
    VerificationHandoff,
)
from omni.pipeline.run import StageRecord, handoff_of, load, stage_records
from omni.pipeline.verification import STAGES
from omni.spec.model import Specification
from omni.verify.report import Report

H = TypeVar("H", bound=Handoff)


class ChangeSummary(BaseModel):
    """What came of a change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    branch: str
    """In the repository; empty when it was not proved, and nothing was handed over."""
    folder: str
    """Where the patch and the report are."""
    files: int
    added: int
    removed: int
    """Lines."""
    before: str
    after: str
    """What the whole suite said, as `12 passed, 1 failed`."""
    green: tuple[str, ...]
    """New tests that failed before, and pass."""


class Placed(BaseModel):
    """Where a new service lies in a repository."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    branch: str
    folder: str


class Summary(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    status: str
    verdict: str
    out: str = ""
    """The package; empty while there is none."""
    template: str = ""
    domain: str = ""
    seconds: float
    """Of machine time, over all stages."""
    files: int = 0
    lines: int = 0
    tests: int = 0
    coverage: float | None = None
    """Branch coverage of the app's tests, per cent."""
    score: float | None = None
    """Of the scorecard, 0 to 10."""
    models: tuple[str, ...] = ()
    """Who wrote code, as `provider/model`; none: a template alone."""
    turns: int = 0
    """Answers of models."""
    tokens: int = 0
    """That models took, of questions and answers together."""
    cached: float = 0.0
    """Share of the questions' tokens that the servers had at hand, 0 to 1."""
    assumptions: tuple[str, ...] = ()
    not_delivered: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """Who said no, and why the stages that did not pass did not, verification first."""
    change: ChangeSummary | None = None
    """Of a change of a repository."""
    placed: Placed | None = None
    """Of a new service in a repository."""
    waits_at: str = ""
    """The gate at which a person has to decide; empty when it waits for nobody."""


def summarize(settings: Settings, engine: Engine, run_id: str) -> Summary:
    """The summary of a run as it is now. Raises OmniError when there is no such run."""
    run, store = load(engine, run_id), ArtifactStore(settings.home / "artifacts")
    stages = stage_records(engine, run.id)

    def newest(kind: type[H], stage: str) -> H | None:
        try:
            return kind.model_validate_json(store.get(handoff_of(engine, run.id, stage)))
        except KeyError:
            return None

    facts: dict[str, object] = {}
    if specified := newest(SpecificationHandoff, "specification"):
        spec = Specification.model_validate_json(store.get(specified.spec))
        facts |= {"template": spec.template, "domain": spec.domain}
        facts["assumptions"] = tuple(assumption.text for assumption in spec.assumptions)
    if built := newest(ImplementationHandoff, "implementation"):
        facts |= {"files": built.files, "lines": built.lines, "models": built.models}
        facts |= _asked(engine, run.id) if built.models else {}
    if tested := newest(VerificationHandoff, "fast"):
        metrics = _metrics(Report.model_validate_json(store.get(tested.report)))
        facts |= {"tests": int(metrics.get("tests.passed", 0)), "coverage": metrics.get("coverage.branch")}
    if review := newest(ReviewHandoff, "review"):
        facts |= {"score": review.score, "not_delivered": review.not_delivered}
    if package := newest(PackageHandoff, "package"):
        facts["out"] = package.out
    if handed := newest(HandOverHandoff, "hand-over"):
        facts |= {"change": _change(handed), "models": handed.models, **_asked(engine, run.id)}
    if placed := newest(PlaceHandoff, "place"):
        facts["placed"] = Placed(branch=placed.branch, folder=placed.folder)
    said_no = [one for one in decided(engine, run.id) if one.decision in {"rejected", "expired"}]
    facts["reasons"] = (
        *(f"{one.gate}: {one.decision} by {one.by or 'nobody'}: {one.reason}" for one in said_no),
        *(handed.reasons if handed else (reason for stage in _failed(stages) for reason in _reasons(store, stage))),
        *filter(None, (review.unjudged if review else "",)),
    )
    if asked := question(engine, run.id):
        facts["waits_at"] = asked.gate
    seconds = round(sum(stage.seconds for stage in stages), 1)
    return Summary.model_validate(
        {"run": run.id, "status": run.status, "verdict": run.verdict, "seconds": seconds, **facts}
    )


def _change(handed: HandOverHandoff) -> ChangeSummary:
    return ChangeSummary(
        kind=handed.kind,
        branch=handed.branch,
        folder=handed.folder,
        files=len(handed.files),
        added=sum(each.added for each in handed.files),
        removed=sum(each.removed for each in handed.files),
        before=handed.before,
        after=handed.after,
        green=handed.green,
    )


def _asked(engine: Engine, run_id: str) -> dict[str, object]:
    """What models were asked for this run, by the logs of its sessions."""
    found = [session for session in sessions(engine, run_id) if not is_part(session)]
    used = [spent(SessionLog(engine, session).lines()) for session in found]
    prompt, cached = sum(one.usage.prompt for one in used), sum(one.usage.cached for one in used)
    return {
        "turns": sum(one.steps for one in used),
        "tokens": sum(one.usage.total for one in used),
        "cached": round(cached / prompt, 3) if prompt else 0.0,
    }


def _failed(stages: list[StageRecord]) -> list[StageRecord]:
    """The newest try of every stage, where it failed; verification first."""
    newest = {stage.name: stage for stage in stages}
    failed = [stage for stage in newest.values() if stage.status == "failed"]
    return sorted(failed, key=lambda stage: stage.name not in STAGES.values())


def _reasons(store: ArtifactStore, stage: StageRecord) -> tuple[str, ...]:
    reasons: list[str] = json.loads(store.get(stage.output))["reasons"]
    return tuple(reasons)


def _metrics(report: Report) -> dict[str, float]:
    return {name: value for result in report.results for name, value in result.metrics.items()}
