"""How an error is shown: what, why, where, what to do. A bug shows its traceback, since that is what mends it."""

from __future__ import annotations

import traceback

import click

from omni.cli.common import line
from omni.kernel.errors import Exit, OmniError


def show(error: BaseException, *, as_json: bool) -> int:
    """Show an error; returns the exit code that goes with it."""
    if not isinstance(error, OmniError):
        traceback.print_exception(error)
        return Exit.FAILED
    kind = error.kind
    if as_json:
        about = {"code": kind.code, "title": kind.title, "why": error.why, "where": error.where, "fix": error.fix}
        line("error", about)
        return kind.exit
    click.echo(f"omni: {kind.title} [{kind.code}]\n  why:   {error.why}", err=True)
    if error.where:
        click.echo(f"  where: {error.where}", err=True)
    click.echo(f"  do:    {error.fix}", err=True)
    return kind.exit
