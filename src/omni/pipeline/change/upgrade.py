"""Upgrades of pinned Python dependencies that are known to be vulnerable: planned, one at a time, tests after each.

An upgrade is the lowest version without a known vulnerability; it is one commit, made only if the whole suite says what
it said before. Where it does not, a model may adapt the code, if there is one; else the step is taken back. The new
version is laid over the person's environment, which stays as it is.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.version import Version
from pydantic import BaseModel, ConfigDict

from omni.kernel import clock, processes, registries
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.ids import uuid7
from omni.kernel.settings import Settings
from omni.pipeline.change import checkout, proof
from omni.pipeline.change.adapting import Adapter, Case
from omni.pipeline.change.changelog import Changes, changes
from omni.pipeline.change.rewriting import hashes_of, rewritten
from omni.pipeline.change.suite import Suite, Tester, run_safely
from omni.pipeline.workspace import Workspace
from omni.sandbox.job import Driver
from omni.verify import repository
from omni.verify.analysis.osv import Snapshot
from omni.verify.analysis.pins import Pin, pins
from omni.verify.checks.vulnerabilities import IMPORT, snapshot_path

NO_SNAPSHOT = declare("P041", "Nothing is known of vulnerabilities", Exit.INCOMPLETE, f"Type: {IMPORT}")
NO_TESTS = declare(
    "P042", "Upgrades can't be tried", Exit.INCOMPLETE, "Name the environment of its tests: --environment."
)
REQUIREMENTS = re.compile(r"(^|/)requirements[^/]*\.(txt|in)$|(^|/)requirements/[^/]+\.(txt|in)$")


class Upgrade(BaseModel):
    """One step of the plan, and what came of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    old: str
    new: str
    """Empty: no version without a known vulnerability."""
    files: tuple[str, ...]
    because: tuple[str, ...]
    """Ids of the vulnerabilities."""
    changes: Changes = Changes()
    """What its changelog says of what may break, where the wheel brings one."""
    adapted: str = ""
    """Who adapted the code, as `provider/model`; empty: nobody had to, or could."""
    commit: str = ""
    """Empty: it was not made, for `reasons`."""
    reasons: tuple[str, ...] = ()


class Upgraded(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    upgrades: tuple[Upgrade, ...]
    before: str
    after: str
    """What the whole suite said."""
    branch: str = ""
    left: tuple[str, ...] = ()
    """Known vulnerabilities of the result, as `id name version`."""


@dataclass(frozen=True)
class _Try:
    workspace: Workspace
    tester: Tester
    overlay: Path
    before: Suite
    adapter: Adapter | None
    held: list[str] = field(default_factory=list)
    """What was upgraded so far, as `name==version`."""


def upgrade(
    source: Path,
    environment: Path | None,
    settings: Settings,
    driver: Callable[[], Driver],
    say: Callable[[str], None],
    adapter: Adapter | None = None,
) -> Upgraded:
    """Upgrade what is vulnerable in the repository `source`, on a branch of it. Raises `P041`, `P042`, `V003`."""
    folder = settings.home / "upgrades" / uuid7()
    workspace = Workspace(folder / "workspace", clock.now().replace(microsecond=0))
    base = repository.commit(source, "HEAD")
    checkout.clone(source, base, workspace)
    try:
        planned = plan(workspace.path, settings)
        tester = Tester.of(workspace.path, source, environment, driver)
        before = run_safely(tester)
        if before.problem:
            raise OmniError(NO_TESTS, before.problem, where=str(source))
        say(f"tests before: {before.told}")
        attempt = _Try(workspace, replace(tester, overlay=folder / "overlay"), folder / "overlay", before, adapter)
        done = []
        for each in planned:
            done.append(_one(each, attempt))
            say(_told(done[-1]))
        tip = workspace.head()
        branch = checkout.hand_over(workspace, source, base, tip, "omni/upgrades") if tip != base else ""
        after = run_safely(attempt.tester).told if branch else before.told
        still = plan(workspace.path, settings)
        left = tuple(f"{known} {each.name} {each.old}" for each in still for known in each.because)
        return Upgraded(upgrades=tuple(done), before=before.told, after=after, branch=branch, left=left)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def plan(root: Path, settings: Settings) -> tuple[Upgrade, ...]:
    """The upgrades that are due, smallest step first: least likely to break, and first to be out of the way."""
    path = snapshot_path(settings.home)
    if not path.is_file():
        raise OmniError(NO_SNAPSHOT, "there is no snapshot of OSV", where=str(path))
    found: dict[tuple[str, str], list[str]] = {}
    for name in repository.listed_files(root) or ():
        if REQUIREMENTS.search(name) and (root / name).is_file() and not (root / name).is_symlink():
            for pin in pins(name, (root / name).read_text("utf-8", "replace")):
                found.setdefault((pin.name, pin.version), []).append(name)
    with Snapshot(path) as snapshot:
        due = [_due(Pin("PyPI", *key, 0), files, snapshot) for key, files in sorted(found.items())]
    return tuple(sorted((each for each in due if each), key=_step))


def _due(pin: Pin, files: list[str], snapshot: Snapshot) -> Upgrade | None:
    known = snapshot.known("PyPI", pin.name, pin.version)
    if not known:
        return None
    candidates = sorted(
        {version for each in known for version in each.fixed if _later(version, pin.version)}, key=Version
    )
    new = next((each for each in candidates if not snapshot.known("PyPI", pin.name, each)), "")
    because = tuple(each.id for each in known)
    return Upgrade(name=pin.name, old=pin.version, new=new, files=tuple(files), because=because)


def _later(new: str, old: str) -> bool:
    try:
        return Version(new) > Version(old)
    except ValueError:
        return False


def _step(each: Upgrade) -> tuple[int, str]:
    """0 for a patch, 1 for a minor, 2 for a major version, 3 for none at all."""
    if not each.new:
        return (3, each.name)
    old, new = Version(each.old), Version(each.new)
    return (2 if old.major != new.major else 1 if old.minor != new.minor else 0, each.name)


def _one(each: Upgrade, attempt: _Try) -> Upgrade:
    """Try one upgrade on top of those that held. What does not hold leaves nothing behind."""
    if not each.new:
        return each.model_copy(update={"reasons": ("there is no version without a known vulnerability: replace it",)})
    kept = attempt.overlay.with_name("kept")
    shutil.rmtree(kept, ignore_errors=True)
    if attempt.overlay.exists():
        shutil.copytree(attempt.overlay, kept)
    head = attempt.workspace.head()
    texts = {path: (attempt.workspace.path / path).read_bytes().decode() for path in each.files}
    reasons = _install(each, attempt)
    if not reasons:
        each = each.model_copy(update={"changes": changes(attempt.overlay, each.name, each.old, each.new)})
        hashes, reasons = (
            hashes_of(each.name, each.new) if any("--hash=" in text for text in texts.values()) else ((), ())
        )
        attempt.workspace.write(
            {
                path: (rewritten(text, each.name, each.old, each.new, hashes).encode(), False)
                for path, text in texts.items()
            }
        )
    if not reasons and (reasons := _broken(attempt)) and attempt.adapter:
        each, reasons = _adapted(each, attempt, attempt.adapter, reasons)
    if reasons:
        attempt.workspace.restore(head)
        shutil.rmtree(attempt.overlay, ignore_errors=True)
        if kept.exists():
            kept.rename(attempt.overlay)
        return each.model_copy(update={"reasons": reasons, "adapted": ""})
    attempt.held.append(f"{each.name}=={each.new}")
    why = f"{each.old} has {', '.join(each.because)}; {each.new} is the lowest version that has none known."
    adapted = f"\nThe code was adapted by {each.adapted}." if each.adapted else ""
    trailers = {"Omni-Role": "upgrade", "Omni-Model": each.adapted or "none", "Omni-Prompt": "none"}
    trailers["Omni-Knowledge"] = "OSV"
    text = f"build: upgrade {each.name} to {each.new}\n\n{why}{adapted}\nThe whole suite says what it said before."
    return each.model_copy(update={"commit": attempt.workspace.commit(text, trailers)})


def _told(done: Upgrade) -> str:
    """One step, in the words of the terminal."""
    came = "; ".join(done.reasons) or f"commit {done.commit[:12]}"
    by = f", adapted by {done.adapted}" if done.adapted else ""
    said = "".join(f"\n    changelog {line}" for line in done.changes.breaks[:4])
    look = f"\n    its changes: {done.changes.address}" if done.changes.address and not done.changes.read else ""
    return f"{done.name} {done.old} → {done.new or 'none'} ({', '.join(done.because)}): {came}{by}{said}{look}"


def _broken(attempt: _Try) -> tuple[str, ...]:
    now = run_safely(attempt.tester)
    return (now.problem,) if now.problem else tuple(proof.broken(attempt.before, now))


def _adapted(
    each: Upgrade, attempt: _Try, adapter: Adapter, reasons: tuple[str, ...]
) -> tuple[Upgrade, tuple[str, ...]]:
    """The upgrade with the code adapted by a model, and what still fails."""
    environment = attempt.tester.environment
    if environment is None:
        return each, reasons
    title = f"The upgrade: {each.name} {each.old} → {each.new}"
    case = Case(title, reasons, each.changes, each.files, attempt.tester.by_hand)
    wanted = (*attempt.held, f"{each.name}=={each.new}")
    done = adapter.adapt(attempt.workspace, environment, each.name, wanted, case)
    still = _broken(attempt)
    tried = tuple(f"{reason} (also after {done.model} adapted the code)" for reason in still)
    return each.model_copy(update={"adapted": done.model}), tried


def _install(each: Upgrade, attempt: _Try) -> tuple[str, ...]:
    """Wheels only: to build a package would run its code here."""
    uv = Path(sys.executable).with_name("uv")
    python = attempt.tester.environment and attempt.tester.environment / "bin" / "python"
    argv = (str(uv), "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--python", str(python))
    where = ("--target", str(attempt.overlay), "--upgrade", f"{each.name}=={each.new}")
    variables: Mapping[str, str] = processes.clean_env(**registries.variables())
    done = processes.run((*argv, *where), env=variables, timeout=300)
    return () if done.ok else (f"it can't be installed: {' '.join(done.stderr.split())[-300:]}",)
