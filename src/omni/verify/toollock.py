"""`omni-tools.lock`: the tools that a project was verified with, so that another machine's can be told apart.

It holds, for each set, the SHA-256 of the set's lock (which pins every package by hash) and the versions of the tools
that checks use; for the machine's own tools the version that they say.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import write_atomic
from omni.verify.check import Check
from omni.verify.report import Model
from omni.verify.toolbox import Tool
from omni.verify.tools import FOLDER, MACHINE, locked_version

FILE = "omni-tools.lock"
BAD_LOCK = declare("V052", "The project's omni-tools.lock can't be used", Exit.USAGE, "Write it anew: omni tools lock")
HEAD = "# The tools that this project is verified with; where others are installed, `omni verify` says so.\n"


class SetLock(Model):
    sha256: str = ""
    """Of the set's lock; empty for the machine's own tools."""
    versions: Mapping[str, str] = Field(default_factory=dict)


def write(root: Path, tools: Iterable[Tool]) -> Path:
    """Write the lock for these tools: of the machine's own those that are there."""
    wanted = [tool for tool in tools if tool.version and "," not in tool.name]
    lines = [HEAD]
    for name in dict.fromkeys(tool.toolset for tool in wanted):
        lines.append(f"[{name}]\n")
        if digest := _digest(name):
            lines.append(f'sha256 = "{digest}"\n')
        lines.append(f"[{name}.versions]\n")
        lines += [f'"{tool.name}" = "{tool.version}"\n' for tool in wanted if tool.toolset == name]
    path = root / FILE
    write_atomic(path, "".join(lines))
    return path


def read(root: Path) -> Mapping[str, SetLock]:
    """By set; empty when the project carries none. Raises `V052`."""
    path = root / FILE
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        return {name: SetLock.model_validate(each) for name, each in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as problem:
        raise OmniError(BAD_LOCK, str(problem).splitlines()[0], where=str(path)) from problem


def difference(locked: Mapping[str, SetLock], check: Check) -> str:
    """What the lock wants of the check's tool and is not so here; empty when it agrees, or says nothing of it."""
    wanted = locked.get(check.toolset)
    if wanted is None or not check.tool:
        return ""
    here, there = locked_version(check), wanted.versions.get(check.tool, "")
    if there and here and here != there:
        return f"{FILE} wants {check.tool} {there}, and here is {here}. Take it over: omni tools lock"
    if wanted.sha256 and there and _digest(check.toolset) != wanted.sha256:
        return f"{FILE} wants other packages beside {check.tool}. Take these over: omni tools lock"
    return ""


def _digest(toolset: str) -> str:
    if toolset == MACHINE:
        return ""
    lock, package_lock = FOLDER / f"{toolset}.lock", FOLDER / toolset / "package-lock.json"
    path = lock if lock.is_file() else package_lock
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
