"""The main flow of verification."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from omni.kernel.clock import now
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.settings import Settings
from omni.verify import quarantine
from omni.verify.baseline import only_new
from omni.verify.cache import Cache
from omni.verify.check import Check
from omni.verify.config import load_config
from omni.verify.files import Inventory
from omni.verify.fix import mend
from omni.verify.overlap import said_once
from omni.verify.plan import Options, choose
from omni.verify.registry import checks
from omni.verify.report import Report
from omni.verify.session import CheckEvent, Session, Tell

__all__ = ["CheckEvent", "Options", "verify"]

NO_TARGET = declare("V006", "There is nothing to verify", Exit.USAGE, "Name a folder that you may read.")


def verify(target: Path, options: Options, settings: Settings, on_event: Tell | None = None) -> Report:
    """Run the checks that apply to the folder `target`, and say what they found and what they did not see.

    Raises OmniError only for what a person has to correct first: no such folder, check or revision, a bad omni.toml.
    Whatever goes wrong in a check or a tool is that check's result.
    """
    started = time.monotonic()
    root = folder_of(target)
    project = options.config or load_config(root)
    wanted = choose(checks(settings.home / "cache"), options, project)
    with (
        tempfile.TemporaryDirectory(prefix="omni-verify-", ignore_cleanup_errors=True) as scratch,
        Cache(settings.home / "cache" / "verify.sqlite") as cache,
    ):
        session = Session(options, settings, project, cache, Path(scratch), on_event or _nobody)
        if options.fix:
            mend(session.contexts(wanted, root))
        report = once(session, target, root, wanted, session.inventory(root), started)
    if options.fix:
        quarantine.record(root, report.results, now().date())
    return report


def once(
    session: Session,
    target: Path,
    root: Path,
    wanted: tuple[Check, ...],
    inventory: Inventory | None,
    started: float | None = None,
) -> Report:
    """One verification in a session that may see more of them. Raises `V003`."""
    started = time.monotonic() if started is None else started
    inventory, results = session.examine(wanted, root, inventory=inventory)
    results = said_once(results)
    commit = ""
    if session.options.baseline:
        commit, results = only_new(results, root, session.options.base, session.scratch, session)
    if session.options.sarif:
        from omni.verify.others import from_sarif  # only where other tools' reports are given

        results = (*results, *from_sarif(session.options.sarif, session, inventory, commit))
    return session.report(target, wanted, inventory, results, commit, time.monotonic() - started)


def _nobody(_event: CheckEvent) -> None:
    """Nobody listens."""


def folder_of(target: Path) -> Path:
    """The folder itself, behind any links. Raises `V006`."""
    try:
        root = target.resolve(strict=True)
        next(root.iterdir(), None)
    except (OSError, RuntimeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else "it is a link to itself"
        raise OmniError(NO_TARGET, why, where=str(target)) from problem
    return root
