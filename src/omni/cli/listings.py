"""What there is, printed: checks, templates, errors."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

import click

from omni.cli.common import json_option, line, table

if TYPE_CHECKING:
    from omni.kernel.errors import ErrorKind

SCRIPTS = re.compile(r"\.(parts|migrations|__main__)\b")
"""Modules that are run, not imported."""


@click.command()
@json_option
def checks(as_json: bool) -> None:
    """List the checks: id, tier, tool, title."""
    from omni.verify.registry import checks as registered

    found = registered()
    if as_json:
        for check in found:
            line("check", {"id": check.id, "tier": check.tier, "tool": check.tool, "title": check.title})
        return
    table(("id", "tier", "tool", "title"), [(c.id, str(c.tier), c.tool or "omni", c.title) for c in found])


@click.command()
@json_option
def templates(as_json: bool) -> None:
    """List the project templates."""
    from omni.templates.catalog import templates as installed

    if as_json:
        for template in installed():
            line("template", template.model_dump(mode="json"))
        return
    table(("name", "title", "description"), [(t.name, t.title, t.description) for t in installed()])


@click.command()
@json_option
def errors(as_json: bool) -> None:
    """List every error Omni can raise: its code, its meaning, its exit code, what to do."""
    kinds = error_kinds()
    if as_json:
        for kind in kinds:
            line("error", {"code": kind.code, "title": kind.title, "exit": int(kind.exit), "fix": kind.fix})
        return
    table(("code", "exit", "title", "what to do"), [(k.code, str(int(k.exit)), k.title, k.fix) for k in kinds])


def error_kinds() -> list[ErrorKind]:
    """Every kind of error, by code. A kind is declared where it is raised, so every module is imported."""
    import omni
    from omni.kernel.errors import CATALOGUE

    for module in pkgutil.walk_packages(omni.__path__, "omni."):
        if not SCRIPTS.search(module.name):
            importlib.import_module(module.name)
    return sorted(CATALOGUE.values(), key=lambda kind: kind.code)
