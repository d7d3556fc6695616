"""How an error is shown: what, why, where, what to do. A bug shows its traceback, since that is what mends it."""

from __future__ import annotations

import errno
import os
import traceback

import click

from omni.cli.common import line
from omni.kernel.errors import Exit, OmniError, declare

DISK_FULL = declare("X001", "The disk is full", Exit.FAILED, "Free some space, then do the same again.")
NO_ACCESS = declare(
    "X003", "A file can't be read or written", Exit.INCOMPLETE, "Check the path, and whether it is yours to use."
)
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}
"""What the system says when a person named a place that is not theirs. That a file is not there may be a bug."""
_FULL = ("No space left on device", "Disk quota exceeded", "database or disk is full")
"""How the system and SQLite say it; libraries and programs wrap it into errors of their own."""


def show(error: BaseException, *, as_json: bool, advice: str = "") -> int:
    """Show an error, with what to do once it is mended; returns the exit code that goes with it."""
    if any(words in str(error) for words in _FULL):
        error = OmniError(DISK_FULL, " ".join(str(error).split("\n[SQL")[0].split()))
    elif isinstance(error, OSError) and error.errno in _REFUSED and error.filename:
        error = OmniError(NO_ACCESS, error.strerror or str(error), where=os.fsdecode(error.filename))
    if not isinstance(error, OmniError):
        traceback.print_exception(error)
        if advice:
            click.echo(f"omni: This is a bug. {advice}", err=True)
        return Exit.FAILED
    kind, fix = error.kind, f"{error.fix} {advice}".rstrip()
    if as_json:
        about = {"code": kind.code, "title": kind.title, "why": error.why, "where": error.where, "fix": fix}
        line("error", {**about, "exit_code": int(kind.exit)})
        return kind.exit
    click.echo(f"omni: {kind.title} [{kind.code}]\n  why:   {error.why}", err=True)
    if error.where:
        click.echo(f"  where: {error.where}", err=True)
    click.echo(f"  do:    {fix}", err=True)
    return kind.exit
