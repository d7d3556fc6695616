"""What a project declares for Python and its environment does not hold: a package, its stubs, a tool of its tests.

What is only not installed is no fault of the project, so it is told apart from one, with what to type.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from omni.verify.analysis.adoption import pyproject, table
from omni.verify.analysis.manifests import (
    NAME,
    BadManifestError,
    Declared,
    is_python_manifest,
    normalise,
    python_dependencies,
)
from omni.verify.analysis.packages import installed, providers

if TYPE_CHECKING:
    from omni.verify.check import Context

MAKE = "python3 -m venv .venv && .venv/bin/pip install"


def absent(context: Context) -> frozenset[str]:
    """Declared distributions (normalised names) that the environment does not hold; none where there is none."""
    if context.environment is None:
        return frozenset()
    elsewhere = installed(context.environment).keys() | _of_the_build(context)
    return frozenset(each.name for each in _declared(context) if each.wanted and each.name not in elsewhere)


def _of_the_build(context: Context) -> frozenset[str]:
    """What `build-system` asks for is installed where a package is built."""
    requires = table(pyproject(context), "build-system").get("requires")
    names = (NAME.match(each) for each in requires if isinstance(each, str)) if isinstance(requires, list) else ()
    return frozenset(normalise(found["name"]) for found in names if found)


def _declared(context: Context) -> list[Declared]:
    found: list[Declared] = []
    for file in context.inventory.files:
        if is_python_manifest(file.path) and not file.problem:
            try:
                found += python_dependencies(file.path, context.text(file))
            except BadManifestError:  # `imports` says so
                continue
    return found


def brought_by(module: str, names: Collection[str]) -> list[str]:
    """Those of the distributions that would bring the module (dotted), or its stubs."""
    makers = providers(module, {})
    stubs = {f"types-{each}" for each in makers} | {f"{each}-stubs" for each in makers}
    return sorted((makers | stubs) & set(names))


def _whole(context: Context) -> list[str]:
    """What pip is told for the whole project: itself where it can be built, else its files of requirements."""
    paths = context.inventory.by_path
    for folder in sorted({path.rpartition("/")[0] for path in paths if is_python_manifest(path)}, key=_depth):
        at = f"{folder}/" if folder else ""
        built = pyproject(context, f"{at}pyproject.toml").keys() & {"project", "build-system"}
        if built or {f"{at}setup.py", f"{at}setup.cfg"} & paths.keys():
            return ["-e", f"./{folder}" if folder else "."]
        names = ("requirements.txt", "requirements-dev.txt", "requirements_dev.txt")
        if files := [f"{at}{name}" for name in names if f"{at}{name}" in paths]:
            return [word for path in files for word in ("-r", path)]
    return ["-e", "."]


def _depth(folder: str) -> tuple[int, str]:
    return (folder.count("/") + bool(folder), folder)


def how_to_set_up(context: Context, *names: str) -> str:
    """What to type to have these distributions: what the project says, else pip's own words."""
    if context.project.tests.setup:
        return f"Type: {context.project.tests.setup}"
    if context.environment is None:
        return f"Type: {' '.join([MAKE, *_whole(context), *names])}"
    return f"Type: {context.environment}/bin/python -m pip install {' '.join(names)}"
