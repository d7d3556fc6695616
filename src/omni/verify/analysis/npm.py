"""Where the packages of a JavaScript project lie, and what installs them."""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import PurePosixPath

from omni.verify.analysis.adoption import table

BY_LOCK = {
    "pnpm-lock.yaml": "pnpm install --frozen-lockfile",
    "yarn.lock": "yarn install --immutable",
    "bun.lock": "bun install --frozen-lockfile",
    "package-lock.json": "npm ci",
}
"""Lock file → what to type."""


def upwards(folder: str) -> tuple[PurePosixPath, ...]:
    """The folder, and those it stands in, up to the target."""
    place = PurePosixPath(folder)
    return (place, *place.parents)


def how_to_install(paths: Container[str], folder: str = ".") -> str:
    """What to type in a folder, by the nearest lock file among the project's paths; without one nothing is pinned."""
    found = (command for place in upwards(folder) for name, command in BY_LOCK.items() if str(place / name) in paths)
    return next(found, "npm install")


def workspaces(package_json: str, pnpm_workspace: str = "") -> tuple[str, ...]:
    """The globs of folders that a workspace names, `!` in front of those left out; empty where there is none."""
    import yaml  # seldom needed, and slow to load

    from omni.verify.bounded_yaml import YAML_LOADER, bounded_yaml

    try:
        declared = table(json.loads(package_json or "{}")).get("workspaces")
        named = declared if isinstance(declared, list) else table(declared).get("packages")
    except (ValueError, RecursionError):
        named = None
    try:
        content = yaml.load(bounded_yaml(pnpm_workspace), Loader=YAML_LOADER)  # noqa: S506 - it is the safe one
    except (yaml.YAMLError, ValueError, RecursionError):
        content = None
    every = (each for group in (named, table(content).get("packages")) if isinstance(group, list) for each in group)
    return tuple(str(each).removeprefix("./").rstrip("/") for each in every)
