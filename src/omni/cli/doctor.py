"""`omni doctor`: what is here, what is missing, what to type."""

from __future__ import annotations

from dataclasses import asdict

import click

from omni.cli.common import json_option, line, settings
from omni.kernel.errors import Exit


@click.command()
@click.option("--sandbox", "attack", is_flag=True, help="Try every known escape from the sandbox, for real.")
@json_option
def doctor(attack: bool, as_json: bool) -> int:
    """Say what is here, what is missing, and what to type to mend it."""
    from omni.kernel.doctor import examine
    from omni.models.enabling import doctor_row

    found = settings()
    rows = [*examine(found), doctor_row(found)]
    for row in rows:
        if as_json:
            line("doctor", asdict(row))
        else:
            click.echo(f"{'ok  ' if row.ok else 'MISS'}  {row.name:<16} {row.found}")
            if not row.ok:
                click.echo(f"      for {row.needed_for}. Type: {row.fix}")
    held = _attack(as_json) if attack else True
    return Exit.PASS if held and all(row.ok for row in rows) else Exit.INCOMPLETE


def _attack(as_json: bool) -> bool:
    from omni.sandbox import choose
    from omni.sandbox.selftest import attacks

    driver = choose(settings())
    results = attacks(driver)
    for result in results:
        if as_json:
            line("attack", {"name": result.name, "held": result.held, "detail": result.detail})
        else:
            click.echo(f"{'held' if result.held else 'OPEN'}  {result.name:<28} {result.detail}")
    return all(result.held for result in results)
