"""One check, from its inputs to its result."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence

from omni.verify.check import Check, Context, Failed, Gap, Item, Metric, Output, Scope, Unseen
from omni.verify.files import File
from omni.verify.report import CheckResult, Coverage, Finding, Severity, Status
from omni.verify.sarif import parse_sarif
from omni.verify.tools import versions

LONGEST_ARGUMENTS = 128 * 1024
"""Bytes of file names on one command line; Linux allows some two million, with the environment."""


def analyse(context: Context) -> list[Item]:
    """What the check says. Never raises for what a tool or a target may do: that is a `Gap`."""
    try:
        return list((context.check.run or run_tool)(context))
    except Failed as problem:
        return [Gap(problem.why, problem.status)]


def run_tool(context: Context) -> Iterator[Item]:
    """The declared command, once or in several parts, each through the parser. Raises `Failed`."""
    for argv in _commands(context):
        output = context.execute(context.check.tool, *argv)
        yield from _understood(context, output)


def _commands(context: Context) -> Iterator[tuple[str, ...]]:
    """The argv with the inputs in place of `{files}`."""
    check = context.check
    if "{files}" not in check.argv:
        yield check.argv
        return
    at = check.argv.index("{files}")
    for part in _parts(context.files, check.scope):
        names = tuple(f"./{file.path}" if file.path.startswith("-") else file.path for file in part)
        yield (*check.argv[:at], *names, *check.argv[at + 1 :])


def _parts(files: Sequence[File], scope: Scope) -> Iterator[Sequence[File]]:
    """The files a command line; all together where the tool has to see them so."""
    part: list[File] = []
    size = 0
    for file in files:
        if part and scope is Scope.FILE and size > LONGEST_ARGUMENTS:
            yield part
            part, size = [], 0
        part.append(file)
        size += len(file.path) + 1
    yield part


def _understood(context: Context, output: Output) -> list[Item]:
    """Raises `Failed` when the tool failed or said something that its parser can't read."""
    check = context.check
    if output.exit_code not in check.exits:
        said = " ".join((output.stderr.strip() or output.stdout.strip())[-600:].split())
        raise Failed(f"{check.tool} failed with exit code {output.exit_code}: {said or 'it said nothing'}")
    try:
        items = list((check.parse or parse_sarif)(context, output))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        what = "JSON" if isinstance(problem, json.JSONDecodeError) else f"what it should ({problem!r})"
        raise Failed(f"{check.tool} did not print {what}, so its result is unknown") from problem
    if output.exit_code != 0 and not items:
        said = " ".join(output.stderr.strip()[-600:].split())
        raise Failed(
            f"{check.tool} ended with exit code {output.exit_code} but named nothing: {said or 'it said nothing'}"
        )
    return items


def conclude(context: Context, items: Iterable[Item], known: Coverage, started: float) -> CheckResult:
    """The result that the items add up to. `known` is what the inventory says about the inputs."""
    check = context.check
    findings: list[Finding] = []
    gaps: list[Gap] = []
    metrics: dict[str, float] = {}
    skipped, failed = dict(known.skipped), dict(known.failed)
    for item in items:
        match item:
            case Finding():
                findings.append(item)
            case Unseen():
                (skipped if item.harmless else failed)[item.path] = item.why
            case Gap():
                gaps.append(item)
            case Metric():
                metrics[item.name] = item.value
    unseen = skipped.keys() | failed.keys()
    coverage = Coverage(seen=sum(file.path not in unseen for file in context.files), skipped=skipped, failed=failed)
    status, reason = judge(findings, gaps, coverage)
    return CheckResult(
        check=check.id,
        title=check.title,
        tier=check.tier,
        status=status,
        reason=reason,
        findings=tuple(findings),
        coverage=coverage,
        seconds=time.monotonic() - started,
        tool=check.tool or "omni",
        tool_version=tool_version(check),
        argv=(check.tool, *check.argv) if check.tool else (),
        metrics=metrics,
    )


def judge(findings: Iterable[Finding], gaps: Sequence[Gap], coverage: Coverage) -> tuple[Status, str]:
    """(status, why it is that). An error that counts fails, whatever else was not seen."""
    why = "; ".join(gap.why for gap in gaps)
    if coverage.failed:
        path, problem = next(iter(sorted(coverage.failed.items())))
        total = coverage.seen + len(coverage.failed)
        more = f" and {len(coverage.failed) - 1} more" if len(coverage.failed) > 1 else ""
        why = "; ".join(
            filter(None, (why, f"{len(coverage.failed)} of {total} files not analysed: {path} ({problem}){more}"))
        )
    if any(finding.severity is Severity.ERROR for finding in findings):
        return Status.FAIL, why
    if any(gap.status is Status.ERROR for gap in gaps):
        return Status.ERROR, why
    if any(gap.status is Status.INCOMPLETE for gap in gaps) or coverage.failed:
        return Status.INCOMPLETE, why
    return (Status.SKIPPED, why) if gaps else (Status.PASS, "")


def tool_version(check: Check) -> str:
    from omni import __version__

    return versions().get(check.package or check.tool, "") if check.tool else __version__
