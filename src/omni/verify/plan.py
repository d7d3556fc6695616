"""Which checks run on what: what applies, what is switched off and by whom, what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.verify import repository
from omni.verify.cache import Cache, Remembered
from omni.verify.check import Check, Context, Scope, Tier
from omni.verify.config import BAD_CONFIG, ProjectConfig
from omni.verify.files import File, Inventory, matches
from omni.verify.profile import profiles
from omni.verify.registry import unknown
from omni.verify.report import NO_FILES, NOT_INSTALLED, CheckResult, Coverage, Status


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    tiers: tuple[Tier, ...] = ()
    """Empty: those of the project's configuration, which are 1 and 2 unless it says otherwise."""
    only: tuple[str, ...] = ()
    """Ids of checks; their tiers need not be asked for. Empty: all."""
    changed: bool = False
    """Look only at what changed since `base`."""
    base: str = ""
    """A revision; HEAD by default."""
    fix: bool = False
    """First let the tools mend what they can, in place."""
    baseline: bool = False
    """Count only findings that `base` does not have."""
    environment: Path | None = None
    """Virtual environment with the project's dependencies; default: what its configuration says, or `.venv`."""
    trusted: bool = False
    """The target is what Omni rendered from its own templates, so reduced isolation may run it."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Id of a check that whoever asks does himself, with what it needs, and reports → how."""
    jobs: int = 0
    """CPUs to use; 0: all that this process may use."""
    sarif: tuple[Path, ...] = ()
    """Reports of other tools whose findings join."""
    config: ProjectConfig | None = None
    """Instead of `[verify]` in the target's omni.toml."""


@dataclass(frozen=True)
class Planned:
    """A check that applies, with what is known already."""

    context: Context
    coverage: Coverage
    """Inputs that can't be analysed."""
    remembered: Remembered


@dataclass(frozen=True)
class AtHand:
    """What is known of a check's tool; each answer is empty when all is well."""

    missing: Callable[[Check], str]
    """How to get it, where nobody has to have it."""
    differs: Callable[[Check], str]
    """Why it is not the one that the project's lock wants."""


def choose(checks: Iterable[Check], options: Options, project: ProjectConfig) -> tuple[Check, ...]:
    """The checks that were asked for. Raises `V002` for an unknown name."""
    available = tuple(checks)
    known = {check.id for check in available}
    for name in options.only:
        if name not in known:
            raise unknown(name, sorted(known))
    for key, names in (("disabled", [entry.check for entry in project.disabled]), ("require", project.require)):
        for name in names:
            if name not in known:
                raise OmniError(BAD_CONFIG, f"verify.{key}: there is no check “{name}”")
    for name in project.profiles:
        if name not in profiles():
            raise OmniError(
                BAD_CONFIG, f"verify.profiles: there is no profile “{name}”; known: {', '.join(profiles())}"
            )
    if options.only:
        return tuple(check for check in available if check.id in options.only)
    tiers = options.tiers or project.tiers
    return tuple(
        check for check in available if check.tier in tiers and (not check.profile or check.profile in project.profiles)
    )


def changed_files(options: Options, inventory: Inventory) -> frozenset[str] | None:
    """Paths that differ from the base, the deleted ones too; None when all files are asked for. Raises `V003`."""
    if not options.changed:
        return None
    commit = repository.commit(inventory.root, options.base or "HEAD")
    present = {file.path for file in inventory.files}
    then = repository.blobs(inventory.root, commit)
    return repository.changed_since(inventory.root, commit, present) | (then.keys() - present)


def plan(
    check: Check, base: Context, changed: frozenset[str] | None, cache: Cache, at_hand: AtHand
) -> Planned | CheckResult:
    """The check's inputs and what is known of them, or why it does not run."""
    because = next((entry.because for entry in base.project.disabled if entry.check == check.id), "")
    if because:
        return without(check, Status.SKIPPED, f"switched off in omni.toml: {because}")
    inputs = base.inventory.matching(check.languages, check.globs)
    if changed is not None:
        inputs = _since_change(check, base.inventory, inputs, changed)
    if not inputs:
        return without(check, Status.SKIPPED, NO_FILES + (" that changed" if changed is not None else ""))
    if how := at_hand.missing(check):
        required = check.id in base.project.require
        return without(check, Status.INCOMPLETE if required else Status.SKIPPED, NOT_INSTALLED + how)
    if other := at_hand.differs(check):
        return without(check, Status.INCOMPLETE, other)
    readable = tuple(file for file in inputs if not file.problem)
    context = replace(base, check=check, files=readable, changed=changed if check.narrows else None)
    remembered = cache.recall(context)
    if check.network and not check.works_offline and base.offline and not remembered.complete:
        return without(check, Status.INCOMPLETE, "it needs the network, and Omni is offline")
    return Planned(context, _unreadable(inputs), remembered)


def _since_change(
    check: Check, inventory: Inventory, inputs: tuple[File, ...], changed: frozenset[str]
) -> tuple[File, ...]:
    """The inputs to look at after a change: all where any may matter, none where none does."""
    configured = any(matches(path, check.config) for path in changed)
    if check.scope is Scope.FILE and not configured:
        return tuple(file for file in inputs if file.path in changed)
    touched = configured or any(file.path in changed for file in inputs)
    gone = changed - inventory.by_path.keys()
    probe = Inventory(inventory.root, tuple(File(path, 0, "") for path in gone))
    return inputs if touched or probe.matching((), check.globs) or _any_language(check, gone) else ()


def _any_language(check: Check, paths: Iterable[str]) -> bool:
    from omni.verify.languages import language

    return any(language(path) in check.languages for path in paths)


def _unreadable(inputs: Iterable[File]) -> Coverage:
    skipped: dict[str, str] = {}
    failed: dict[str, str] = {}
    for file in inputs:
        if file.problem:
            (skipped if file.harmless else failed)[file.path] = file.problem
    return Coverage(skipped=skipped, failed=failed)


def without(check: Check, status: Status, reason: str) -> CheckResult:
    """The result of a check that did not run."""
    return CheckResult(check=check.id, title=check.title, tier=check.tier, status=status, reason=reason)


def looked_at(inventory: Inventory, results: Iterable[CheckResult], seen: Set[str]) -> Coverage:
    """The project's files: seen by at least one check, or not, and why."""
    failed = {path: why for result in results for path, why in result.coverage.failed.items()}
    skipped = dict(inventory.left_out)
    count = 0
    for file in inventory.files:
        if file.path in seen:
            count += 1
        elif file.problem and not file.harmless:
            failed.setdefault(file.path, file.problem)
        elif file.path not in failed:
            skipped[file.path] = file.problem or "no check that ran looks at such files"
    failed = {path: why for path, why in failed.items() if path not in seen}
    return Coverage(seen=count, skipped=skipped, failed=failed)
