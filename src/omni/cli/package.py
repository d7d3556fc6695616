"""`omni package`: check what was handed over."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line
from omni.kernel.errors import Exit


@click.group()
def package() -> None:
    """Check what was handed over."""


@package.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def verify(folder: Path, as_json: bool) -> int:
    """Check that every file of a package is as it was signed: none changed, missing or added."""
    from omni.delivery.package import verify_package

    verdict = verify_package(folder)
    if as_json:
        line("result", verdict.model_dump())
    else:
        click.echo("intact" if verdict.ok else "TAMPERED")
        for problem in verdict.problems:
            click.echo(f"  {problem}")
    return Exit.PASS if verdict.ok else Exit.FAILED
