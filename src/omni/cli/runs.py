"""`omni runs`: what ran, what runs, what waits."""

from __future__ import annotations

import click

from omni.cli.common import json_option, line, settings, table


@click.group()
def runs() -> None:
    """List, show, follow, resume and cancel runs. RUN may be the beginning or the end of an id."""


@runs.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """The newest runs first."""
    from omni.kernel.database import open_database
    from omni.pipeline.run import recent

    found = recent(open_database(settings()))
    if as_json:
        for run in found:
            line("run", {"id": run.id, "status": run.status, "verdict": run.verdict, "request": run.request})
        return
    rows = [
        (r.id, r.status, r.verdict or "-", f"{r.created_at:%Y-%m-%d %H:%M}", " ".join(r.request.split())[:60])
        for r in found
    ]
    table(("run", "status", "verdict", "created (UTC)", "request"), rows)


@runs.command()
@click.argument("run")
@json_option
def show(run: str, as_json: bool) -> None:
    """One run: its stages, its approvals, what it waits for."""
    from omni.cli.watch import commands
    from omni.kernel.database import open_database
    from omni.pipeline.approvals import decided, question
    from omni.pipeline.run import load, stage_records

    engine = open_database(settings())
    found = load(engine, run)
    stages = stage_records(engine, found.id)
    if as_json:
        line("run", {"id": found.id, "status": found.status, "verdict": found.verdict, "request": found.request})
        for s in stages:
            line("stage", {"name": s.name, "attempt": s.attempt, "status": s.status, "seconds": s.seconds})
        return
    click.echo(f"{found.id}  {found.status}  {found.verdict}\n{found.request}\n")
    table(
        ("", "stage", "attempt", "status", "seconds"),
        [(s.number, s.name, str(s.attempt), s.status, f"{s.seconds:.1f}") for s in stages],
    )
    for approval in decided(engine, found.id):
        click.echo(f"{approval.gate}: {approval.decision} by {approval.by or 'nobody'}. {approval.reason}".rstrip())
    if asked := question(engine, found.id):
        click.echo(f"{asked.gate}: waits for a person until {asked.deadline:%Y-%m-%d %H:%M} UTC")
        for command in commands(found.id, asked.gate):
            click.echo(f"  {command}")


@runs.command()
@click.argument("run")
@click.option("--follow", is_flag=True, help="Go on until the run ends.")
@click.option("--after", type=int, default=0, help="Only events after this id.")
@json_option
def logs(run: str, follow: bool, after: int, as_json: bool) -> None:
    """Every event of a run, from its beginning."""
    from omni.cli.watch import JsonLines, LogLines
    from omni.cli.watch import follow as show
    from omni.kernel.database import open_database
    from omni.pipeline.run import load

    engine = open_database(settings())
    found = load(engine, run)

    def done() -> bool:
        return not follow or load(engine, found.id).status in {"ended", "cancelled"}

    show(engine, found.id, done, JsonLines() if as_json else LogLines(), after)


@runs.command()
@click.argument("run")
@json_option
def transcript(run: str, as_json: bool) -> None:
    """What models were asked in a run, what they said and did, turn by turn, as Markdown."""
    from omni.agents.log import SessionLog, sessions
    from omni.agents.transcript import transcript as page
    from omni.kernel.database import open_database
    from omni.pipeline.credits import markdown, specialists
    from omni.pipeline.run import load

    configured = settings()
    engine = open_database(configured)
    found, called = sessions(engine, load(engine, run).id), specialists(configured, engine, load(engine, run).id)
    if as_json:
        for each in called:
            line("specialist", each.model_dump(mode="json"))
    elif called:
        click.echo(markdown(called))
    for session in found:
        lines = SessionLog(engine, session).lines()
        if not as_json:
            click.echo(page(session, lines))
            continue
        for entry in lines:
            about = {"session": session, "number": entry.number, "at": entry.at.isoformat()}
            line("entry", about | entry.entry.model_dump(mode="json"))
    if not (found or called or as_json):
        click.echo("No model was asked in this run.")


@runs.command()
@click.argument("run")
@click.option("--no-wait", is_flag=True, help="Stop when a person is waited for.")
@json_option
def resume(run: str, no_wait: bool, as_json: bool) -> None:
    """Take up a run where it was left: killed, stopped, waiting, unable to go on, or ended and its budget raised."""
    from omni.cli.execution import execute
    from omni.kernel.database import open_database
    from omni.pipeline.decision import reopen

    found = settings()
    engine = open_database(found)
    execute(reopen(found, engine, run), found, engine, as_json=as_json, wait=not no_wait)


@runs.command()
@click.argument("run")
def cancel(run: str) -> None:
    """Stop a run for good. A process that works on it ends at once."""
    from omni.pipeline.decision import cancel as stop

    click.echo(stop(settings(), run))
