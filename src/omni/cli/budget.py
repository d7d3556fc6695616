"""`omni budget`: what a run may use, has used, and by whom; and more of it."""

from __future__ import annotations

import getpass

import click

from omni.cli.common import json_option, line, settings


def _tokens(_context: click.Context, _option: click.Parameter, value: str) -> str:
    from omni.models.budget import PRESETS

    if value and value not in PRESETS and not value.isdecimal():
        raise click.BadParameter(f"say a number of tokens, or one of {', '.join(PRESETS)}")
    return value


@click.command()
@click.argument("run")
@click.option("--raise-to", "tokens", default="", callback=_tokens, help="A new limit in tokens, or a preset.")
@json_option
def budget(run: str, tokens: str, as_json: bool) -> int:
    """Show the budget of a run by stage, role and model; or raise it in place, also while the run works.

    \b
    omni budget RUN
    omni budget RUN --raise-to 400000
    """
    from omni.kernel.database import open_database
    from omni.models.budget import Budget, tokens_of
    from omni.models.ledger import usage
    from omni.pipeline.decision import goes_on, raise_budget
    from omni.pipeline.lock import is_worked_on
    from omni.pipeline.run import load

    found = settings()
    engine = open_database(found)
    known = load(engine, run)
    if tokens:
        state = raise_budget(found, engine, known.id, tokens_of(tokens), getpass.getuser())
    else:
        state = Budget(engine, known.id).state()
    rows = usage(engine, ("stage", "role", "model"), run=known.id)
    resume = bool(tokens) and goes_on(known) and not is_worked_on(found, known.id)
    if as_json:
        line("result", state.model_dump() | {"percent": state.percent, "by": [row.model_dump() for row in rows]})
        return 0
    limit = "unlimited" if state.tokens is None else f"of {state.tokens:,} tokens ({state.percent} %)"
    paused = "; paused until it is raised (--raise-to)" if state.paused else ""
    click.echo(f"{state.used:,} used {limit}, {state.kept:,} kept for packaging{paused}")
    if resume:
        click.echo(f"Nobody works on it: omni runs resume {known.id}", err=True)
    for row in rows:
        took = f"{row.prompt + row.completion + row.wasted:>10,} tokens  {row.calls:>4} calls  {row.price:8.4f} $"
        click.echo(f"  {took}  {'  '.join(part or '-' for part in row.key)}")
    return 0
