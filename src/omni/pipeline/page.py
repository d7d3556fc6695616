"""What the report page shows, gathered from the handoffs of a run."""

from __future__ import annotations

from typing import Literal

from omni import __version__
from omni.delivery.deployment import Deployment
from omni.delivery.provenance import key_id
from omni.delivery.report_page import (
    CriterionProof,
    Fact,
    Missing,
    Phrase,
    ReportContext,
    ScoreRow,
    Screenshot,
    Specialist,
    Step,
)
from omni.kernel.signing import Signer
from omni.pipeline.deployment import Pictures, facts
from omni.pipeline.handoffs import (
    DeploymentHandoff,
    ImplementationHandoff,
    PostDeployHandoff,
    ReviewHandoff,
    SpecificationHandoff,
    VerificationHandoff,
)
from omni.pipeline.run import stage_records
from omni.pipeline.stage import H, Work
from omni.pipeline.verification import STAGES, criteria_shown, reports
from omni.review.account import Account
from omni.review.scorecard import Scorecard


def verdict(work: Work) -> Literal["pass", "fail", "incomplete"]:
    """`pass` when every tier, the review and the deployment let it through, and somebody could judge it.

    `incomplete` when nobody could judge it, or when it was stopped by nothing but what could not be looked at.
    """
    review = newest(work, ReviewHandoff, "review")
    deployed = (newest(work, DeploymentHandoff, "deployment"), newest(work, PostDeployHandoff, "post-deploy"))
    deciding = (*_verification(work), review, *deployed)
    if all(handoff and handoff.passed for handoff in deciding):
        return "incomplete" if review and review.unjudged else "pass"
    stopped = [handoff for handoff in deciding if handoff and not handoff.passed]
    unknown = [each for each in stopped if isinstance(each, VerificationHandoff) and each.verdict == "incomplete"]
    return "incomplete" if stopped and unknown == stopped else "fail"


def context(work: Work) -> ReportContext:
    """Everything that the page shows of this run."""
    implementation = work.handoff(ImplementationHandoff, "implementation")
    review = work.handoff(ReviewHandoff, "review")
    account = work.read(Account, review.account)
    found = reports(work)
    deployed = newest(work, DeploymentHandoff, "deployment")
    after = newest(work, PostDeployHandoff, "post-deploy")
    scorecard = work.read(Scorecard, after.scorecard if after else review.scorecard)
    stopped = [handoff for handoff in (*_verification(work), review, deployed, after) if handoff and not handoff.passed]
    return ReportContext(
        spec=work.spec(),
        verdict=verdict(work),
        reasons=(
            *(reason for handoff in stopped for reason in handoff.reasons),
            *filter(None, (review.unjudged,)),
        ),
        made=work.run.created_at,
        phrases=tuple(Phrase.model_validate(row.model_dump()) for row in account.rows),
        missing=_missing(work, implementation, account),
        proofs=_proofs(work, implementation, criteria_shown(found)),
        reports=found,
        scores=tuple(ScoreRow.model_validate(score.model_dump()) for score in scorecard.scores),
        files=implementation.files,
        lines=implementation.lines,
        deployment=facts(work.read(Deployment, deployed.deployment)) if deployed else (),
        screenshots=_screenshots(work, after),
        run=(
            Step(title="Run it", command="git clone app my-app && cd my-app && make run"),
            Step(title="Test it", command="cd my-app && make test"),
            Step(
                title="Check this package",
                command=f"omni package verify . --signed-by {_signer(work)}",
            ),
        ),
        provenance=(*_provenance(work, implementation, deployed), *_reviewers(scorecard)),
        specialists=_specialists(work),
        versions={"omni": __version__, "template": work.spec().template},
        seconds=tuple(
            (record.name, record.seconds) for record in stage_records(work.engine, work.run.id) if record.ended_at
        ),
    )


def _signer(work: Work) -> str:
    return key_id(Signer.load(work.settings.home).public_key_pem)


def newest(work: Work, kind: type[H], stage: str) -> H | None:
    """The newest handoff of a stage; None when it has not run."""
    try:
        return work.handoff(kind, stage)
    except KeyError:
        return None


def _verification(work: Work) -> tuple[VerificationHandoff | None, ...]:
    return tuple(newest(work, VerificationHandoff, stage) for stage in STAGES.values())


def _missing(work: Work, implementation: ImplementationHandoff, account: Account) -> tuple[Missing, ...]:
    """What the template could not do, beyond the phrases that say so themselves."""
    told = {item for row in account.not_delivered for item in (*row.items, *row.criteria)}
    criteria = {criterion.id for criterion in work.spec().criteria}
    return tuple(
        Missing(what=item, why=why)
        for item, why in implementation.undelivered.items()
        if item not in told and item not in criteria
    )


def _proofs(work: Work, implementation: ImplementationHandoff, shown: dict[str, bool]) -> tuple[CriterionProof, ...]:
    results: dict[bool | None, Literal["passed", "failed", "not run"]] = {True: "passed", False: "failed"}
    return tuple(
        CriterionProof(
            id=criterion.id,
            result=results.get(shown.get(criterion.id), "not run"),
            tests=implementation.trace.get(criterion.id, ()),
        )
        for criterion in work.spec().criteria
    )


def _screenshots(work: Work, after: PostDeployHandoff | None) -> tuple[Screenshot, ...]:
    if after is None or not after.pictures:
        return ()
    return tuple(
        Screenshot(
            title=picture.title,
            alt=picture.alt,
            media_type="image/png",
            data=work.store.get(picture.digest),
            narrow=picture.narrow,
        )
        for picture in work.read(Pictures, after.pictures).pictures
    )


def _reviewers(scorecard: Scorecard) -> tuple[Fact, ...]:
    """Who judged what a model wrote; nothing to say where none wrote."""
    if scorecard.independent is None:
        return ()
    others = ", ".join(scorecard.models) or "nobody: there is no other model, and none approves its own work"
    return (Fact(label="Reviewed by", value=others, ok=scorecard.independent),)


def _specialists(work: Work) -> tuple[Specialist, ...]:
    if not work.run.options.model:
        return ()
    from omni.pipeline.credits import specialists  # what asks models takes time to load, and most builds ask none

    return specialists(work.settings, work.engine, work.run.id)


def _provenance(
    work: Work, implementation: ImplementationHandoff, deployed: DeploymentHandoff | None
) -> tuple[Fact, ...]:
    rows = [
        Fact(label="Run", value=work.run.id),
        Fact(label="Commit", value=implementation.commit),
        Fact(label="Specification", value=work.handoff(SpecificationHandoff, "specification").spec),
        Fact(label="Model", value=", ".join(implementation.models) or "none: rendered from a template"),
        Fact(label="Signed by", value=_signer(work)),
    ]
    if deployed:
        rows.append(Fact(label="Source archive", value=deployed.archive))
    return tuple(rows)
