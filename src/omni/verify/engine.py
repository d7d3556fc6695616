"""The main flow of verification."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.settings import Settings
from omni.sandbox.job import Driver
from omni.verify.check import Check, Context, Tier
from omni.verify.config import ProjectConfig, load_config
from omni.verify.examine import analyse, conclude
from omni.verify.execution import Execution
from omni.verify.files import take_inventory
from omni.verify.registry import checks
from omni.verify.report import CheckResult, Coverage, Report, Status
from omni.verify.tools import Tools, open_tools

NO_TARGET = declare("V006", "There is nothing to verify", Exit.USAGE, "Name a folder that you may read.")


@dataclass(frozen=True)
class CheckEvent:
    """For live progress."""

    kind: Literal["setup", "started", "finished"]
    check: str = ""
    tier: int = 0
    message: str = ""
    result: CheckResult | None = None


@dataclass(frozen=True)
class Options:
    tiers: tuple[Tier, ...] = ()
    """Empty: those of the project's configuration."""
    only: tuple[str, ...] = ()
    changed: bool = False
    base: str = ""
    fix: bool = False
    baseline: bool = False
    environment: Path | None = None
    trusted: bool = False
    jobs: int = 0
    config: ProjectConfig | None = None


def verify(
    target: Path, options: Options, settings: Settings, on_event: Callable[[CheckEvent], None] | None = None
) -> Report:
    """Run the checks that apply to the folder `target`. Raises OmniError for what a person has to correct."""
    started = time.monotonic()
    tell = on_event or (lambda _event: None)
    root = target.resolve()
    if not root.is_dir():
        raise OmniError(NO_TARGET, "it is not a folder", where=str(target))
    project = options.config or load_config(root)
    inventory = take_inventory(root, {each.path: each.because for each in project.exclude})
    tiers = options.tiers or project.tiers

    @cache
    def tools() -> Tools:
        return open_tools(settings.home, settings.offline, lambda text: tell(CheckEvent("setup", message=text)))

    def driver() -> Driver:
        from omni.sandbox import choose  # loaded only when something runs in it

        return choose(settings)

    with tempfile.TemporaryDirectory(prefix="omni-verify-") as scratch:
        execution = Execution(tools, driver, Path(scratch), trusted=options.trusted)
        base = Context(checks()[0], root, (), inventory, project, execution, options.environment, settings.offline)
        results = tuple(_one(check, base, tell) for check in checks() if check.tier in tiers)
    return Report(
        target=str(target), tiers=tiers, results=results, seconds=time.monotonic() - started, isolation="none"
    )


def _one(check: Check, base: Context, tell: Callable[[CheckEvent], None]) -> CheckResult:
    started = time.monotonic()
    matched = base.inventory.matching(check.languages, check.globs)
    known = Coverage(
        skipped={file.path: file.problem for file in matched if file.problem and file.harmless},
        failed={file.path: file.problem for file in matched if file.problem and not file.harmless},
    )
    context = replace(base, check=check, files=tuple(file for file in matched if not file.problem))
    if not matched:
        return CheckResult(
            check=check.id, title=check.title, tier=check.tier, status=Status.SKIPPED, reason="no such files"
        )
    tell(CheckEvent("started", check.id, check.tier))
    result = conclude(context, analyse(context), known, started)
    tell(CheckEvent("finished", check.id, check.tier, result=result))
    return result
