"""`omni verify --watch`: a live screen on a terminal, rounds in NDJSON for a program, one line a round elsewhere."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from omni.cli.common import colored, line

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from omni.kernel.settings import Settings
    from omni.verify.engine import CheckEvent
    from omni.verify.plan import Options
    from omni.verify.report import CheckResult, Report
    from omni.verify.watch import Round

CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def watch(target: Path, options: Options, settings: Settings, *, as_json: bool) -> int:
    """Show each round until Ctrl-C or SIGTERM; returns the exit code, which is 0: to stop it is no failure."""
    from omni.verify.watch import watch as rounds

    show = _json if as_json else _screen if sys.stdout.isatty() else _log
    told: list[CheckResult] = []
    """Of the round that runs."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        for each in rounds(target, options, settings, _progress(told, show)):
            told.clear()
            show(each, target)
    except KeyboardInterrupt:
        if as_json:
            line("end", {"reason": "stopped"})
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _progress(told: list[CheckResult], show: Callable[[Round, Path], None]) -> Callable[[CheckEvent], None]:
    """Keeps what checks say, and gives a first answer when only the slowest has not ended."""
    from omni.cli.watch import draw

    def tell(event: CheckEvent) -> None:
        if event.result:
            told.append(event.result)
        if event.last:
            errors = sum(finding.severity == "error" for result in told for finding in result.findings)
            if show is _json:
                line("so far", {"errors": errors, "running": event.last})
            elif show is _log:
                click.echo(f"      {errors or 'no'} errors so far; {event.last} is not done")
        if show is _screen and event.kind in {"setup", "started"}:
            draw(f"  … {event.check or event.message}")

    return tell


def _json(each: Round, target: Path) -> None:
    """What changed, each finding, each check, the result."""
    from omni.verify.outputs import ndjson

    line("round", {"number": each.number, "target": str(target), "changed": each.changed})
    if each.report:
        click.echo(ndjson.write(each.report), nl=False)
    elif each.problem:
        problem = each.problem
        line("error", {"code": problem.kind.code, "title": problem.kind.title, "why": problem.why, "fix": problem.fix})


def _log(each: Round, _target: Path) -> None:
    said = _summary(each.report) if each.report else f"INCOMPLETE  {each.problem}"
    click.echo(f"{each.number:>4}  {len(each.changed):>6} changed  {said}")


def _screen(each: Round, target: Path) -> None:
    size = shutil.get_terminal_size()
    lines = list(screen(each, str(target), color=colored()))
    shown = lines if len(lines) < size.lines else [*lines[: size.lines - 2], f"  … {len(lines) - size.lines + 2} more"]
    click.echo(CLEAR + "\n".join(shown))


def screen(each: Round, target: str, *, color: bool = False) -> Iterator[str]:
    """What a person sees after a round: the verdict first, then what to mend, then what changed."""
    from omni.verify.outputs import text

    names = ", ".join(each.changed[:3]) + (f" and {len(each.changed) - 3} more" if len(each.changed) > 3 else "")
    yield f"omni verify --watch {target}   round {each.number}   Ctrl-C ends it"
    yield text.safe(f"changed: {names}" if each.number > 1 else "")
    if each.report is None:
        yield f"INCOMPLETE: {text.safe(str(each.problem))}"
        return
    paint = text.painted if color else text.plain
    yield paint(_summary(each.report), each.report.verdict)
    yield ""
    yield from text.findings(each.report, paint)
    yield from (
        text.safe(f"  {result.check}: {result.status}, {result.reason}")
        for result in each.report.results
        if result.status in {"incomplete", "error"}
    )


def _summary(report: Report) -> str:
    from omni.verify.outputs.summary import counts

    ran = sum(not result.cached and result.status != "skipped" for result in report.results)
    return f"{report.verdict.upper()}  {report.seconds * 1000:.0f} ms  {counts(report)}; {ran} not from the cache"
