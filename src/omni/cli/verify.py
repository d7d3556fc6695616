"""`omni verify`: the truth about a repository."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from omni.cli.common import colored, line, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from omni.kernel.settings import Settings
    from omni.verify.asked import Asked
    from omni.verify.engine import CheckEvent
    from omni.verify.report import Report

FORMATS = ("text", "json", "ndjson", "sarif", "html", "junit", "comment")


@click.command()
@click.argument("path", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--tier", type=click.IntRange(1, 4), help="Up to this tier: 1 instant, 2 fast, 3 deep, 4 exhaustive.")
@click.option("--changed", is_flag=True, help="Only files that differ from --base.")
@click.option(
    "--base", default="", help="Commit to compare with (default HEAD); with --new, findings there don't count."
)
@click.option("--new", is_flag=True, help="Only findings that the base does not have.")
@click.option("--only", multiple=True, help="Only this check (id; may be given again).")
@click.option("--fix", is_flag=True, help="Apply the fixes that are safe, then verify.")
@click.option("--commit", is_flag=True, help="With --fix: make what it mends one commit, and show it.")
@click.option(
    "--sarif",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Findings of another tool, to join the report and the gate (may be given again).",
)
@click.option("--watch", is_flag=True, help="Stay, and verify again after each change.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format ndjson.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@click.option(
    "--environment",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Virtual environment for the tests.",
)
def verify(
    path: Path,
    tier: Literal[1, 2, 3, 4] | None,
    changed: bool,
    base: str,
    new: bool,
    only: tuple[str, ...],
    fix: bool,
    commit: bool,
    sarif: tuple[Path, ...],
    watch: bool,
    form: str,
    as_json: bool,
    output: Path | None,
    environment: Path | None,
) -> int:
    """Tell the truth about a repository: what was looked at, what was found, what could not be looked at.

    \b
    omni verify .
    omni verify . --changed --base main
    omni verify . --tier 1 --format sarif --output findings.sarif
    """
    # Imported here, as in every command: `omni --version` and `omni --help` stay fast.
    from omni.kernel.errors import Exit
    from omni.verify.config import load_config
    from omni.verify.engine import verify as examine
    from omni.verify.fix import require_clean
    from omni.verify.gate import decide, gate_of
    from omni.verify.outputs import render
    from omni.verify.plan import Options

    found = settings()
    tiers: tuple[Literal[1, 2, 3, 4], ...] = tuple(number for number in (1, 2, 3, 4) if tier and number <= tier)
    options = Options(
        tiers=tiers, only=only, changed=changed, base=base, fix=fix, baseline=new, environment=environment, sarif=sarif
    )
    if watch:
        from omni.cli.verify_watch import watch as stay

        return stay(path, options, found, as_json=as_json)
    if commit and not fix:
        raise click.UsageError("--commit needs --fix")
    if commit:
        require_clean(path)
    form = "ndjson" if as_json else form
    repeats = not (fix or sarif or output or "@{" in base)  # what a reflog says, no file in view tells
    asked = _asked(path, environment, found) if repeats else None
    report = examine(path, options, found, _progress())
    _say(report, form, output)
    if commit:
        _committed(path, as_json=as_json)
    decision = decide(report, gate_of("default", load_config(path)))
    code = Exit.PASS if decision.passed else Exit.FAILED if report.verdict == "fail" else Exit.INCOMPLETE
    if asked:
        asked.answered(report, code, lambda warm: render(warm, form, color=colored()))
    return code


def _asked(path: Path, environment: Path | None, found: Settings) -> Asked | None:
    """The question, so that it need not be answered twice; None where it did not come from the command line."""
    from omni.verify.asked import put

    arguments = click.get_current_context().find_root().obj
    return put(arguments, path, environment, found) if arguments else None


def _say(report: Report, form: str, output: Path | None) -> None:
    """On the terminal, or in a file."""
    from omni.kernel.files import write_atomic
    from omni.verify.outputs import render

    text = render(report, form, color=output is None and colored())
    if output:
        write_atomic(output, text)
        click.echo(f"{report.verdict}  {output}", err=True)
    else:
        click.echo(text, nl=False)


def _committed(path: Path, *, as_json: bool) -> None:
    """Say what the commit of the fixes holds, and how it is undone."""
    from omni.verify.fix import commit_mended

    made = commit_mended(path)
    undo = f"git revert {made.id[:12]}" if made else ""
    if as_json:
        line("commit", {"id": made.id if made else "", "files": made.files if made else [], "undo": undo})
    elif made:
        click.echo(f"{made.diff}\ncommit {made.id}: {len(made.files)} files; undo it with: {undo}", err=True)
    else:
        click.echo("nothing could be mended, so there is no commit", err=True)


def _progress() -> Callable[[CheckEvent], None] | None:
    """A running line on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return None
    from omni.cli.watch import draw

    running: list[str] = []

    def told(event: CheckEvent) -> None:
        if event.kind == "setup":
            running[:] = [event.message]
        elif event.kind == "started":
            running.append(event.check)
        elif event.check in running:
            running.remove(event.check)
        text = f"verifying: {', '.join(running)}" if running else ""
        draw(text)

    return told
