"""A set of Python tools inside the project's own interpreter, in the sandbox: they import the project's code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from omni.verify.check import Context, Failed
from omni.verify.report import Status

if TYPE_CHECKING:
    from omni.verify.tools import Tools

WORK = "/work"


def source_roots(context: Context) -> tuple[str, ...]:
    """Folders that imports start at."""
    if context.project.source_roots:
        return context.project.source_roots
    return ("src",) if any(path.startswith("src/") for path in context.inventory.by_path) else (".",)


def guest_environment(context: Context, toolset: str) -> tuple[Tools, dict[str, str]]:
    """(the set, variables under which `python` finds the project and the set).

    Raises `Failed` when it can't be had, or is for another version of Python than the project's environment.
    """
    tools = context.execution.tools(toolset)
    packages = next(iter(Path(tools.bins[0]).parent.glob("lib/python3*/site-packages")))
    version = packages.parent.name
    environment = context.environment
    if environment is not None and not (environment / "lib" / version).is_dir():
        raise Failed(f"the project's environment is not {version}, for which {toolset} is here", Status.INCOMPLETE)
    roots = ":".join([*(f"{WORK}/{root}" for root in source_roots(context)), str(packages)])
    return tools, {"PYTHONPATH": roots, "PYTHONDONTWRITEBYTECODE": "1"}
