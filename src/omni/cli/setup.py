"""`omni setup`: everything that later work needs from the network, fetched once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import click

from omni.cli.common import settings


@click.command()
def setup() -> None:
    """Fetch what Omni needs to work without a network: verification tools and the templates' environments."""
    for name, ensure in _environments():
        began = time.monotonic()
        click.echo(f"omni setup: environment {name} … ", nl=False, err=True)
        ensure()
        click.echo(f"{time.monotonic() - began:.1f} s", err=True)


def _environments() -> Iterator[tuple[str, Callable[[], object]]]:
    """Each environment by name, and what makes it where it is not there yet."""
    from omni.kernel.environments import ensure, ensure_node
    from omni.templates.catalog import templates
    from omni.verify.tools import LOCK

    home, offline = (found := settings()).home, found.offline
    wanted = {("tools", LOCK)} | {(template.environment, template.environment_lock) for template in templates()}
    for name, lock in sorted(wanted):
        yield name, partial(ensure, name, lock, home, offline, _quietly)
    for template in templates():
        if packages := template.node_lock:
            manifest = packages.with_name("package.json")
            yield template.name, partial(ensure_node, template.name, manifest, packages, home, offline, _quietly)


def _quietly(_text: str) -> None:
    """The line that stands already says what is being done."""
