"""Brings engines here: from PyPI and npm into environments of their own, at the versions and hashes of `locks/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from omni.agents.engines.contract import ABSENT, Adapter
from omni.kernel.environments import base_python, ensure, ensure_node, find, find_node, newest_python, node_bin
from omni.kernel.errors import OmniError
from omni.sandbox.job import Mount
from omni.sandbox.mounts import SYSTEM, python_mounts
from omni.verify import machine
from omni.verify.tools import pins

LOCKS = Path(__file__).with_name("locks")


@dataclass(frozen=True)
class Installed:
    """An engine that is here."""

    program: Path
    version: str
    folders: tuple[Path, ...]
    """For PATH inside."""
    mounts: tuple[Mount, ...]


def version(adapter: Adapter) -> str:
    """As locked; of the machine's own as it says itself, and empty where it is not there."""
    if adapter.install == "machine":
        return machine.version(adapter.program)
    if adapter.install == "pypi":
        return pins(_lock(adapter).read_text("utf-8")).get(adapter.package, "")
    packages = json.loads(_lock(adapter).read_text("utf-8"))["packages"]
    return str(packages[f"node_modules/{adapter.package}"]["version"])


def installed(adapter: Adapter, home: Path) -> Installed | None:
    """The engine, if it is here. Changes nothing and needs no network."""
    if adapter.install == "machine":
        return _of_machine(adapter)
    if adapter.install == "npm":
        modules = find_node(_name(adapter), _lock(adapter).with_name("package.json"), _lock(adapter), home)
        return _of_node(adapter, modules, home) if modules else None
    python = _python(adapter, home)
    root = find(_name(adapter), _lock(adapter), home, python) if python else None
    return _of_python(adapter, root) if root else None


def install(adapter: Adapter, home: Path, offline: bool, progress: Callable[[str], None]) -> Installed:
    """The engine, brought here if it is not. Raises OmniError with what to type when it can't be had."""
    if adapter.install == "npm":
        manifest = _lock(adapter).with_name("package.json")
        modules = ensure_node(_name(adapter), manifest, _lock(adapter), home, offline, progress)
        node_bin(home, offline, progress)
        return _of_node(adapter, modules, home)
    python = _python(adapter, home)
    if adapter.install == "pypi" and python is not None:
        return _of_python(adapter, ensure(_name(adapter), _lock(adapter), home, offline, progress, python))
    if found := installed(adapter, home):
        return found
    raise OmniError(ABSENT, f"{adapter.title} can't be installed by Omni here", fix=how_to_get(adapter, home))


def how_to_get(adapter: Adapter, home: Path) -> str:
    """What to type. Installs nothing."""
    if adapter.install == "machine":
        return adapter.get
    if adapter.install == "pypi" and _python(adapter, home) is None:
        first, last = adapter.pythons
        needed = f"3.{first} to 3.{last}" if last > first else f"3.{first}"
        return f"It needs Python {needed}. Type: omni tools install python; then: omni engines install {adapter.name}"
    return f"Type: omni engines install {adapter.name}"


def _python(adapter: Adapter, home: Path) -> Path | None:
    """An interpreter at hand for which the engine installs: Omni's own before the newest."""
    first, last = adapter.pythons
    for python in (base_python(), newest_python(home)):
        minor = python.name.removeprefix("python3.")
        if minor.isdecimal() and first <= int(minor) <= last:
            return python
    return None


def _of_python(adapter: Adapter, environment: Path) -> Installed:
    root = environment.resolve()  # only what links lead to is mounted
    return Installed(root / adapter.program, version(adapter), (root / "bin",), python_mounts(root))


def _of_node(adapter: Adapter, environment: Path, home: Path) -> Installed:
    modules = environment.resolve()
    node = node_bin(home, True, lambda _: None)
    beside = () if any(node.is_relative_to(root) for root in SYSTEM) else (Mount(node.resolve(), str(node)),)
    program = modules / adapter.program
    return Installed(program, version(adapter), (modules / ".bin", node), (Mount(modules, str(modules)), *beside))


def _of_machine(adapter: Adapter) -> Installed | None:
    """With what it needs inside: its virtual environment, or the folder that its link leads to, else the file alone."""
    program = machine.find(adapter.program)
    if program is None:
        return None
    real = program.resolve()
    folder = real.parent.parent
    if (folder / "pyvenv.cfg").is_file():
        return Installed(real, version(adapter), (real.parent,), (*python_mounts(folder), *_sources(folder)))
    if real.parent != program.parent and not Path.home().is_relative_to(folder):
        return Installed(real, version(adapter), (real.parent,), (Mount(folder, str(folder)),))
    return Installed(program, version(adapter), (program.parent,), machine.mounts(program))


def _sources(environment: Path) -> Iterator[Mount]:
    """The folders of what is installed there from its sources, `pip install --editable` (PEP 610)."""
    for file in environment.glob("lib/python3*/site-packages/*.dist-info/direct_url.json"):
        origin = json.loads(file.read_text("utf-8"))
        if origin.get("dir_info", {}).get("editable"):
            folder = url2pathname(urlsplit(origin["url"]).path)
            yield Mount(Path(folder), folder)


def _name(adapter: Adapter) -> str:
    return f"engine-{adapter.name}"


def _lock(adapter: Adapter) -> Path:
    return LOCKS / (f"{adapter.name}.lock" if adapter.install == "pypi" else f"{adapter.name}/package-lock.json")
