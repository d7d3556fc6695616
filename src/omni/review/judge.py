"""Judgement by a model beside the evidence: ten dimensions, each score with lines of the material that show it.

A model can lower a score by what it cites, and give one where no check could; it never raises what a check gave. One
that judges its own work can only lower.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from omni.models.typed import Asker, Document, quoted
from omni.review.citation import Citation, Dropped, Line, Material, Model, Remark, checked
from omni.review.independence import independent
from omni.review.scorecard import Judged, Score, Scorecard, dimensions

DISAGREEMENT = 2.0
"""Points between evidence and judge from which the scorecard says that they disagree."""


class DimensionScore(Model):
    dimension: str
    score: Annotated[float, Field(ge=0, le=10)]
    because: Line
    cites: tuple[Citation, ...]


class Judgement(Document):
    """A review: a score for each dimension that the material tells something about, and what should be otherwise."""

    feedback: Line
    """To the author, in plain sentences."""
    scores: tuple[DimensionScore, ...]
    remarks: tuple[Remark, ...] = ()


class Review(Model):
    """A judgement after its citations were checked."""

    title: Literal["design", "code", "security"]
    model: str
    """Who judged."""
    independent: bool
    """Whether the judge is another model than every author; a model does not approve its own work."""
    feedback: str
    scores: tuple[DimensionScore, ...]
    remarks: tuple[Remark, ...]
    dropped: tuple[Dropped, ...] = ()
    """Scores and remarks without a citation that holds."""
    looked_at: tuple[str, ...]
    left_out: dict[str, str] = Field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        return round(sum(s.score for s in self.scores) / len(self.scores), 2) if self.scores else None


TASKS: dict[Literal["design", "code", "security"], str] = {
    "design": "Review this design before there is any code. Name the decision that each fault comes from.",
    "code": "Review this code against its specification, in every dimension that it tells something about.",
    "security": "Review the threat surface: every place where something from outside comes in. Hold it against the "
    "threat model; score the dimension security, and others only where they bear on it.",
}


def judge(
    who: Asker,
    title: Literal["design", "code", "security"],
    shown: Material,
    specification: str,
    authors: Collection[str] = (),
    extra: str = "",
) -> Review:
    """Ask for a judgement and check what it cites. `authors`: ids of the models that made what is judged.

    `extra` is further material: a threat model, what changed, the findings of checks. Raises like `Asker.ask`.
    """
    ask = "\n\n".join(
        part
        for part in (
            quoted("specification", specification) if specification else "",
            extra,
            shown.shown(),
            f"Dimensions: {', '.join(dimensions())}.",
            f"Your task: {TASKS[title]}",
        )
        if part
    )
    answer = who.ask(Judgement, ask, _unknown, name=title)
    said, dropped = hold(answer.document, shown.files)
    return Review(
        title=title,
        model=answer.model,
        independent=independent(answer.model, authors),
        feedback=said.feedback,
        scores=said.scores,
        remarks=said.remarks,
        dropped=dropped,
        looked_at=tuple(shown.files),
        left_out=dict(shown.left_out),
    )


def hold(said: Judgement, files: Mapping[str, str]) -> tuple[Judgement, tuple[Dropped, ...]]:
    """What of a judgement holds: scores with a citation that is right, remarks likewise; and what was dropped."""
    kept, dropped = [], []
    for each in said.scores:
        cites, wrong = checked(each.cites, files)
        if cites:
            kept.append(each.model_copy(update={"cites": cites}))
        else:
            why = wrong[0].why if wrong else "it cites nothing"
            dropped.append(Dropped(claim=f"{each.dimension} {each.score:g}: {each.because}"[:300], why=why))
    remarks, wrong = checked(said.remarks, files)
    return said.model_copy(update={"scores": tuple(kept), "remarks": remarks}), (*dropped, *wrong)


def combine(evidence: Scorecard, reviews: Sequence[Review]) -> Scorecard:
    """The scorecard with the judges' scores beside the evidence: the lower one counts, and disagreement is shown."""
    if not reviews:
        return evidence
    judged: dict[str, Judged] = {}
    for review in reviews:
        for each in review.scores:
            before = judged.get(each.dimension)
            if before is None or each.score < before.score:
                cites = tuple(f"{cite.path}:{cite.line}" for cite in each.cites)
                judged[each.dimension] = Judged(
                    score=each.score,
                    because=each.because,
                    cites=cites,
                    model=review.model,
                    review=review.title,
                    independent=review.independent,
                )
    return evidence.model_copy(
        update={
            "scores": tuple(_joined(score, judged.get(score.dimension)) for score in evidence.scores),
            "judge": "evidence and models",
            "models": tuple(dict.fromkeys(review.model for review in reviews)),
            "independent": all(review.independent for review in reviews),
            "dropped": sum(len(review.dropped) for review in reviews),
        }
    )


def _joined(score: Score, judged: Judged | None) -> Score:
    if judged is None:
        return score
    if score.score is None:
        return score.model_copy(update={"score": judged.score if judged.independent else None, "judged": judged})
    apart = round(abs(score.score - judged.score), 2)
    return score.model_copy(
        update={
            "score": min(score.score, judged.score),
            "measured": score.score,
            "judged": judged,
            "disagreement": apart if apart >= DISAGREEMENT else 0.0,
        }
    )


def _unknown(judgement: Judgement) -> str:
    names = [each.dimension for each in judgement.scores]
    unknown = sorted(set(names) - set(dimensions()))
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f"there is no dimension {', '.join(unknown)}"] if unknown else []
    problems += [f"{', '.join(twice)} is scored twice"] if twice else []
    return "; ".join(problems)
