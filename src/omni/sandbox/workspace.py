"""Copies a folder of the host into the guest's `/work`, before the guest runs."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.sandbox import linux
from omni.sandbox.errors import WORKSPACE

SKIPPED = frozenset({".git", "__pycache__"})
_VENV_MARK = "pyvenv.cfg"


@dataclass
class Copy:
    """A copy of `source` into the folder open at `target`, which belongs to `owner` (uid and gid; None: to us).

    Root can't make a file in the guest's file system, since uid 0 does not exist there; its owner can.
    """

    source: Path
    target: int
    owner: tuple[int, int] | None = None
    unread: list[str] = field(default_factory=list)

    def run(self) -> tuple[str, ...]:
        """Copy regular files, folders and links as they are, with modes and times; return what could not be read.

        Left out: `.git` (hooks, remote addresses), `__pycache__`, virtual environments and special files.
        Raises OmniError when it does not fit or the source is not a folder.
        """
        try:
            self._folder(_entries(self.source), self.target, "")
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.ENOENT):
                raise
            raise OmniError(WORKSPACE, os.strerror(error.errno), where=str(error.filename or self.source)) from error
        return tuple(self.unread)

    def _folder(self, found: list[os.DirEntry[str]], target: int, name: str) -> None:
        for entry in found:
            if entry.name not in SKIPPED:
                try:
                    self._entry(entry, target, f"{name}{entry.name}")
                except PermissionError:
                    self.unread.append(f"{name}{entry.name}: no permission to read it, so the command did not get it")

    def _entry(self, entry: os.DirEntry[str], target: int, name: str) -> None:
        if entry.is_symlink():
            link = Path(entry.path).readlink()
            with linux.acting_as(self.owner):
                os.symlink(link, entry.name, dir_fd=target)
        elif entry.is_dir():
            found = _entries(entry.path)
            if any(each.name == _VENV_MARK for each in found):
                return
            with linux.acting_as(self.owner):
                _make_folder(entry.name, target)
                inner = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=target)
            try:
                self._folder(found, inner, f"{name}/")
            finally:
                os.close(inner)
        elif entry.is_file():
            self._file(entry, target)

    def _file(self, entry: os.DirEntry[str], target: int) -> None:
        source = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            about = os.fstat(source)
            with linux.acting_as(self.owner):
                copy = os.open(entry.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=target)
                try:
                    offset = 0
                    while sent := os.sendfile(copy, source, offset, 1 << 30):
                        offset += sent
                    os.fchmod(copy, stat.S_IMODE(about.st_mode) & 0o777 | 0o600)
                    os.utime(copy, ns=(about.st_mtime_ns, about.st_mtime_ns))
                finally:
                    os.close(copy)
        finally:
            os.close(source)


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _make_folder(name: str, parent: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise
