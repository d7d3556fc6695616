"""What this machine has on PATH: compilers, and tools that no registry carries; machine.toml knows of them."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import Field

from omni.kernel.processes import clean_env, run
from omni.verify.report import Model

if TYPE_CHECKING:
    from omni.sandbox.job import Mount

FILE = Path(__file__).with_name("machine.toml")
_SECONDS = 30.0


class Program(Model):
    what: str
    """What it is for."""
    get: str
    """How to get it: what to type, or where to look."""
    version: tuple[str, ...] = ("--version",)
    """Arguments with which it says its version; empty: it can't."""
    shows: tuple[str, ...] = ()
    """Folders of downloaded packages that the sandbox shows it, read-only; `~` is the home folder."""
    env: Mapping[str, str] = Field(default_factory=dict)
    """What it has to be told; `~` likewise."""


@cache
def programs() -> Mapping[str, Program]:
    """All that are known, by the name of the executable."""
    declared = tomllib.loads(FILE.read_text("utf-8"))
    return MappingProxyType({name: Program.model_validate(each) for name, each in declared.items()})


def folders() -> tuple[Path, ...]:
    """The folders of PATH; a relative one could lead into a target and is left out."""
    named = (Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep))
    return tuple(path for path in named if path.is_absolute())


def find(name: str) -> Path | None:
    """The program itself, not the stand-in of rustup's, which needs to be told where its toolchains are."""
    found = shutil.which(name, path=os.pathsep.join(map(str, folders())))
    if found is None:
        return None
    path = Path(found)
    return _of_rustup(path, name) if path.resolve().name == "rustup" else path


def version(name: str) -> str:
    """What it says of itself, such as `1.75.0`; empty when it is not there or says no number."""
    path = find(name)
    if path is None:
        return ""
    status = path.stat()
    return _version(name, path, status.st_mtime_ns, status.st_size)


def mark(name: str) -> str:
    """For cache keys: another file is another tool. Empty when it is not there."""
    path = find(name)
    if path is None:
        return ""
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def how_to_get(name: str) -> str:
    known = programs().get(name)
    return known.get if known else ""


def environment(name: str) -> dict[str, str]:
    """Variables it needs beyond the clean environment."""
    known = programs().get(name)
    return {key: _home(value) for key, value in known.env.items()} if known else {}


def mounts(program: Path) -> tuple[Mount, ...]:
    """What the sandbox has to show beside the system's folders: the file alone, or the toolchain it is part of."""
    from omni.sandbox.job import Mount  # the sandbox is loaded only when something runs in it
    from omni.sandbox.mounts import SYSTEM

    known = programs().get(program.name)
    shown = [Path(_home(folder)) for folder in (known.shows if known else ())]
    toolchain = program.parent.parent
    own = toolchain if (toolchain / "lib" / "rustlib").is_dir() else program
    needed = [own, *(folder for folder in shown if folder.is_dir())]
    return tuple(
        Mount(path.resolve(), str(path)) for path in needed if not any(path.is_relative_to(root) for root in SYSTEM)
    )


@cache
def _of_rustup(proxy: Path, name: str) -> Path | None:
    done = run([str(proxy.parent / "rustup"), "which", name], timeout=_SECONDS)
    path = Path(done.stdout.strip() or "/nonexistent")
    return path if done.ok and path.is_file() else None


@cache
def _version(name: str, path: Path, _mtime: int, _size: int) -> str:
    known = programs().get(name)
    argv = known.version if known else ("--version",)
    if not argv:
        return ""
    done = run([str(path), *argv], env=clean_env(NO_COLOR="1"), cwd=Path("/"), timeout=_SECONDS)
    found = re.search(r"\d+(?:\.\d+)+\S*", f"{done.stdout}\n{done.stderr}")
    return found[0].strip(",;:()") if found else ""


def _home(text: str) -> str:
    return text.replace("~", str(Path.home()), 1)
