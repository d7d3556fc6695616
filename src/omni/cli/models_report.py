"""`omni models report`: what the last days took, for people or as a file."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, settings, table


@click.command()
@click.option("--days", default=7, show_default=True, type=click.IntRange(1), help="Of the last days.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file: .html or .json.")
@json_option
def report(days: int, out: Path | None, as_json: bool) -> None:
    """Show what models took by project and stage, and what each project keeps on disk.

    \b
    omni models report --out costs.html
    """
    from omni.kernel.database import open_database
    from omni.kernel.files import write_atomic
    from omni.pipeline.costs import cost_report, page

    if out and out.suffix not in {".html", ".json"}:
        raise click.BadParameter("say a name that ends with .html or .json", param_hint="--out")
    found = settings()
    engine = open_database(found)
    try:
        made = cost_report(found, engine, days)
    finally:
        engine.dispose()
    if out:
        write_atomic(out, (page(made) if out.suffix == ".html" else made.model_dump_json(indent=2) + "\n").encode())
    if as_json:
        line("result", made.model_dump(mode="json"))
        return
    rows = [(each.project, each.stage, each.took) for each in made.costs]
    told = [
        (project, stage, f"{took.calls}", f"{took.tokens}", f"{took.gpu_seconds / 60:.1f}", f"{took.price:.4f}")
        for project, stage, took in [*rows, ("all", "", made.total)]
    ]
    table(("project", "stage", "calls", "tokens", "GPU min", "US$"), told, headed=True)
    click.echo()
    sizes = [*((each.project, each.size) for each in made.stored), ("all", made.stored_total)]
    table(("project", "GB"), [(project, f"{size / 1e9:.3f}") for project, size in sizes], headed=True)
