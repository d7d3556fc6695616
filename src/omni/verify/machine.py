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
TOOLCHAIN = ("lib/rustlib", "pkg/tool")
"""What a toolchain of Rust or of Go has beside `bin`. Of other folders with programs nothing else is shown."""
_SECONDS = 30.0


class Program(Model):
    what: str
    """What it is for."""
    get: str
    """How to get it: what to type, or where to look."""
    version: tuple[str, ...] = ("--version",)
    """Arguments with which it says its version; empty: it can't."""
    needs: tuple[str, ...] = ()
    """Programs that it starts itself."""
    shows: tuple[str, ...] = ()
    """Further folders that the sandbox shows it, read-only, as globs: downloaded packages, its configuration. `~` is
    the home folder."""
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
    if known is None:
        return {}
    told = {key: value for other in known.needs for key, value in environment(other).items()}
    return told | {key: _home(value) for key, value in known.env.items()}


def mounts(program: Path) -> tuple[Mount, ...]:
    """What the sandbox has to show beside the system's folders: the file alone, or the toolchain it is part of."""
    from omni.sandbox.job import Mount  # the sandbox is loaded only when something runs in it
    from omni.sandbox.mounts import SYSTEM

    known = programs().get(program.name)
    beside = [mount for other in started(program.name) for mount in mounts(other)]
    shown = [found for pattern in (known.shows if known else ()) for found in _matching(_home(pattern))]
    toolchain = program.parent.parent
    needed = [toolchain if any((toolchain / each).is_dir() for each in TOOLCHAIN) else program, *shown]
    own_mounts = (
        Mount(path.resolve(), str(path)) for path in needed if not any(path.is_relative_to(root) for root in SYSTEM)
    )
    return (*own_mounts, *beside)


def started(name: str) -> list[Path]:
    """The programs that it starts itself, as far as they are here."""
    known = programs().get(name)
    return [path for other in (known.needs if known else ()) if (path := find(other))]


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
    return found[0].strip(",;:()\"'") if found else ""


def _matching(pattern: str) -> list[Path]:
    return sorted(Path("/").glob(pattern.lstrip("/")))


def _home(text: str) -> str:
    return text.replace("~", str(Path.home()), 1)
