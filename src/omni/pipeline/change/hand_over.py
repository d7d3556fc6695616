"""The end of a change: a branch if it was proved, and in any case a patch, the pages and what was tried."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from omni.kernel.files import write_atomic
from omni.pipeline.change import checkout
from omni.pipeline.change.asked import STEP, edited, kind_of, newest, proved, source_of, start, steps_of
from omni.pipeline.change.handoffs import (
    BaselineHandoff,
    ComprehensionHandoff,
    EditHandoff,
    HandOverHandoff,
    JudgedHandoff,
    PlanHandoff,
    ProofHandoff,
    RedHandoff,
    StepHandoff,
)
from omni.pipeline.change.judging import ChangeReview, authors_of, testers_of
from omni.pipeline.change.report import Account, Attempt, page
from omni.pipeline.change.suite import Suite
from omni.pipeline.run import stage_records
from omni.pipeline.stage import Work


def hand_over(work: Work) -> HandOverHandoff:
    """Leave the branch in the repository and everything else in a folder. Done again after a kill, it is the same."""
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    proof, judged = proved(work) or newest(work, ProofHandoff, "proof"), newest(work, JudgedHandoff, "change-review")
    holds = proof is not None and proof.passed and not (judged and judged.shown)
    tip = proof.commit if proof and proof.passed else _tip(work)
    branch, source = "", source_of(work)
    if holds and tip != base:
        branch = checkout.hand_over(work.workspace, source, base, tip, checkout.branch_name(work.run.request))
    commits = tuple(work.workspace.git("rev-list", "--reverse", f"{base}..{tip}").split())
    folder = Path(work.run.options.out) if work.run.options.out else work.folder / "change"
    reasons = _reasons(work, judged) if holds else _stopped(work)
    made = HandOverHandoff(
        passed=not reasons,
        reasons=reasons,
        kind=kind_of(work),
        branch=branch,
        commits=commits if branch else (),
        folder=str(folder),
        patch=work.store.put(checkout.patch(work.workspace, base, tip).encode()),
        files=checkout.changed(work.workspace, base, tip),
        before=_told(work, newest(work, BaselineHandoff, "baseline")),
        after=_told(work, proof),
        not_compared=proof.not_compared if proof else (),
        green=proof.green if proof else (),
        models=_models(work),
        review=judged.record if judged else "",
        verdict=_verdict(work, reasons, holds=holds),
    )
    _write(work, folder, base, made)
    return made


def _tip(work: Work) -> str:
    """The newest commit that there is: of the change, else of the last step that stands, of the test, or none."""
    made = edited(work)
    return made.commit if made else start(work)


def _verdict(work: Work, reasons: tuple[str, ...], *, holds: bool) -> Literal["pass", "fail", "incomplete"]:
    """What holds and is not agreed upon is incomplete: a person decides, with the branch before them."""
    if holds:
        return "incomplete" if reasons else "pass"
    before = newest(work, BaselineHandoff, "baseline")
    return "fail" if before and before.passed else "incomplete"


def _reasons(work: Work, judged: JudgedHandoff | None) -> tuple[str, ...]:
    """What is still against a change that was proved: what is left of it, what others say, or that nobody does."""
    released = newest(work, StepHandoff, f"{STEP}last")
    left = released.reasons if released else ()
    proof = proved(work)
    last = newest(work, ProofHandoff, "proof")
    failed = last.reasons if last and not last.passed else ()
    unseen = tuple(f"verification saw it before and not after: {each}" for each in (proof.lost if proof else ()))
    return (
        *left,
        *failed,
        *unseen,
        *(judged.reasons if judged else ()),
        *filter(None, (judged.unjudged if judged else "",)),
    )


def _stopped(work: Work) -> tuple[str, ...]:
    """Why it was not handed over: the first stage whose last try did not pass."""
    stopped = (
        newest(work, BaselineHandoff, "baseline"),
        newest(work, RedHandoff, "test-first"),
        newest(work, PlanHandoff, "plan"),
        newest(work, JudgedHandoff, "change-review"),
        newest(work, ProofHandoff, "proof") or newest(work, EditHandoff, "change"),
        *dict(steps_of(work)).values(),  # one that could not be made stops only if none could
    )
    return next((each.reasons for each in stopped if each and not each.passed), ())


def _models(work: Work) -> tuple[str, ...]:
    return tuple(sorted({*authors_of(work), *testers_of(work)}))


def _told(work: Work, of: BaselineHandoff | ProofHandoff | None) -> str:
    return work.read(Suite, of.suite).told if of else ""


def _write(work: Work, folder: Path, base: str, made: HandOverHandoff) -> None:
    understood = work.handoff(ComprehensionHandoff, "comprehension")
    first = newest(work, RedHandoff, "test-first")
    titles = {name: f"{name} {step.path}".strip() for name, step in steps_of(work)}
    account = Account(
        request=work.run.request,
        run=work.run.id,
        repository=source_of(work).name,
        base=base,
        handed=made,
        review=work.read(ChangeReview, made.review) if made.review else None,
        fails_before=first.why if first else {},
        summary=_summary(work),
        attempts=tuple(
            Attempt(
                stage=titles.get(each.name, each.name),
                attempt=each.attempt,
                status=each.status,
                reasons=_said(work, each.output),
            )
            for each in stage_records(work.engine, work.run.id)
            if each.output
        ),
    )
    write_atomic(folder / "change.patch", work.store.get(made.patch))
    write_atomic(folder / "codebase-analysis.md", work.store.get(understood.document))
    write_atomic(folder / "report.json", account.model_dump_json(indent=2) + "\n")
    write_atomic(folder / "report.html", page(account, work.store.get(made.patch).decode("utf-8", "replace")))


def _summary(work: Work) -> str:
    """What was said of what is handed over."""
    first, change = newest(work, RedHandoff, "test-first"), edited(work)
    return change.summary if change else first.summary if first else _steps(work)


def _steps(work: Work) -> str:
    """What was said of each step that stands."""
    return " ".join(f"{step.path}: {step.summary}" for _, step in steps_of(work) if step.passed and step.summary)


def _said(work: Work, output: str) -> tuple[str, ...]:
    from omni.pipeline.handoffs import Handoff

    class _Any(Handoff, extra="ignore"):
        """Whatever a stage left: only what is against it is of interest."""

        unheard: str = ""

    left = work.read(_Any, output)
    return (*left.reasons, *filter(None, (left.unheard,)))
