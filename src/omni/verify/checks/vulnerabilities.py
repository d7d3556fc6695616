"""Known vulnerabilities of the dependencies: by pip-audit, and by a snapshot of OSV where there is one.

Tier 3, and not 2: the answer comes from outside and changes while the code does not. So the gate of a build, which
stands on tiers 1 and 2, never depends on it; `omni verify --tier 3` asks.

Online, files that pin Python packages go to pip-audit. Offline, and for lock files that it can't read (npm, Cargo, uv,
Poetry), the snapshot answers that `omni vulnerabilities import` made. One that is older than a month is said to be so,
and the check is incomplete: what was found since is not in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from omni.kernel.clock import now
from omni.verify.analysis.manifests import BadManifestError, normalise
from omni.verify.analysis.osv import Snapshot
from omni.verify.analysis.pins import LOCKS, Pin, pins
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric, Unseen
from omni.verify.files import File
from omni.verify.report import Status

SNAPSHOT = "osv.sqlite"
"""In the check's own folder."""
OLD = timedelta(days=31)
IMPORT = "omni vulnerabilities import all.zip"


def run(context: Context) -> Iterator[Item]:
    pinned: dict[File, list[Pin]] = {}
    for file in context.files:
        try:
            if found := pins(file.path, context.text(file)):
                pinned[file] = found
        except BadManifestError as problem:
            yield Unseen(file.path, f"not a lock file that can be read: {problem}")
    if not pinned:
        yield Gap("no file pins the versions of the dependencies, so there is nothing to look up", Status.INCOMPLETE)
        return
    for lock in list(pinned):
        if not context.offline and lock.path.rpartition("/")[2] not in LOCKS:
            yield from _audit(context, lock, pinned.pop(lock))
    if pinned:
        yield from _by_snapshot(context, pinned)


def _by_snapshot(context: Context, pinned: dict[File, list[Pin]]) -> Iterator[Item]:
    path = context.cache / SNAPSHOT
    if not path.is_file():
        if context.offline:
            yield Gap(f"Omni is offline, and there is no snapshot of OSV. Type: {IMPORT}")
        for lock in pinned:
            yield Unseen(lock.path, f"only a snapshot of OSV can look it up, and there is none. Type: {IMPORT}", True)
        return
    try:
        with Snapshot(path) as snapshot:
            yield from _ages(snapshot, {pin.ecosystem for found in pinned.values() for pin in found})
            for lock, found in pinned.items():
                for pin in found:
                    yield from _known(context, snapshot, lock, pin)
    except (sqlite3.Error, ValueError) as problem:
        raise Failed(f"the snapshot of OSV can't be read: {problem}. Type: {IMPORT}", Status.INCOMPLETE) from problem
    yield Metric("dependencies.looked_up", sum(len(found) for found in pinned.values()))


def _ages(snapshot: Snapshot, ecosystems: set[str]) -> Iterator[Item]:
    for ecosystem in sorted(ecosystems):
        part = snapshot.parts.get(ecosystem)
        if part is None:
            yield Gap(f"the snapshot of OSV has nothing about {ecosystem}. Type: {IMPORT}")
            continue
        age = now() - part.newest
        yield Metric(f"vulnerabilities.snapshot_days.{ecosystem}", age.days)
        if age > OLD:
            since = f"{part.newest:%Y-%m-%d}"
            yield Gap(f"the snapshot of OSV for {ecosystem} ends on {since}, {age.days} days ago. Type: {IMPORT}")
        if part.unread:
            yield Gap(f"{part.unread} entries of the snapshot of OSV could not be read")


def _known(context: Context, snapshot: Snapshot, lock: File, pin: Pin) -> Iterator[Item]:
    for known in snapshot.known(pin.ecosystem, pin.name, pin.version):
        also = f" ({', '.join(known.aliases[:3])})" if known.aliases else ""
        better = " or ".join(known.fixed)
        yield context.finding(
            known.id,
            f"{pin.name} {pin.version}: {known.summary}{also}",
            lock.path,
            pin.line,
            fix=f"Update to {better} and lock again." if better else "There is no better version yet: replace it.",
        )


def _audit(context: Context, lock: File, found: list[Pin]) -> Iterator[Item]:
    """`--no-deps --disable-pip`: the file is taken as it stands, nothing is installed or built."""
    argv = ("--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r", lock.path)
    output = context.execute("pip-audit", *argv)
    if output.exit_code not in {0, 1} or not output.stdout.strip():
        said = " ".join(output.stderr.split())[-300:]
        yield Gap(f"{lock.path} could not be audited: {said or 'pip-audit said nothing'}")
        if (context.cache / SNAPSHOT).is_file():
            yield from _by_snapshot(context, {lock: found})
        return
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("pip-audit did not print an object")
    skipped = [each["name"] for each in report["dependencies"] if "skip_reason" in each]
    if skipped:
        yield Gap(f"{lock.path}: {len(skipped)} packages were not audited, such as {skipped[0]}")
    yield Metric("dependencies.audited", len(report["dependencies"]) - len(skipped))
    lines = {pin.name: pin.line for pin in found}
    for each in report["dependencies"]:
        for known in each.get("vulns", ()):
            better = " or ".join(known["fix_versions"])
            summary = known.get("description", "").strip().partition("\n")[0] or "it is not described"
            yield context.finding(
                known["id"],
                f"{each['name']} {each['version']}: {summary[:200]}",
                lock.path,
                lines.get(normalise(each["name"]), 1),
                fix=f"Update to {better} and lock again." if better else "There is no better version yet: replace it.",
            )


def snapshot_path(home: Path) -> Path:
    """Where the snapshot lies in Omni's home."""
    return home / "cache" / "checks" / CHECK.id / SNAPSHOT


CHECK = Check(
    id="vulnerabilities",
    title="No dependency has a known vulnerability",
    tier=3,
    globs=(
        "requirements*.txt",
        "requirements*.lock",
        "**/requirements/*.txt",
        "**/requirements/*.lock",
        *LOCKS,
    ),
    tool="pip-audit",
    run=run,
    network=True,
    works_offline=True,
    fresh_for=3600,
    timeout=180,
    why="Attackers try published vulnerabilities on everything that can be reached.",
    advice="Update it and lock again.",
    cwe="CWE-1395",
)
