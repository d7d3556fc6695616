"""`omni tools`: the programs that checks use."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, settings, table


@click.group()
def tools() -> None:
    """List, install and lock the tools that checks use.

    Each comes from a set that is pinned by hashes and kept in an environment of its own, or is this machine's own.
    """


@tools.command("list")
@json_option
def list_tools(as_json: bool) -> None:
    """List every tool: version, set, whether it is here, which checks use it, what it is for."""
    from omni.verify.registry import checks
    from omni.verify.toolbox import known_tools

    found = known_tools(checks(), settings().home)
    if as_json:
        for tool in found:
            line("tool", tool.model_dump(mode="json"))
        return
    rows = []
    for tool in found:
        state = "installed" if tool.installed else "not installed"
        rows.append((tool.name, tool.version, tool.toolset, state, ", ".join(tool.checks), tool.get or tool.what))
    table(("tool", "version", "set", "state", "checks", "what for, or how to get it"), rows)


@tools.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every set, also the large ones.")
@json_option
def install(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Install sets of tools, by the name of a set or of a tool in it; without a name the base set.

    `python` fetches the newest CPython for tools that read Python by its own parser. Once installed, a set needs no
    network.
    """
    from omni.kernel.environments import bring_python
    from omni.verify.registry import checks
    from omni.verify.toolbox import install_sets, known_tools, sets_to_install
    from omni.verify.tools import BASE, toolsets

    found = settings()
    if "python" in names:
        _say_installed("python", bring_python(found.home, _progress), as_json)
    wanted = toolsets() if everything else tuple(name for name in names if name != "python")
    if not wanted and not names:
        wanted = (BASE,)
    sets = sets_to_install(wanted, known_tools(checks(), found.home))
    for name, root in zip(sets, install_sets(sets, found.home, found.offline, _progress), strict=True):
        _say_installed(name, root, as_json)


@tools.command()
@click.argument("names", nargs=-1, metavar="[SET]...")
@json_option
def update(names: tuple[str, ...], as_json: bool) -> None:
    """Show what locking sets anew would change. Nothing is installed; the new locks are left in Omni's home."""
    from omni.kernel.files import write_atomic
    from omni.verify.toolbox import update as changes_of
    from omni.verify.tools import FOLDER, toolsets

    folder = settings().home / "toolsets"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or [each for each in toolsets() if (FOLDER / f"{each}.in").is_file()]:
        changes, lock = changes_of(name)
        write_atomic(folder / f"{name}.lock", lock)
        for change in changes:
            if as_json:
                line("change", {"set": name, **change.model_dump(mode="json")})
            else:
                click.echo(f"{name}: {change.package} {change.before or 'none'} → {change.after or 'none'}")
        if not as_json:
            click.echo(f"{name}: {len(changes)} changes; the new lock: {folder / f'{name}.lock'}")


@tools.command()
@click.argument("target", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def lock(target: Path, as_json: bool) -> None:
    """Write omni-tools.lock into the project TARGET: versions and hashes of the tools it is verified with."""
    from omni.verify import toollock
    from omni.verify.registry import checks
    from omni.verify.toolbox import known_tools

    used = [tool for tool in known_tools(checks(), settings().home) if tool.checks]
    path = toollock.write(target, used)
    if as_json:
        line("lock", {"path": str(path)})
    else:
        click.echo(path)


def _progress(text: str) -> None:
    click.echo(f"omni tools: {text}", err=True)


def _say_installed(name: str, root: Path, as_json: bool) -> None:
    if as_json:
        line("installed", {"set": name, "root": str(root)})
    else:
        click.echo(f"{name} {root}")
