"""`omni audit`: the tamper-evident log of decisions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from omni.cli.common import json_option, line, settings
from omni.kernel.errors import Exit


@click.group()
def audit() -> None:
    """Verify and export the tamper-evident log."""


@audit.command()
@click.option(
    "--export",
    "exported",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that `omni audit export` wrote: the log must begin with it.",
)
@json_option
def verify(exported: Path | None, as_json: bool) -> int:
    """Check every entry and every signed checkpoint; with --export, against a copy kept elsewhere."""
    from omni.pipeline.audit import log

    verdict = log(settings()).verify(exported)
    if as_json:
        line("result", asdict(verdict))
    else:
        click.echo(f"{'intact' if verdict.ok else 'TAMPERED'}: {verdict.size} entries")
        for problem in verdict.problems:
            click.echo(f"  {problem}")
    return Exit.PASS if verdict.ok else Exit.FAILED


@audit.command()
@click.argument("path", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(path: Path) -> None:
    """Write the log and a fresh signed checkpoint to a file; keep it on another machine."""
    from omni.pipeline.audit import log

    log(settings()).export(path)
    click.echo(str(path))
