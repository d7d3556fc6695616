"""Only new findings: the base commit is verified too, and what it has already does not count."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from omni.verify import registry, repository
from omni.verify.finish import subtract
from omni.verify.report import CheckResult, Severity, Status
from omni.verify.session import Session


def only_new(
    results: Sequence[CheckResult], root: Path, base: str, scratch: Path, session: Session
) -> tuple[str, tuple[CheckResult, ...]]:
    """(the base's commit, the results with what it has already suppressed). Raises `V003`.

    Exact: the commit's files are written to a folder of their own and the same checks run there (those that found
    something; the cache knows most of it). A line that stands there twice and was there once is one new finding.
    """
    commit = repository.commit(root, base or "HEAD")
    named = tuple(registry.get(result.check) for result in results if result.findings)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="base-") as folder:
        repository.export(root, commit, Path(folder))
        _, before = session.examine(named, Path(folder), changed_only=False)
    by_check = {result.check: result for result in before}
    return commit, tuple(_against(result, by_check.get(result.check), commit) for result in results)


def _against(result: CheckResult, before: CheckResult | None, commit: str) -> CheckResult:
    if before is None:
        return result
    why = f"already in {commit[:12]}"
    new, old = subtract(result.findings, {finding.fingerprint: why for finding in before.findings})
    status, reason = result.status, result.reason
    if status is Status.FAIL and not any(finding.severity is Severity.ERROR for finding in new):
        status = (
            Status.INCOMPLETE if reason else Status.PASS
        )  # a failed result has a reason only if it missed something
    if new and before.status in {Status.INCOMPLETE, Status.ERROR}:
        reason = "; ".join(filter(None, (reason, f"the base could not be compared in full: {before.reason}")))
    return result.model_copy(
        update={"findings": new, "suppressed": (*result.suppressed, *old), "status": status, "reason": reason}
    )
