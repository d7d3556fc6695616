"""Where the packages of a JavaScript project lie, and what installs them."""

from __future__ import annotations

from collections.abc import Container
from pathlib import PurePosixPath

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
