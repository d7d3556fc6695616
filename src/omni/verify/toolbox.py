"""Every tool that Omni knows: which version, from where, installed or not, and what needs it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from omni.kernel.environments import compile_lock
from omni.kernel.errors import Exit, OmniError, declare
from omni.verify import machine
from omni.verify.check import Check
from omni.verify.report import Model
from omni.verify.tools import FOLDER, MACHINE, install, installed, pins, toolsets, versions

UNKNOWN = declare("V050", "There is no such tool", Exit.USAGE, "Type: omni tools list")
BY_HAND = declare("V051", "Omni can't install this tool", Exit.INCOMPLETE, "Install it, so that it is on PATH.")


class Tool(Model):
    name: str
    version: str
    """As locked; of the machine's own as it says itself, and empty where it is not there."""
    toolset: str
    installed: bool
    checks: tuple[str, ...]
    """Ids of those that use it."""
    what: str
    get: str
    """How to get it; empty when it is here."""


def known_tools(checks: Iterable[Check], home: Path) -> list[Tool]:
    """By set, the base first and the machine's last, then by name. Changes nothing and needs no network."""
    using: dict[tuple[str, str, str], list[Check]] = {}
    for check in checks:
        if check.tool:
            using.setdefault((check.toolset, check.tool, check.package or check.tool), []).append(check)
    here = {name: installed(name, home) is not None for name in toolsets()}
    found = [_of_set(key, users, here[key[0]]) for key, users in using.items() if key[0] != MACHINE]
    listed = {tool.toolset for tool in found}
    found += [_alone(name, checks, here[name]) for name in toolsets() if name not in listed]
    users = {tool: used for (toolset, tool, _), used in using.items() if toolset == MACHINE}
    found += [_of_machine(name, users.get(name, [])) for name in {*machine.programs(), *users}]
    order = [*toolsets(), MACHINE]
    return sorted(found, key=lambda tool: (order.index(tool.toolset), tool.name))


def _of_set(key: tuple[str, str, str], users: list[Check], here: bool) -> Tool:
    toolset, tool, package = key
    return Tool(
        name=tool,
        version=versions(toolset).get(package, ""),
        toolset=toolset,
        installed=here,
        checks=tuple(check.id for check in users),
        what="; ".join(check.title for check in users),
        get="" if here else f"omni tools install {toolset}",
    )


def _alone(toolset: str, checks: Iterable[Check], here: bool) -> Tool:
    """A set that checks use from within, so that no declaration names its programs: what was asked to be in it."""
    users = [check for check in checks if check.toolset == toolset]
    asked = sorted(wanted(toolset))
    return Tool(
        name=", ".join(asked),
        version=", ".join(versions(toolset).get(name, "") for name in asked),
        toolset=toolset,
        installed=here,
        checks=tuple(check.id for check in users),
        what="; ".join(check.title for check in users),
        get="" if here else f"omni tools install {toolset}",
    )


def wanted(toolset: str) -> list[str]:
    """The packages that a set was asked to hold; the rest of its lock is what these need."""
    source = FOLDER / f"{toolset}.in"
    if source.is_file():
        lines = (line.partition("#")[0].strip() for line in source.read_text("utf-8").splitlines())
        return [line.partition("==")[0].partition(">=")[0].partition("[")[0].strip() for line in lines if line]
    return [name for name in versions(toolset) if "/node_modules/" not in name]


def _of_machine(name: str, users: list[Check]) -> Tool:
    found, known = machine.find(name) is not None, machine.programs().get(name)
    return Tool(
        name=name,
        version=machine.version(name),
        toolset=MACHINE,
        installed=found,
        checks=tuple(check.id for check in users),
        what=known.what if known else "; ".join(check.title for check in users),
        get="" if found else machine.how_to_get(name),
    )


def sets_to_install(names: Iterable[str], tools: Iterable[Tool]) -> list[str]:
    """The sets that these names of sets or of tools stand for. Raises `V050`, and `V051` for what has to be got."""
    by_name = {name: tool for tool in tools for name in tool.name.split(", ")}
    sets: list[str] = []
    for name in names:
        if name in toolsets():
            sets.append(name)
        elif (tool := by_name.get(name)) is None:
            raise OmniError(UNKNOWN, f"“{name}”", fix=f"Sets: {', '.join(toolsets())}. Tools: omni tools list")
        elif tool.toolset != MACHINE:
            sets.append(tool.toolset)
        elif not tool.installed:
            raise OmniError(BY_HAND, f"{name} comes from no registry that Omni installs from", fix=tool.get)
    return list(dict.fromkeys(sets))


def install_sets(sets: Iterable[str], home: Path, offline: bool, progress: Callable[[str], None]) -> Iterator[Path]:
    """Each set's root once it is there. Raises OmniError."""
    for name in sets:
        yield install(name, home, offline, progress).root


class Change(Model):
    package: str
    before: str
    """Empty: it is new."""
    after: str
    """Empty: it is no longer needed."""


def update(toolset: str) -> tuple[tuple[Change, ...], str]:
    """What locking the set anew would change, and the new lock; nothing is written. Raises OmniError.

    Only for sets from PyPI: `npm update` is the way for those of npm.
    """
    with tempfile.TemporaryDirectory(prefix="omni-tools-") as scratch:
        new = compile_lock(toolset, FOLDER / f"{toolset}.in", Path(scratch))
        text = new.read_text("utf-8")
    before, after = versions(toolset), pins(text)
    names = sorted(before.keys() | after.keys())
    rows = (Change(package=name, before=before.get(name, ""), after=after.get(name, "")) for name in names)
    return tuple(row for row in rows if row.before != row.after), text
