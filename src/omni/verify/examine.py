"""One check, from its inputs to its result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from omni.verify.check import Check, Context, Failed, Gap, Item, Metric, Output, Scope, Unseen
from omni.verify.files import File
from omni.verify.finish import finish
from omni.verify.report import CheckResult, Coverage, Finding, Severity, Status
from omni.verify.sarif import parse_sarif
from omni.verify.tools import locked_version

LONGEST_ARGUMENTS = 128 * 1024
"""Bytes of file names on one command line; Linux allows some two million, with the environment."""


UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, SyntaxError)
"""What a parser may raise on output that is not what it should be; the last one for XML."""


def analyse(context: Context) -> list[Item]:
    """What the check says. Never raises for what a tool or a target may do: that is a `Gap`."""
    if not context.files:
        return []
    try:
        return list((context.check.run or run_tool)(context))
    except Failed as problem:
        return [Gap(problem.why, problem.status)]


def run_tool(context: Context) -> Iterator[Item]:
    """The declared command, once or in several parts, each through the parser. Raises `Failed`."""
    for argv in commands(context, context.check.argv):
        output = context.execute(context.check.tool, *argv)
        yield from _of_inputs(context, _understood(context, output))


def _of_inputs(context: Context, items: Iterable[Item]) -> Iterator[Item]:
    """A tool that walks a folder itself sees its configuration and ignored files too; those were not asked about."""
    if "{files}" in context.check.argv:
        yield from items
        return
    inputs = {file.path for file in context.files}
    for item in items:
        if not isinstance(item, Finding | Unseen) or not item.path or item.path in inputs:
            yield item


def commands(context: Context, argv: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """`argv` with the inputs in place of `{files}`, in as many parts as it takes."""
    if "{files}" not in argv:
        yield argv
        return
    at = argv.index("{files}")
    for part in _parts(context.files, context.check.scope):
        # A name that starts with a dash is no option.
        names = tuple(f"./{file.path}" if file.path.startswith("-") else file.path for file in part)
        yield (*argv[:at], *names, *argv[at + 1 :])


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
    except UNREADABLE as problem:
        what = "JSON" if isinstance(problem, json.JSONDecodeError) else f"what it should ({problem!r})"
        raise Failed(f"{check.tool} did not print {what}, so its result is unknown") from problem
    if output.exit_code != 0 and not items:
        said = " ".join(output.stderr.strip()[-600:].split())
        raise Failed(
            f"{check.tool} ended with exit code {output.exit_code} but named nothing: {said or 'it said nothing'}"
        )
    return items


def conclude(context: Context, items: Iterable[Item], known: Coverage, today: date) -> CheckResult:
    """The result that the items add up to. `known` is what the inventory says about the inputs."""
    check = context.check
    said = list(items)
    gaps = [item for item in said if isinstance(item, Gap)]
    unseen = [item for item in said if isinstance(item, Unseen)]
    skipped = known.skipped | {item.path: item.why for item in unseen if item.harmless}
    failed = known.failed | {item.path: item.why for item in unseen if not item.harmless}
    seen = sum(file.path not in skipped and file.path not in failed for file in context.files)
    coverage = Coverage(seen=seen, skipped=skipped, failed=failed)
    counting, suppressed = finish(context, (item for item in said if isinstance(item, Finding)), today)
    status, reason = judge(counting, gaps, coverage)
    return CheckResult(
        check=check.id,
        title=check.title,
        tier=check.tier,
        status=status,
        reason=reason,
        findings=counting,
        suppressed=suppressed,
        coverage=coverage,
        tool=check.tool or "omni",
        tool_version=tool_version(check),
        argv=(check.tool, *check.argv) if check.tool else (),
        metrics={item.name: item.value for item in said if isinstance(item, Metric)},
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
    if gaps or not coverage.seen:
        return Status.SKIPPED, why or "none of its files can be looked at"
    return Status.PASS, ""


def tool_version(check: Check) -> str:
    from omni import __version__

    return locked_version(check) if check.tool else __version__
