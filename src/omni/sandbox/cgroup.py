"""Caps on a whole group of processes: memory, number, share of the processor. cgroup v1 and v2.

Layout: Documentation/admin-guide/cgroup-v1 and cgroup-v2 of the kernel.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omni.sandbox.job import Limits

ROOT = Path("/sys/fs/cgroup")
MIB = 1 << 20
_PREFIX = "omni-sandbox-"
_number = itertools.count()


@dataclass(frozen=True)
class Group:
    """The folders of one job's group, one a controller (v1) or one alone (v2)."""

    folders: tuple[Path, ...]

    def add(self, pid: int) -> None:
        """Move a process in. Its later children are born inside."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def out_of_memory(self) -> bool:
        """Whether the kernel has killed a member because the group reached its memory cap."""
        return any(
            line.startswith("oom_kill ") and int(line.split()[1]) > 0
            for folder in self.folders
            for name in ("memory.events", "memory.oom_control")
            for line in _read(folder / name).splitlines()
        )

    def remove(self) -> None:
        """Delete the group and what was made inside; members must be dead. The kernel may need a moment to notice."""
        for folder in self._nested():
            for _ in range(100):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
                else:
                    break

    def kill(self) -> None:
        """End the members, and those of the groups inside."""
        for folder in self._nested():
            for member in _read(folder / "cgroup.procs").split():
                _kill(int(member))

    def _nested(self) -> Iterator[Path]:
        """The folders and those that a member made inside, the innermost first: the kernel removes only leaves."""
        return (Path(each) for folder in self.folders for each, _, _ in os.walk(folder, topdown=False))


def create(limits: Limits) -> Group | None:
    """A new group with these caps, or None where this user may not make one."""
    bases = _bases()
    if not bases:
        return None
    name = f"{_PREFIX}{owner()}-{next(_number)}"
    group = Group(tuple(dict.fromkeys(base / name for base in bases.values())))
    try:
        for folder in group.folders:
            folder.mkdir()
        for file, value in _caps(limits):
            for folder in group.folders:
                if (path := folder / file).exists():
                    path.write_text(str(value))
    except OSError:
        group.remove()
        return None
    return group


def available() -> bool:
    """Whether this user may make groups with caps on memory and processes."""
    if group := create(Limits()):
        group.remove()
    return group is not None


def sweep() -> None:
    """Delete the groups of Omni processes that are gone (after a `kill -9`). Members, if any, are killed."""
    for base in set(_bases().values()):
        for folder in base.glob(f"{_PREFIX}*"):
            if not lives(folder.name.removeprefix(_PREFIX).rpartition("-")[0]):
                left = Group((folder,))
                left.kill()
                left.remove()


def _caps(limits: Limits) -> tuple[tuple[str, int], ...]:
    memory, processors = limits.memory * MIB, os.cpu_count() or 1
    return (
        ("memory.limit_in_bytes", memory),
        ("memory.memsw.limit_in_bytes", memory),
        ("memory.max", memory),
        ("memory.swap.max", 0),
        ("memory.oom.group", 1),
        ("pids.max", limits.processes + 2),  # bubblewrap itself is two
        # All of a job's processes together weigh as much as one ordinary process for each processor.
        ("cpu.shares", 1024 * processors),
        ("cpu.weight", min(10_000, 100 * processors)),
    )


def _bases() -> dict[str, Path]:
    """Controller → the folder in which this process may make groups; empty unless memory and pids are both there."""
    bases: dict[str, Path] = {}
    for line in _own().splitlines():
        _, controllers, own = line.split(":", 2)
        if not controllers:
            bases |= {"memory": base, "pids": base} if (base := _unified(own)) else {}
        for controller in {"memory", "pids", "cpu"} & set(controllers.split(",")):
            inside = ROOT / controller / own.lstrip("/")
            base = inside if inside.is_dir() else ROOT / controller  # a container sees its own group as the root
            if os.access(base, os.W_OK):
                bases[controller] = base
    return bases if {"memory", "pids"} <= bases.keys() else {}


def _own() -> str:
    """The groups of this process, one a line: cgroups(7)."""
    return _read(Path("/proc/self/cgroup"))


def _unified(own: str) -> Path | None:
    """The nearest v2 group, from our own upward, that hands memory and pids down and may be written."""
    folder = ROOT / own.lstrip("/")
    for base in (folder, *folder.parents):
        if not base.is_relative_to(ROOT):
            return None
        if {"memory", "pids"} <= set(_read(base / "cgroup.subtree_control").split()) and os.access(base, os.W_OK):
            return base
    return None


def owner() -> str:
    """This process, for a mark on what it makes: `namespace-pid-start`."""
    return f"{_namespace()}-{os.getpid()}-{started(os.getpid())}"


def lives(mark: str) -> bool:
    """Whether the process that left an `owner` mark is still there.

    One of another pid namespace can't be looked up from here, so it counts as living: a container beside this one may
    share the cgroups, and its guests are its own to clear away.
    """
    namespace, _, process = mark.partition("-")
    pid, _, start = process.partition("-")
    if not (namespace.isdigit() and pid.isdigit()):
        return False
    return namespace != str(_namespace()) or start == str(started(int(pid)))


def _namespace() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino


def started(pid: int) -> int:
    """Start time of a process in clock ticks since boot, 0 when there is none: tells a pid from its successor."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    return int(stat.rpartition(")")[2].split()[19]) if stat else 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
