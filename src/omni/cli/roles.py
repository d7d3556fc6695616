"""`omni roles`: who does the work, with what tools, by which prompt, and what each hands over."""

from __future__ import annotations

import json
from pathlib import Path

import click

from omni.cli.common import json_option, line, settings, table


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def roles(context: click.Context, as_json: bool) -> None:
    """List the six roles and the 28 specialists."""
    if context.invoked_subcommand is not None:
        return
    from omni.agents.roles import describe
    from omni.agents.roles import roles as declared

    if as_json:
        for role in declared().values():
            line("role", describe(role))
        return
    head = ("id", "title", "prompt", "capability", "called in", "from budget", "when", "hands over", "tools")
    rows = [
        (
            *(r.id, r.title, r.prompt_id, r.capability),
            *((r.call.stage, r.call.budget, r.call.condition) if r.call else (" ".join(r.stages), "", "")),
            *(r.output.rpartition(":")[2], " ".join(r.tools)),
        )
        for r in declared().values()
    ]
    table(head, rows)


@roles.command()
@click.argument("role_id", metavar="ROLE")
@json_option
def show(role_id: str, as_json: bool) -> None:
    """Show one of them: what it is for, what it may use, the whole prompt that a model gets, and its document."""
    from omni.agents.handoffs import schema_of
    from omni.agents.roles import describe, load_role, system

    role = load_role(role_id)
    if as_json:
        line("role", describe(role) | {"system": system(role)})
        return
    reads = (
        ", ".join((*role.inputs, *(f"{name} where there is one" for name in role.optional))) or "nothing but its task"
    )
    click.echo(f"{role.title} ({role.prompt_id})\n{role.purpose}\n")
    click.echo(f"works in    {', '.join(role.stages)}")
    if role.call:
        when = f"when {role.call.condition}" if role.call.when else "always"
        click.echo(f"called in   {role.call.stage}, {when}, from a {role.call.budget} budget on")
    if role.responsible:
        click.echo(f"answers to  {load_role(role.responsible).title}")
    click.echo(f"reads       {reads}\nhands over  {role.output}\ntools       {', '.join(role.tools) or 'none'}")
    click.echo(f"knowledge   {', '.join(role.knowledge)}\ncapability  {role.capability}\n")
    click.echo(f"{system(role)}\n")
    click.echo(json.dumps(schema_of(role.output), indent=2))


@roles.command()
@click.argument("role_id", metavar="ROLE")
@click.argument("task")
@click.option("--file", "files", multiple=True, type=click.Path(exists=True, dir_okay=False), help="A text to show it.")
@click.option(
    "--given",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A document that another role handed over.",
)
@click.option("--model", default="", help="An enabled model; default: the router chooses.")
@click.option("--openapi", is_flag=True, help="Of a contract: print the OpenAPI document that it is.")
def ask(role_id: str, task: str, files: tuple[str, ...], given: tuple[Path, ...], model: str, *, openapi: bool) -> None:
    """Ask one that needs no workspace; print what it hands over, as JSON that --given takes.

    \b
    omni roles ask P0.1 "a todo app with user auth" > spec.json
    omni roles ask P0.2 "the contract of the API" --given spec.json
    omni roles ask P2.3 "look at these routes" --file app/routes.py
    """
    from omni.kernel.database import open_database
    from omni.models.gateway import open_gateway
    from omni.pipeline.consulting import ask_role, read_envelope

    found = settings()
    texts = {name: Path(name).read_text("utf-8", "replace") for name in files}
    documents = [read_envelope(path) for path in given]
    with open_gateway(found, open_database(found)) as gateway:
        said = ask_role(role_id, task, texts, documents, gateway.chat, model)
    for each in said.dropped:
        click.echo(f"dropped: {each.claim} ({each.why})", err=True)
    contract = said.openapi if openapi else None
    click.echo(json.dumps(contract, indent=2) if contract else said.envelope.model_dump_json(indent=2))
