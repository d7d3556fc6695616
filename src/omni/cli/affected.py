"""`omni affected`: the packages of a repository that a change touches."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, table


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--base", default="HEAD", show_default=True, help="Commit to compare with.")
@json_option
def affected(path: Path, base: str, as_json: bool) -> None:
    """List the packages of a monorepo, and why a change since --base affects them.

    \b
    omni affected --base main
    """
    from omni.verify.files import take_inventory
    from omni.verify.monorepo import affected as judge
    from omni.verify.monorepo import packages
    from omni.verify.plan import Options, changed_files

    inventory = take_inventory(path.resolve())
    changed = changed_files(Options(changed=True, base=base), inventory) or frozenset()
    found = judge(packages(inventory), changed)
    if as_json:
        for each in found:
            about = {"name": each.package.name, "path": each.package.path, "needs": sorted(each.package.needs)}
            line("package", {**about, "affected": bool(each.why), "why": each.why})
        line("result", {"packages": len(found), "affected": sum(bool(each.why) for each in found)})
        return
    if not found:
        click.echo("one project: there are no packages of a workspace here")
    table(("package", "folder", "affected"), [(e.package.name, e.package.path, e.why or "no") for e in found])
