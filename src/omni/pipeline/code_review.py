"""Review of a change by one's own models: what was touched by syntax in, remarks with file and line out.

The result is a report as verification gives it, so that it is shown, posted and gated in the same ways.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from omni.agents.handoffs import kind_of
from omni.agents.roles import asker, load_role, of_stage
from omni.kernel.errors import OmniError
from omni.kernel.ids import uuid7
from omni.models.typed import Asker, quoted
from omni.models.wire import Attribution, Chat
from omni.review.citation import Dropped, Findings, Material, Remark, patch, read_files
from omni.review.findings import find
from omni.review.independence import barred, impartial, independent
from omni.review.judge import judge
from omni.review.touched import touched
from omni.verify import repository
from omni.verify.report import CheckResult, Coverage, Finding, Report, Severity, Status, fingerprint

STAGE = "review"
JUDGES: dict[str, Literal["code", "security"]] = {"code": "code", "security": "security"}
"""What the Reviewer is asked; specialists are asked as their roles say."""


@dataclass(frozen=True)
class Asked:
    """`base`: the revision that the change starts from. `authors`: models that wrote it, as `provider/model`."""

    base: str = "HEAD"
    spec: str = ""
    model: str = ""
    authors: tuple[str, ...] = ()
    account: Attribution | None = None
    """Of the run whose budget pays; none: a run of its own."""


@dataclass(frozen=True)
class Change:
    shown: Material
    touched: str
    """One line for each function or class that was added, removed or changed."""
    before: Mapping[str, str]
    """Path → text of the files that it changed or took away, as they were."""


@dataclass(frozen=True)
class Opinion:
    model: str
    remarks: tuple[Remark, ...]
    dropped: tuple[Dropped, ...]
    scores: dict[str, float]


@dataclass(frozen=True)
class Reviewed:
    report: Report
    patch: str
    """All mends that can be applied, as one unified diff."""


def review_change(root: Path, asked: Asked, chat: Chat) -> Reviewed:
    """The remarks on what changed since `base`. Who could not be asked is incomplete. Raises `V003` without git."""
    began, paid = time.monotonic(), asked.account or Attribution(run=uuid7(), stage=STAGE)
    change = change_of(root, asked.base)
    specialists = [
        role.id
        for role in of_stage(STAGE)
        if kind_of(role.output) is Findings and role.concerned(change.shown.files.values())
    ]
    results, remarks = [], dict[tuple[str, int, str], Remark]()
    for name in (*JUDGES, *specialists):
        role = load_role("reviewer" if name in JUDGES else name)
        account = paid.model_copy(update={"call": f"{paid.call}/{name}" if paid.call else name})
        who = asker(role, impartial(chat), account, model=asked.model, not_models=barred(asked.authors))
        result, asked_at = _empty(role.title if role.specialist else name, change.shown), time.monotonic()
        if not change.shown.files:
            results.append(result.model_copy(update={"status": Status.SKIPPED, "reason": "nothing changed"}))
            continue
        try:
            opinion = _opinion(name, who, change, asked)
        except OmniError as problem:
            results.append(result.model_copy(update={"status": Status.INCOMPLETE, "reason": str(problem)}))
        else:
            failed = any(remark.severity == "error" for remark in opinion.remarks)
            # Who says what somebody else said already is not shown again; it counts as much.
            new = tuple(each for each in opinion.remarks if (each.path, each.line, each.message) not in remarks)
            remarks |= {(each.path, each.line, each.message): each for each in new}
            filled = _filled(result, replace(opinion, remarks=new), asked.authors, failed=failed)
            results.append(filled.model_copy(update={"seconds": round(time.monotonic() - asked_at, 2)}))
    report = Report(
        target=str(root),
        tiers=(2,),
        results=tuple(results),
        seconds=round(time.monotonic() - began, 2),
        isolation="none",
        changed=asked.base,
        files=Coverage(seen=len(change.shown.files), skipped=dict(change.shown.left_out)),
    )
    return Reviewed(report, patch(remarks.values(), change.shown.files))


def change_of(root: Path, base: str) -> Change:
    """What differs in the work tree from a revision. Raises `V003` without git."""
    commit = repository.commit(root, base)
    listed = repository.listed_files(root) or ()
    paths = repository.changed_since(root, commit, listed) | (repository.blobs(root, commit).keys() - set(listed))
    shown = read_files(root, sorted(path for path in paths if (root / path).exists()))
    before = {path: data.decode("utf-8", "replace") for path, data in repository.read(root, commit, paths).items()}
    return Change(shown, "\n".join(map(str, touched(before, shown.files))), before)


def _opinion(name: str, who: Asker, change: Change, asked: Asked) -> Opinion:
    extra = quoted("what changed", change.touched)
    if title := JUDGES.get(name):
        said = judge(who, title, change.shown, asked.spec, asked.authors, extra)
        return Opinion(said.model, said.remarks, said.dropped, {each.dimension: each.score for each in said.scores})
    found = find(who, change.shown, asked.spec, asked.authors, extra)
    return Opinion(found.model, found.remarks, found.dropped, {})


def _empty(title: str, shown: Material) -> CheckResult:
    coverage = Coverage(seen=len(shown.files), skipped=dict(shown.left_out))
    name = re.sub(r"\W+", "-", title.lower().removesuffix(" agent"))
    return CheckResult(check=f"review-{name}", title=f"Review: {title}", tier=2, status=Status.PASS, coverage=coverage)


def _filled(result: CheckResult, opinion: Opinion, authors: tuple[str, ...], *, failed: bool) -> CheckResult:
    """Errors fail; everything else is said. Who judged its own work can fail a change and not pass it."""
    counts = Counter[tuple[str, str, str]]()
    findings = []
    for remark in opinion.remarks:
        key = (remark.rule, remark.quote, remark.path)
        findings.append(_finding(result.check, remark, counts[key]))
        counts[key] += 1
    own = not independent(opinion.model, authors)
    reason = f"{opinion.model} wrote this itself" if own and not failed else ""
    if failed and not opinion.remarks:
        reason = "its errors are those that others named before"
    return result.model_copy(
        update={
            "status": Status.FAIL if failed else Status.INCOMPLETE if own else Status.PASS,
            "reason": reason,
            "findings": tuple(findings),
            "tool": opinion.model,
            "metrics": {
                f"{result.check}.dropped": float(len(opinion.dropped)),
                **{f"{result.check}.{dimension}": points for dimension, points in opinion.scores.items()},
            },
        }
    )


def _finding(check: str, remark: Remark, ordinal: int) -> Finding:
    return Finding(
        check=check,
        rule=remark.rule,
        severity=Severity(remark.severity),
        path=remark.path,
        line=remark.line,
        message=remark.message,
        why=remark.why,
        fix=remark.fix,
        snippet=remark.quote,
        fingerprint=fingerprint(remark.rule, remark.quote, remark.path, ordinal),
    )
