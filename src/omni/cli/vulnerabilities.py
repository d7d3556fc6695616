"""`omni vulnerabilities`: what is known of published vulnerabilities without asking anybody."""

from __future__ import annotations

import zipfile
from pathlib import Path

import click

from omni.cli.common import json_option, line, settings, table
from omni.kernel.clock import now
from omni.kernel.errors import Exit, OmniError, declare

BAD_ARCHIVE = declare("C050", "This is no archive of OSV", Exit.USAGE, "Give all.zip of an ecosystem, as OSV has it.")


@click.group()
def vulnerabilities() -> None:
    """Keep a snapshot of the OSV database, so that dependencies can be looked up without a network."""


@vulnerabilities.command("import")
@click.argument("archives", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def take(archives: tuple[Path, ...], as_json: bool) -> None:
    """Make the snapshot of one or more archives, `all.zip` of PyPI, npm or crates.io, in place of the one before."""
    from omni.verify.analysis.osv import take as make  # only this command reads archives
    from omni.verify.checks.vulnerabilities import snapshot_path

    try:
        make(archives, snapshot_path(settings().home))
    except (OSError, zipfile.BadZipFile) as problem:
        raise OmniError(BAD_ARCHIVE, str(problem), where=", ".join(map(str, archives))) from problem
    _show(as_json)


@vulnerabilities.command()
@json_option
def show(as_json: bool) -> None:
    """Say what the snapshot knows, and until when."""
    _show(as_json)


def _show(as_json: bool) -> None:
    from omni.verify.analysis.osv import Snapshot
    from omni.verify.checks.vulnerabilities import IMPORT, snapshot_path

    path = snapshot_path(settings().home)
    if not path.is_file():
        raise OmniError(BAD_ARCHIVE, "there is no snapshot yet", fix=f"Type: {IMPORT}")
    with Snapshot(path) as snapshot:
        parts = snapshot.parts.values()
    if as_json:
        for part in parts:
            facts = {"ecosystem": part.ecosystem, "newest": part.newest.isoformat(), "entries": part.entries}
            line("snapshot", facts)
        return
    rows = [(p.ecosystem, f"{p.entries}", f"{p.newest:%Y-%m-%d}", f"{(now() - p.newest).days}") for p in parts]
    table(("ecosystem", "entries", "until", "days old"), rows)
