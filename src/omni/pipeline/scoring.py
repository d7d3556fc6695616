"""Code and its specification in, a score for each dimension out: the scorecard of a run, for code of anybody.

Every score is kept: its document as an artifact, its figures as an event, so that they can be listed over time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Engine, select

from omni.agents.roles import asker, load_role
from omni.kernel import clock, events
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.canonical import JsonValue, digest
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.ids import uuid7
from omni.kernel.settings import Settings
from omni.kernel.tables import events as event_rows
from omni.models.wire import Attribution, Chat
from omni.review.citation import material, patch
from omni.review.independence import barred, impartial
from omni.review.judge import Review, combine, judge
from omni.review.scorecard import Scorecard, dimensions, score
from omni.verify.config import ProjectConfig
from omni.verify.engine import verify
from omni.verify.plan import Options

BAD_CODE = declare("R002", "This can't be scored", Exit.USAGE, "Send `files` as path and text, within the project.")
NO_SCORE = declare("R003", "There is no such score", Exit.USAGE, "List them: GET /v1/scores")

KIND = "score.given"
CHECKS = tuple(sorted({each.partition("/")[0] for dimension in dimensions().values() for each in dimension.checks}))
"""Those that a dimension is judged by; no others are run."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Submission(Model):
    files: Annotated[dict[str, str], Field(min_length=1, max_length=2000)]
    """Path → text."""
    spec: str = ""
    """What the code should do; a judge holds it against that."""
    project: Name = "code"
    """Under this name scores are listed together."""
    authors: tuple[str, ...] = ()
    """Models that wrote it, as `provider/model`: another one judges, if there is one."""


class Scored(Model):
    id: str
    at: datetime
    project: str
    code: str
    """SHA-256 of what was sent."""
    overall: float
    scorecard: Scorecard
    review: tuple[Review, ...] = ()
    """What a model said; none: no model was asked, or `missing` says why it could not judge."""
    patch: str = ""
    """The mends of the review that can be applied, as one unified diff."""
    missing: dict[str, str] = Field(default_factory=dict)
    """What was left out of the judgement → why: a check that could not run, a file that was too large, a judge."""


class Listed(Model):
    """A score in a list: the figures alone. None: not assessed."""

    id: str
    at: datetime
    project: str
    overall: float
    scores: dict[str, float | None]


def score_code(
    sent: Submission, settings: Settings, engine: Engine, chat: Chat | None, say: Callable[[str], None] = lambda _: None
) -> Scored:
    """Score it and keep the score. `chat`: None where no model is enabled. Raises `R002`."""
    with tempfile.TemporaryDirectory(prefix="omni-score-") as folder:
        _write(Path(folder), sent.files)
        # Its own omni.toml says nothing here: whoever sends code does not choose how strictly it is judged.
        report = verify(Path(folder), Options(only=CHECKS, config=ProjectConfig()), settings)
    missing = {each.check: each.reason for each in report.results if each.status in {"incomplete", "error"}}
    card = score((report,), {})
    shown = material(sent.files)
    reviews: tuple[Review, ...] = ()
    made = uuid7()
    if chat is not None:
        who = asker(
            load_role("reviewer"),
            impartial(chat),
            Attribution(run=made, stage="score", project=sent.project, call="score"),
            not_models=barred(sent.authors),
        )
        try:
            reviews = (judge(who, "code", shown, sent.spec, sent.authors),)
        except OmniError as problem:
            say(str(problem))
            missing["judge"] = str(problem)
    card = combine(card, reviews)
    scored = Scored(
        id=made,
        at=clock.now(),
        project=sent.project,
        code=digest(sent.model_dump(mode="json")),
        overall=card.overall,
        scorecard=card,
        review=reviews,
        patch="".join(patch(review.remarks, shown.files) for review in reviews),
        missing=missing | dict(shown.left_out),
    )
    _keep(scored, settings, engine)
    return scored


def scores(engine: Engine, project: str = "", limit: int = 100) -> tuple[Listed, ...]:
    """The newest first; of one project, or of all."""
    query = select(event_rows).where(event_rows.c.kind == KIND).order_by(event_rows.c.id.desc()).limit(limit)
    if project:
        query = query.where(event_rows.c.data["project"].as_string() == project)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return tuple(
        Listed.model_validate({"at": row.at, **{k: v for k, v in row.data.items() if k != "document"}}) for row in rows
    )


def score_of(settings: Settings, engine: Engine, score_id: str) -> Scored:
    """The whole document. Raises `R003`."""
    query = select(event_rows.c.data).where(event_rows.c.kind == KIND, event_rows.c.data["id"].as_string() == score_id)
    with engine.connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise OmniError(NO_SCORE, score_id[:60])
    return Scored.model_validate_json(_store(settings).get(row.data["document"]))


def _keep(scored: Scored, settings: Settings, engine: Engine) -> None:
    document = _store(settings).put(scored.model_dump_json().encode())
    figures: dict[str, JsonValue] = {
        "id": scored.id,
        "project": scored.project,
        "overall": scored.overall,
        "scores": {each.dimension: each.score for each in scored.scorecard.scores},
        "document": document,
    }
    events.append(engine, "", KIND, figures)


def _store(settings: Settings) -> ArtifactStore:
    return ArtifactStore(settings.home / "artifacts")


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        place = root / name
        parts = Path(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\0" in name:
            raise OmniError(BAD_CODE, f"{name[:100]!r} leads out of the project")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8")
        except (OSError, UnicodeEncodeError) as problem:
            raise OmniError(BAD_CODE, f"{name[:100]!r}: {problem}") from problem
