"""`omni ci`: verification where the team's changes meet."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line

KINDS = ("woodpecker", "gitea", "github", "gitlab", "pre-commit")


@click.group()
def ci() -> None:
    """Verify in CI and before each commit."""


@ci.command()
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
@click.option("--path", "root", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def init(kinds: tuple[str, ...], root: Path, as_json: bool) -> None:
    """Write the file that runs `omni verify` in this CI; without a name, in what the repository uses.

    \b
    omni ci init
    omni ci init github pre-commit
    """
    from omni.verify.ci import init as write

    for path in write(root, kinds):
        if as_json:
            line("file", {"path": str(path.relative_to(root))})
        else:
            click.echo(f"wrote {path.relative_to(root)}")
