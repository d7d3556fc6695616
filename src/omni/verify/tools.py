"""Tool sets: the programs that checks use, each set an environment of its own, at exactly the locked versions.

A set is `toolsets/<name>.lock` (PyPI, pip's format with hashes) or `toolsets/<name>/package-lock.json` (npm). Checks
take the set `tools` unless they name another; the set `path` is what this machine has on PATH.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from omni.kernel.environments import ensure, ensure_node, node_bin
from omni.kernel.errors import Exit, OmniError, declare

if TYPE_CHECKING:
    from omni.sandbox.job import Mount

NO_TOOL = declare("V004", "A tool is missing", Exit.INCOMPLETE, "Type: omni tools list")

FOLDER = Path(__file__).with_name("toolsets")
BASE = "tools"
"""The set that set-up brings, and that every verification may need."""
MACHINE = "path"
"""What is on this machine's PATH: compilers, and tools that no registry carries."""
LOCK = FOLDER / f"{BASE}.lock"


@dataclass(frozen=True)
class Tools:
    """An opened set."""

    root: Path
    """An environment of Python, a `node_modules`, or `/` for the machine's own."""
    folders: tuple[Path, ...] = ()
    """Where its programs are, and what these need on PATH; default: `bin` of the root."""

    @property
    def bins(self) -> tuple[Path, ...]:
        return self.folders or (self.root / "bin",)

    def path(self, tool: str) -> Path:
        """The executable. Raises `V004`."""
        for folder in self.bins:
            program = folder / tool
            if program.is_file() and os.access(program, os.X_OK):
                return program
        where = "PATH" if self.root == Path("/") else str(self.root)
        raise OmniError(NO_TOOL, f"{tool} is not in the tools environment", where=where)

    def mounts(self) -> tuple[Mount, ...]:
        """What the sandbox has to show, read-only, for its programs to run; the system's own folders are there."""
        from omni.sandbox.job import Mount  # the sandbox is loaded only when something runs in it
        from omni.sandbox.mounts import SYSTEM, python_mounts

        if self.root == Path("/"):
            return ()
        if not self.folders:
            return python_mounts(self.root)
        node = self.folders[-1].resolve()
        beside = () if any(node.is_relative_to(folder) for folder in SYSTEM) else (Mount(node, str(node)),)
        return (Mount(self.root, str(self.root)), *beside)


def open_tools(home: Path, offline: bool, progress: Callable[[str], None], toolset: str = BASE) -> Tools:
    """The set, installed on first use. Raises OmniError when that fails, `V004` when there is no such set."""
    if toolset == MACHINE:
        return Tools(Path("/"), machine_folders())
    if (lock := FOLDER / f"{toolset}.lock").is_file():
        return Tools(ensure(toolset, lock, home, offline, progress))
    if (package_lock := FOLDER / toolset / "package-lock.json").is_file():
        manifest = package_lock.with_name("package.json")
        modules = ensure_node(toolset, manifest, package_lock, home, offline, progress)
        return Tools(modules, (modules / ".bin", node_bin(home, offline, progress)))
    raise OmniError(NO_TOOL, f"there is no set of tools “{toolset}”", where=str(FOLDER))


def machine_folders() -> tuple[Path, ...]:
    """The folders of PATH; a relative one could lead into a target and is left out."""
    named = (Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep))
    return tuple(path for path in named if path.is_absolute())


@cache
def toolsets() -> tuple[str, ...]:
    """Names of the sets that can be installed, the base first."""
    node = (path.parent.name for path in FOLDER.glob("*/package-lock.json"))
    names = {*(path.stem for path in FOLDER.glob("*.lock")), *node}
    return (BASE, *sorted(names - {BASE}))


@cache
def versions(toolset: str = BASE) -> Mapping[str, str]:
    """Package → version, as locked; nothing for the machine's own."""
    lock, package_lock = FOLDER / f"{toolset}.lock", FOLDER / toolset / "package-lock.json"
    if lock.is_file():
        return dict(re.findall(r"^([\w.-]+)==([^\s\\]+)", lock.read_text("utf-8"), re.MULTILINE))
    if package_lock.is_file():
        packages = json.loads(package_lock.read_text("utf-8"))["packages"]
        return {name.removeprefix("node_modules/"): each["version"] for name, each in packages.items() if name}
    return {}
