"""`omni analyse`: what a codebase is, before anybody changes it."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page goes (default: docs/codebase-analysis.md in the repository; - prints it).",
)
@json_option
def analyse(path: Path, output: Path | None, as_json: bool) -> None:
    """Read a codebase, never run it: files, imports, entry points, a traced request, patterns, problems, tests.

    \b
    omni analyse .
    omni analyse ../shop --output -
    """
    from omni.code.analysis import analyse as read
    from omni.code.document import render
    from omni.kernel.files import write_atomic
    from omni.verify.repository import listed_files

    root = path.resolve()
    listed = listed_files(root)
    found = read(root, None if listed is None else (name for name in listed if (root / name).is_file()))
    if as_json:
        line("result", found.model_dump(mode="json"))
        return
    page = render(found, root.name)
    if output is not None and str(output) == "-":
        click.echo(page, nl=False)
        return
    into = output or root / "docs" / "codebase-analysis.md"
    into.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(into, page)
    serious = sum(each.kind in {"cycle", "complex", "untested", "dead"} for each in found.problems)
    click.echo(f"{len(found.files)} files, {len(found.entry_points)} entry points, {serious} problems: {into}")
