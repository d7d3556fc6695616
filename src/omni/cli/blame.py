"""`omni blame`: who wrote each line of a file."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, table

SUBJECT = 50
"""Characters of a commit's subject."""


def shortened(subject: str) -> str:
    return subject if len(subject) <= SUBJECT else f"{subject[: SUBJECT - 1]}…"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def blame(file: Path, as_json: bool) -> None:
    """Say of each line of a committed file which model, by which prompt, in which run and role wrote it.

    \b
    omni blame src/app/login.py
    """
    from omni.pipeline.blame import blame as origins

    found = origins(file)
    if as_json:
        for each in found:
            line("line", each.model_dump())
        return
    if not any(each.run for each in found):
        table(
            ("commit", "subject", "line"),
            [(each.commit[:10], shortened(each.subject), f"{each.line:>4} {each.text}") for each in found],
        )
        click.echo("No line of it was written by Omni: the commits name no run.", err=True)
        return
    rows = [
        (
            each.commit[:10],
            each.run[-8:] or "-",
            each.role or "-",
            each.model or "-",
            each.prompt or "-",
            each.knowledge or "-",
            f"{each.line:>4} {each.text}",
        )
        for each in found
    ]
    table(("commit", "run", "role", "model", "prompt", "knowledge", "line"), rows)
