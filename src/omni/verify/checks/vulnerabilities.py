"""Known vulnerabilities of the dependencies, by pip-audit.

Tier 3, and not 2: the answer comes from a service outside, changes while the code does not, and is incomplete offline.
So the gate of a build, which stands on tiers 1 and 2, never depends on the network; `omni verify --tier 3` asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.check import Check, Context, Gap, Item, Metric
from omni.verify.files import File
from omni.verify.report import Status


def run(context: Context) -> Iterator[Item]:
    locks = [file for file in context.files if file.path.endswith(".lock") or "==" in context.text(file)]
    if not locks:
        yield Gap("no file pins the versions of the dependencies, so there is nothing to look up", Status.INCOMPLETE)
    for lock in locks:
        yield from _audit(context, lock)


def _audit(context: Context, lock: File) -> Iterator[Item]:
    """`--no-deps --disable-pip`: the file is taken as it stands, nothing is installed or built."""
    argv = ("--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r", lock.path)
    output = context.execute("pip-audit", *argv)
    if output.exit_code not in {0, 1} or not output.stdout.strip():
        said = " ".join(output.stderr.split())[-300:]
        yield Gap(f"{lock.path} could not be audited: {said or 'pip-audit said nothing'}")
        return
    report = output.json()
    if not isinstance(report, dict):
        raise TypeError("pip-audit did not print an object")
    skipped = [each["name"] for each in report["dependencies"] if "skip_reason" in each]
    if skipped:
        yield Gap(f"{lock.path}: {len(skipped)} packages were not audited, such as {skipped[0]}")
    yield Metric("dependencies.audited", len(report["dependencies"]) - len(skipped))
    for each in report["dependencies"]:
        for known in each.get("vulns", ()):
            better = " or ".join(known["fix_versions"])
            yield context.finding(
                known["id"],
                f"{each['name']} {each['version']}: {known.get('description', '').strip().splitlines()[0][:200]}",
                lock.path,
                _line(context.text(lock), each["name"]),
                fix=f"Update to {better} and lock again." if better else "There is no better version yet: replace it.",
            )


def _line(text: str, name: str) -> int:
    lines = text.lower().splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(f"{name.lower()}==")), 1)


CHECK = Check(
    id="vulnerabilities",
    title="No dependency has a known vulnerability",
    tier=3,
    globs=("requirements*.txt", "requirements*.lock", "**/requirements/*.txt", "**/requirements/*.lock"),
    tool="pip-audit",
    run=run,
    network=True,
    fresh_for=3600,
    timeout=180,
    why="Attackers try published vulnerabilities on everything that can be reached.",
    advice="Update it and lock again.",
    cwe="CWE-1395",
)
