"""`omni profiles`: what a law, a standard or a discipline asks, and which of them a project should choose."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, table


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def profiles(context: click.Context, as_json: bool) -> None:
    """List the profiles; a project chooses them in omni.toml: [verify] profiles = ["gdpr"]."""
    if context.invoked_subcommand is not None:
        return
    from omni.verify.profile import profiles as declared

    found = declared().values()
    if as_json:
        for profile in found:
            line("profile", profile.model_dump(mode="json"))
        return
    rows = [(each.id, str(len(each.rules)), "always" if each.always else "chosen", each.title) for each in found]
    table(("id", "rules", "runs when", "title"), rows)


@profiles.command()
@click.argument("profile_id", metavar="ID")
@json_option
def show(profile_id: str, as_json: bool) -> None:
    """Show the rules of one profile: how grave, why, how to mend, what source code can't tell."""
    from omni.verify.profile import get

    profile = get(profile_id)
    if as_json:
        line("profile", profile.model_dump(mode="json"))
        return
    click.echo(f"{profile.title}\n{profile.about}\n{profile.source}\n")
    for rule in profile.rules:
        click.echo(f"{rule.id}  {rule.level}  {rule.title}\n    why   {rule.why}\n    mend  {rule.mend}")
        click.echo(f"    not seen  {rule.unseen}\n" if rule.unseen else "")


@profiles.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def suggest(path: Path, as_json: bool) -> None:
    """Say which profiles a project should choose, each with the place that shows it."""
    from omni.verify.suggestions import suggest as find

    found = find(path)
    if as_json:
        for each in found:
            line("suggestion", each.model_dump(mode="json"))
        return
    table(
        ("profile", "chosen", "because", "where"),
        [(s.profile, "yes" if s.chosen else "no", s.because, s.where) for s in found],
    )
