"""Scores are kept and found again, on each kind of database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from omni.kernel import events
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.pipeline.scoring import CHECKS, Scored, _keep, score_of, scores
from omni.review.scorecard import Score, Scorecard
from omni.verify.registry import checks


def scored(name: str, project: str, points: float | None) -> Scored:
    card = Scorecard(scores=(Score(dimension="security", title="Security", score=points, evidence=()),))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Scored(id=name, at=at, project=project, code="", overall=card.overall, scorecard=card)


def test_scores_are_listed_over_time(settings: Settings, engine: Engine) -> None:
    made = [scored("1", "shop", 4), scored("2", "other", None), scored("3", "shop", 9)]
    for each in made:
        _keep(each, settings, engine)
    events.append(engine, "", "something.else", {"project": "shop"})
    assert [(each.id, each.overall, each.scores) for each in scores(engine, "shop")] == [
        ("3", 9.0, {"security": 9.0}),
        ("1", 4.0, {"security": 4.0}),
    ]
    assert [each.id for each in scores(engine)] == ["3", "2", "1"]
    assert [each.id for each in scores(engine, limit=1)] == ["3"]
    assert score_of(settings, engine, "2") == made[1]
    with pytest.raises(OmniError, match="There is no such score: shop"):
        score_of(settings, engine, "shop")


def test_only_checks_that_there_are_judge() -> None:
    assert set(CHECKS) <= {check.id for check in checks()}
