"""`omni upgrade`: vulnerable dependencies, one at a time, with the tests after each."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, settings


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--environment",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Virtual environment for its tests (default: its .venv).",
)
@click.option("--model", default="", help="Who adapts code that a new version breaks: an enabled model, or auto.")
@json_option
def upgrade(path: Path, environment: Path | None, model: str, as_json: bool) -> int:
    """Upgrade pinned Python packages that are known to be vulnerable: a commit each, on a branch, tests after each.

    \b
    omni vulnerabilities import all.zip
    omni upgrade .
    omni upgrade . --model auto
    """
    from omni.kernel.errors import Exit
    from omni.pipeline.change.upgrade import upgrade as perform
    from omni.sandbox import choose
    from omni.verify.repository import top

    found = settings()
    given = environment.absolute() if environment else None

    def say(text: str) -> None:
        if not as_json:
            click.echo(text)

    adapter = None
    if model:
        from omni.kernel.database import open_database
        from omni.kernel.ids import uuid7
        from omni.pipeline.change.adapting import Adapter
        from omni.pipeline.coding import check_model

        check_model(found, model)
        adapter = Adapter(uuid7(), model, "medium", found, open_database(found), lambda: choose(found))
    done = perform(top(path.resolve()), given, found, lambda: choose(found), say, adapter)
    if as_json:
        line("result", done.model_dump(mode="json"))
    elif not done.upgrades:
        click.echo("no pinned package has a vulnerability that is known")
    else:
        click.echo(f"tests after:  {done.after}")
        click.echo(f"branch: {done.branch or 'none'}; left: {', '.join(done.left) or 'nothing that is known'}")
    return Exit.FAILED if done.left else Exit.PASS
