"""`omni engines`: the hands that can do a task, and how well they did."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from omni.cli.common import json_option, line, settings, table
from omni.kernel.errors import Exit


@click.group()
def engines() -> None:
    """List and install engines: Omni's own, and agents that others have made.

    Each works in the sandbox on a copy of the workspace and reaches nothing but the models' endpoint. Those from PyPI
    and npm are pinned by hashes, each in an environment of its own.
    """


@engines.command("list")
@json_option
def list_engines(as_json: bool) -> None:
    """List every engine: version, whether it is here, and how it is proved.

    Proof “run”: the conformance suite runs the real program. “recorded”: its documented way of working is played.
    """
    from omni.agents.engines.running import listed

    found = listed(settings())
    if as_json:
        for each in found:
            line("engine", each.model_dump(mode="json"))
        return
    rows = [(each.name, each.version, each.state, each.proof, each.get or each.title) for each in found]
    table(("engine", "version", "state", "proof", "what, or how to get it"), rows)


@engines.command("results")
@click.option("--model", default="auto", help="What `auto` would do with this model; of all models unless given.")
@json_option
def show_results(model: str, as_json: bool) -> None:
    """Show what engines achieved here, by kind of task and model, and which one `--engine auto` takes for each kind.

    A result is kept of every build and change that a model worked on, once verification and tests have judged it.
    """
    from omni.agents.engines.results import FEWEST, PROVED, figures
    from omni.agents.engines.running import pick
    from omni.kernel.database import open_database

    found = settings()
    database = open_database(found)
    try:
        rows = figures(database)
        choices = {kind: pick(kind, model, found, database) for kind in dict.fromkeys(row.kind for row in rows)}
    finally:
        database.dispose()
    if as_json:
        for row in rows:
            line("result", {**row.model_dump(mode="json"), "proved": round(row.proved, 3)})
        for kind, choice in choices.items():
            line("choice", {"kind": kind, **choice.model_dump(mode="json")})
        return
    shown = [
        (r.kind, r.engine, r.model, f"{r.passed} of {r.runs}", f"{r.proved:.0%}", str(r.tokens), f"{r.seconds:g}")
        for r in rows
    ]
    table(("kind of task", "engine", "model", "passed", "proved", "tokens", "seconds"), shown)
    for choice in choices.values():
        click.echo(f"\nauto takes {choice.engine}: {choice.why}")
    click.echo(f"\nproved: lower end of the 95 % interval. An engine counts from {FEWEST} results and {PROVED:.0%} on.")


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


@engines.command("run")
@click.argument("name", metavar="NAME")
@click.argument("instructions")
@click.option("--endpoint", required=True, metavar="URL", help="An OpenAI-compatible endpoint: omni serve models.")
@click.option("--model", required=True, help="The model, as the endpoint names it; of Omni's own: auto.")
@click.option(
    "--key", metavar="NAME", help="Variable, or file in the home's secrets, with the endpoint's key; no engine sees it."
)
@click.option("--budget", type=click.IntRange(1), metavar="TOKENS", help="Of prompts and replies together.")
@click.option("--kind", default="", help="Of the task, as bugfix: have the outcome verified, and keep the result.")
@json_option
def run_one(
    name: str,
    instructions: str,
    endpoint: str,
    model: str,
    key: str | None,
    budget: int | None,
    kind: str,
    as_json: bool,
) -> None:
    """Let one engine work on the project in the current folder, and print the difference that it made.

    Its changes are in the project when it ends well, and nowhere else when it does not. NAME may be `auto`.
    """
    from omni.agents.engines.contract import EngineTask
    from omni.agents.engines.running import judge, run_engine
    from omni.agents.workspace import AgentWorkspace
    from omni.kernel.database import open_database
    from omni.models.keys import read_key

    found = settings()
    secret = read_key(found.home, key) if key else None
    if key and secret is None:
        raise click.BadParameter(f"there is no variable and no file {key}", param_hint="--key")
    task = EngineTask(AgentWorkspace(Path.cwd()), instructions, endpoint, model, secret, budget, kind=kind)
    database = open_database(found)
    try:
        result = run_engine(name, task, found, database)
        verdict = judge(task, result, found, database) if kind else ""
    finally:
        database.dispose()
    if as_json:
        line("engine", {**result.model_dump(mode="json"), "verdict": verdict})
    else:
        click.echo(result.diff, nl=False)
        said = " ".join(filter(None, (f"{result.engine} {result.version}: {result.ended}", result.why, verdict)))
        click.echo(f"omni engines: {said}; {result.usage.total} tokens, {result.seconds:.1f} s", err=True)
    if not result.ok or verdict == "fail":
        sys.exit(Exit.FAILED if result.ok else Exit.INCOMPLETE)
