"""`omni config`: each setting, its value, and where it came from."""

from __future__ import annotations

import click

from omni.cli.common import json_option, line, table


@click.command()
@json_option
def config(as_json: bool) -> None:
    """Show each setting and where it comes from.

    Later sources win: default, omni.toml in the Omni home, [settings] of ./omni.toml, OMNI_* variables, flags.
    ./omni.toml may set only tier_deadlines, retries and color: the folder may be anybody's.
    """
    from omni.kernel.settings import explain

    values = explain()
    if as_json:
        for value in values:
            line("setting", value.model_dump())
        return
    table(("setting", "value", "from", "what it is"), [(v.name, v.value, v.origin, v.help) for v in values])
