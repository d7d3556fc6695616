"""The end of a change: a branch if it was proved, and in any case a patch, the pages and what was tried."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from omni.kernel.files import write_atomic
from omni.pipeline.change import checkout
from omni.pipeline.change.asked import kind_of, newest, source_of
from omni.pipeline.change.handoffs import (
    BaselineHandoff,
    ComprehensionHandoff,
    EditHandoff,
    HandOverHandoff,
    ProofHandoff,
    RedHandoff,
)
from omni.pipeline.change.report import Account, Attempt, page
from omni.pipeline.change.suite import Suite
from omni.pipeline.run import stage_records
from omni.pipeline.stage import Work


def hand_over(work: Work) -> HandOverHandoff:
    """Leave the branch in the repository and everything else in a folder. Done again after a kill, it is the same."""
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    tip, proof = _tip(work, base), newest(work, ProofHandoff, "proof")
    proved = proof is not None and proof.passed
    branch, source = "", source_of(work)
    if proved and tip != base:
        branch = checkout.hand_over(work.workspace, source, base, tip, checkout.branch_name(work.run.request))
    commits = tuple(work.workspace.git("rev-list", "--reverse", f"{base}..{tip}").split())
    folder = Path(work.run.options.out) if work.run.options.out else work.folder / "change"
    made = HandOverHandoff(
        passed=proved,
        reasons=_reasons(work),
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
        verdict=_verdict(work, proved=proved),
    )
    _write(work, folder, base, made)
    return made


def _tip(work: Work, base: str) -> str:
    """The newest commit that there is: of the change, else of the test, else none."""
    edited, tested = newest(work, EditHandoff, "change"), newest(work, RedHandoff, "test-first")
    return edited.commit if edited else tested.commit if tested else base


def _verdict(work: Work, *, proved: bool) -> Literal["pass", "fail", "incomplete"]:
    if proved:
        return "pass"
    before = newest(work, BaselineHandoff, "baseline")
    return "fail" if before and before.passed else "incomplete"


def _reasons(work: Work) -> tuple[str, ...]:
    """Why it was not handed over: what the last stage that said no said."""
    stopped = (
        newest(work, BaselineHandoff, "baseline"),
        newest(work, RedHandoff, "test-first"),
        newest(work, ProofHandoff, "proof") or newest(work, EditHandoff, "change"),
    )
    return next((each.reasons for each in stopped if each and not each.passed), ())


def _told(work: Work, of: BaselineHandoff | ProofHandoff | None) -> str:
    return work.read(Suite, of.suite).told if of else ""


def _write(work: Work, folder: Path, base: str, made: HandOverHandoff) -> None:
    understood = work.handoff(ComprehensionHandoff, "comprehension")
    first, edited = newest(work, RedHandoff, "test-first"), newest(work, EditHandoff, "change")
    account = Account(
        request=work.run.request,
        run=work.run.id,
        repository=source_of(work).name,
        base=base,
        handed=made,
        fails_before=first.why if first else {},
        summary=edited.summary if edited else first.summary if first else "",
        attempts=tuple(
            Attempt(stage=each.name, attempt=each.attempt, status=each.status, reasons=_said(work, each.output))
            for each in stage_records(work.engine, work.run.id)
            if each.output
        ),
    )
    write_atomic(folder / "change.patch", work.store.get(made.patch))
    write_atomic(folder / "codebase-analysis.md", work.store.get(understood.document))
    write_atomic(folder / "report.json", account.model_dump_json(indent=2) + "\n")
    write_atomic(folder / "report.html", page(account, work.store.get(made.patch).decode("utf-8", "replace")))


def _said(work: Work, output: str) -> tuple[str, ...]:
    from omni.pipeline.handoffs import Handoff

    class _Any(Handoff, extra="ignore"):
        """Whatever a stage left: only why it did not pass is of interest."""

    return work.read(_Any, output).reasons
