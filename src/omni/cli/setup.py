"""`omni setup`: everything that later work needs from the network, fetched once."""

from __future__ import annotations

import time

import click

from omni.cli.common import settings


def _quietly(_text: str) -> None:
    """The line that stands already says what is being done."""


@click.command()
def setup() -> None:
    """Fetch what Omni needs to work without a network: verification tools and the templates' environments."""
    from omni.kernel import environments
    from omni.templates.catalog import templates
    from omni.verify.tools import LOCK

    found = settings()
    wanted = {("tools", LOCK)} | {(template.environment, template.environment_lock) for template in templates()}
    for name, lock in sorted(wanted):
        began = time.monotonic()
        click.echo(f"omni setup: environment {name} … ", nl=False, err=True)
        environments.ensure(name, lock, found.home, found.offline, _quietly)
        click.echo(f"{time.monotonic() - began:.1f} s", err=True)
