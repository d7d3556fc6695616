"""What every command shares: settings from flags, NDJSON lines, small tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from omni.kernel.settings import Settings

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last is the result.")


def settings(**flags: str | None) -> Settings:
    """The settings in force, with these flags given on the command line."""
    from omni.kernel.settings import load_settings  # pydantic: not before a command needs it

    found = load_settings({name: value for name, value in flags.items() if value is not None})
    if context := click.get_current_context(silent=True):
        context.color = {"always": True, "never": False}.get(found.color, context.color)
    return found


def colored() -> bool:
    """Whether standard output takes colour: as was set, else when it is a terminal."""
    context = click.get_current_context(silent=True)
    return sys.stdout.isatty() if context is None or context.color is None else context.color


def line(kind: str, data: Mapping[str, object]) -> None:
    """One NDJSON line on standard output."""
    click.echo(json.dumps({"type": kind, **data}, default=str))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, headed: bool = False) -> None:
    """Columns, aligned; nothing but the rows when piped, unless `headed`: bare numbers say nothing."""
    shown = [list(head), *map(list, rows)] if headed or sys.stdout.isatty() else [list(row) for row in rows]
    widths = [max((len(row[column]) for row in shown), default=0) for column in range(len(head))]
    for row in shown:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
