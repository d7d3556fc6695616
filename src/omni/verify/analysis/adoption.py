"""Which tools a project has chosen for itself: their findings are its own rules, not our opinion."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omni.verify.check import Context

FILES = {
    "ruff": ("ruff.toml", ".ruff.toml"),
    "mypy": ("mypy.ini", ".mypy.ini"),
    "shfmt": (".editorconfig",),
    "sqlfluff": (".sqlfluff",),
    "yamllint": (".yamllint", ".yamllint.yaml", ".yamllint.yml"),
    "pyright": ("pyrightconfig.json",),
    "oxlint": (".oxlintrc.json",),
    "typos": ("typos.toml", "_typos.toml", ".typos.toml"),
}


def pyproject(context: Context, path: str = "pyproject.toml") -> dict[str, object]:
    """The project's pyproject.toml; empty when there is none or it can't be parsed (`syntax` says so)."""
    file = context.inventory.by_path.get(path)
    if file is None or file.problem:
        return {}
    try:
        return tomllib.loads(context.text(file))
    except (ValueError, RecursionError):
        return {}


def package_json(context: Context) -> dict[str, object]:
    """The package.json at the project's root; empty when there is none or it can't be parsed (`syntax` says so)."""
    file = context.inventory.by_path.get("package.json")
    if file is None or file.problem:
        return {}
    try:
        return table(json.loads(context.text(file)))
    except (ValueError, RecursionError):
        return {}


def table(parent: object, *names: str) -> dict[str, object]:
    """A table within tables; empty when it, or one on the way, is not there."""
    for name in names:
        parent = parent.get(name) if isinstance(parent, dict) else None
    return parent if isinstance(parent, dict) else {}


PRE_COMMIT = r"repo:\s*\S*/{}-pre-commit/?\s+rev:\s*[\"']?v?(\d+\.\d+)"
REQUIREMENT = r"^{}==(\d+\.\d+)"


def other_version(context: Context, tool: str, ours: str) -> str:
    """The version (major and minor) that the project pins the tool to, if it is not ours: it may judge otherwise."""
    for file in context.inventory.files:
        pattern = PRE_COMMIT if file.path == ".pre-commit-config.yaml" else REQUIREMENT
        if file.problem or not (
            pattern is PRE_COMMIT or re.search(r"(^|/)requirements[^/]*(/[^/]+)?\.txt$", file.path)
        ):
            continue
        found = re.search(pattern.format(re.escape(tool)), context.text(file), re.MULTILINE)
        if found and found[1] != ".".join(ours.split(".")[:2]):
            return found[1]
    return ""


def adopts(context: Context, tool: str) -> bool:
    """Whether the project configures the tool, by a file of the tool's own or in pyproject.toml, at its root."""
    if any(name in context.inventory.by_path for name in FILES.get(tool, ())):
        return True
    return tool in table(pyproject(context), "tool")


def adopts_script(context: Context, files: re.Pattern[str], key: str) -> bool:
    """Whether the project configures a tool for scripts, by a file of its own at the root or in package.json."""
    return any(files.match(path) for path in context.inventory.by_path) or key in package_json(context)
