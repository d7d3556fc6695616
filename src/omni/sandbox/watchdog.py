"""Caps on a whole sandbox where no cgroup can be made: looked at every few hundredths of a second, from outside."""

from __future__ import annotations

import os
from dataclasses import dataclass

from omni.sandbox.job import Limits

_PAGE = os.sysconf("SC_PAGE_SIZE")
_INODE = 1024
"""Bytes of kernel memory that a file costs on a tmpfs, about, however small it is."""


@dataclass(frozen=True)
class Watchdog:
    """Reads the sandbox's own /proc (open at `proc`), which lists its processes only, and its tmpfs folders."""

    proc: int
    folders: tuple[int, ...]
    limits: Limits

    def exceeded(self) -> bool:
        """Whether the processes and files of the sandbox together hold more memory than the cap, or are too many."""
        try:
            with os.scandir(self.proc) as entries:
                pids = [entry.name for entry in entries if entry.name.isdigit()]
            if len(pids) > self.limits.processes + 2:  # the gate and pid 1 are not the job's
                return True
            room = (self.limits.memory << 20) - sum(_stored(folder) for folder in self.folders)
            # Pages shared after a fork count once for each process here, so ask exactly before judging.
            return self._unshared(pids) > room and self._proportional(pids) > room
        except OSError:  # it ends while we look
            return False

    def _unshared(self, pids: list[str]) -> int:
        total = 0
        for pid in pids:
            if fields := self._read(f"{pid}/statm").split():
                total += (int(fields[1]) - int(fields[2])) * _PAGE
        return total

    def _proportional(self, pids: list[str]) -> int:
        """Anonymous memory, each shared page divided among its users (proc(5), smaps_rollup)."""
        lines = (line for pid in pids for line in self._read(f"{pid}/smaps_rollup").splitlines())
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss_Anon:"))

    def _read(self, path: str) -> str:
        try:
            fd = os.open(path, os.O_RDONLY, dir_fd=self.proc)
        except OSError:
            return ""
        try:
            return os.read(fd, 1 << 14).decode("ascii", "replace")
        except OSError:
            return ""
        finally:
            os.close(fd)


def _stored(folder: int) -> int:
    about = os.statvfs(folder)
    return (about.f_blocks - about.f_bfree) * about.f_frsize + (about.f_files - about.f_ffree) * _INODE
