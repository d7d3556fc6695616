"""`omni engines`: the hands that can do a task, and how well they did."""

from __future__ import annotations

import click

from omni.cli.common import json_option, line, settings, table


@click.group()
def engines() -> None:
    """List and install engines: Omni's own, and agents that others have made.

    Each works in the sandbox on a copy of the workspace and reaches nothing but the models' endpoint. Those from PyPI
    and npm are pinned by hashes, each in an environment of its own.
    """


@engines.command("list")
@json_option
def list_engines(as_json: bool) -> None:
    """List every engine: version, whether it is here, how it is proved, and its results by kind of task.

    Proof “run”: the conformance suite runs the real program. “recorded”: its documented way of working is played.
    """
    from omni.agents.engines.results import figures
    from omni.agents.engines.running import listed
    from omni.kernel.database import open_database

    found = settings()
    database = open_database(found)
    try:
        results = figures(database)
    finally:
        database.dispose()
    if as_json:
        for each in listed(found):
            line("engine", each.model_dump(mode="json"))
        for row in results:
            line("result", row.model_dump(mode="json"))
        return
    rows = [(each.name, each.version, each.state, each.proof, each.get or each.title) for each in listed(found)]
    table(("engine", "version", "state", "proof", "what, or how to get it"), rows)
    if results:
        click.echo()
        shown = [(r.engine, r.kind, f"{r.passed} of {r.runs}", str(r.tokens), f"{r.seconds:g}") for r in results]
        table(("engine", "kind of task", "passed", "tokens", "seconds"), shown)


@engines.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
def install(names: tuple[str, ...], as_json: bool) -> None:
    """Install engines by name. Once installed, an engine needs no network but the models' endpoint."""
    from omni.agents.engines.installed import install as bring
    from omni.agents.engines.registry import adapter

    found = settings()
    for wanted in [adapter(name) for name in names]:
        here = bring(wanted, found.home, found.offline, lambda text: click.echo(f"omni engines: {text}", err=True))
        if as_json:
            line("installed", {"engine": wanted.name, "version": here.version, "program": str(here.program)})
        else:
            click.echo(f"{wanted.name} {here.version} {here.program}")
