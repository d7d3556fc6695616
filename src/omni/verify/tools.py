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

from omni.kernel.environments import base_python, ensure, ensure_node, find, find_node, newest_python, node_bin
from omni.kernel.errors import Exit, OmniError, declare
from omni.verify import machine

if TYPE_CHECKING:
    from omni.sandbox.job import Mount
    from omni.verify.check import Check

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

    @property
    def of_machine(self) -> bool:
        return self.root == Path("/")

    def path(self, tool: str) -> Path:
        """The executable. Raises `V004`."""
        if self.of_machine and (found := machine.find(tool)):
            return found
        for folder in self.bins:
            # Some packages bring the program itself, and a script of Python's that starts it: a tenth of a second more.
            pattern = f"lib/python*/site-packages/{tool}/bin/{tool}"
            inside = [] if self.of_machine else [*folder.parent.glob(pattern)]
            for program in (*inside, folder / tool):
                if program.is_file() and os.access(program, os.X_OK):
                    return program
        raise OmniError(NO_TOOL, f"{tool} is not in the tools environment", where=str(self.root))

    def bins_for(self, tool: str) -> tuple[Path, ...]:
        """The folders to put on PATH for this program; of the machine's nothing but its own."""
        if not self.of_machine:
            return self.bins
        name = Path(tool).name
        return tuple(dict.fromkeys(path.parent for path in (self.path(name), *machine.started(name))))

    def environment(self, tool: str) -> dict[str, str]:
        """What the program has to be told."""
        return machine.environment(tool) if self.of_machine else {}

    def mounts(self, tool: str) -> tuple[Mount, ...]:
        """What the sandbox has to show, read-only, for the program to run; the system's own folders are there."""
        from omni.sandbox.job import Mount  # the sandbox is loaded only when something runs in it
        from omni.sandbox.mounts import SYSTEM, python_mounts

        if self.of_machine:
            return machine.mounts(self.path(Path(tool).name))
        if not self.folders:
            return python_mounts(self.root)
        node = self.folders[-1].resolve()
        beside = () if any(node.is_relative_to(folder) for folder in SYSTEM) else (Mount(node, str(node)),)
        return (Mount(self.root, str(self.root)), *beside)


def open_tools(home: Path, offline: bool, progress: Callable[[str], None], toolset: str = BASE) -> Tools:
    """The set, installed on first use. Raises OmniError when that fails, `V004` when there is no such set."""
    return installed(toolset, home) or install(toolset, home, offline, progress)


def installed(toolset: str, home: Path) -> Tools | None:
    """The set, if it is there already. Changes nothing and needs no network."""
    if toolset == MACHINE:
        return Tools(Path("/"), machine.folders())
    lock, package_lock = FOLDER / f"{toolset}.lock", FOLDER / toolset / "package-lock.json"
    if lock.is_file():
        root = find(toolset, lock, home, newest_python(home)) or find(toolset, lock, home)
        return Tools(root) if root else None
    if package_lock.is_file():
        modules = find_node(toolset, package_lock.with_name("package.json"), package_lock, home)
        return Tools(modules, (modules / ".bin", node_bin(home, True, lambda _: None))) if modules else None
    raise OmniError(NO_TOOL, f"there is no set of tools “{toolset}”", where=str(FOLDER))


def install(toolset: str, home: Path, offline: bool, progress: Callable[[str], None]) -> Tools:
    """The set, on the newest interpreter at hand that its packages have wheels for. Raises OmniError."""
    lock, package_lock = FOLDER / f"{toolset}.lock", FOLDER / toolset / "package-lock.json"
    if package_lock.is_file():
        manifest = package_lock.with_name("package.json")
        modules = ensure_node(toolset, manifest, package_lock, home, offline, progress)
        return Tools(modules, (modules / ".bin", node_bin(home, offline, progress)))
    newest = newest_python(home)
    if newest != base_python():
        try:
            return Tools(ensure(toolset, lock, home, offline, progress, newest))
        except OmniError as problem:
            progress(f"{toolset} can't be had for {newest.name}, trying {base_python().name}: {problem.why[-200:]}")
    return Tools(ensure(toolset, lock, home, offline, progress))


def missing(check: Check, home: Path) -> str:
    """How to get the tool of a check that nobody has to have; empty when it is here, or will be by itself."""
    if check.tool and check.toolset == MACHINE and machine.find(check.tool) is None:
        return f"{check.tool} is not on PATH. {machine.how_to_get(check.tool)}".strip()
    if check.optional and installed(check.toolset, home) is None:
        return f"{check.tool or check.toolset} is not here. Type: omni tools install {check.toolset}"
    return ""


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
        return pins(lock.read_text("utf-8"))
    if package_lock.is_file():
        packages = json.loads(package_lock.read_text("utf-8"))["packages"]
        return {name.removeprefix("node_modules/"): each["version"] for name, each in packages.items() if name}
    return {}


def pins(lock: str) -> dict[str, str]:
    """Package → version of a lock in pip's format."""
    return dict(re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.MULTILINE))


def locked_version(check: Check) -> str:
    """Of the check's tool: as locked, or as the machine's own says itself. Empty: unknown."""
    if check.toolset == MACHINE:
        return machine.version(check.tool)
    return versions(check.toolset).get(check.package or check.tool, "")
