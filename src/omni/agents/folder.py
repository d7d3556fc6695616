"""A folder of the host that may hold hostile links: every path is opened beneath it, and no link is ever followed."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from omni.sandbox import linux
from omni.sandbox.workspace import SKIPPED

VENV_MARK = "pyvenv.cfg"
_SHOWN = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Found:
    """A file or a link, as it lies there."""

    mode: int
    """Permission bits."""
    size: int
    stamp: tuple[int, int, int]
    """Inode, time of change of content and of inode, in nanoseconds: another stamp, perhaps another content."""
    target: str | None = None
    """Of a link."""


@dataclass(frozen=True)
class Folder:
    """Paths are relative, with forward slashes, without `..`. Everything raises OSError; a link on the way is ELOOP."""

    root: Path

    def walk(self) -> dict[str, Found]:
        """Every regular file and link, sorted by path; without `.git`, `__pycache__`, virtual environments, devices."""
        found: dict[str, Found] = {}
        _visit(self.root, "", found)
        return dict(sorted(found.items()))

    def read(self, path: str) -> tuple[bytes, int]:
        """The bytes of a regular file, and its permission bits."""
        with self._open(path, os.O_RDONLY | os.O_NONBLOCK) as file:
            mode = _regular(file, path)
            with os.fdopen(os.dup(file), "rb") as reader:
                return reader.read(), mode

    def regular(self, path: str) -> int:
        """The permission bits of a regular file."""
        with self._open(path, os.O_RDONLY | os.O_NONBLOCK) as file:
            return _regular(file, path)

    def about(self, path: str) -> os.stat_result | None:
        """What lies at the path, a link being a link; None when nothing does."""
        try:
            with self._parent(path) as (parent, name):
                return os.stat(name, dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, data: bytes, mode: int) -> None:
        """Make or replace a file, with the folders on the way; a reader sees the old content or the new."""
        with self._parent(path, make=True) as (parent, name):
            temporary = f".{secrets.token_hex(8)}.tmp"
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=parent)
            try:
                with os.fdopen(file, "wb") as writer:
                    writer.write(data)
                    os.fchmod(writer.fileno(), mode)
                os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
                raise

    def link(self, path: str, target: str) -> None:
        """Make a link where nothing is. It is never followed."""
        with self._parent(path, make=True) as (parent, name):
            os.symlink(target, name, dir_fd=parent)

    def delete(self, path: str) -> None:
        """Take a file or link away, and the folders that are empty then."""
        with self._parent(path) as (parent, name):
            os.unlink(name, dir_fd=parent)
        while "/" in path:
            path = path.rpartition("/")[0]
            try:
                with self._parent(path) as (parent, name):
                    os.rmdir(name, dir_fd=parent)
            except OSError:
                return

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder that holds `path`, and the last part of its name."""
        folder, _, name = path.rpartition("/")
        if make and folder:
            self._make(folder)
        with self._open(folder or ".", os.O_RDONLY | os.O_DIRECTORY) as parent:
            yield parent, name

    def _make(self, folder: str) -> None:
        made = ""
        for part in folder.split("/"):
            with self._open(made or ".", os.O_RDONLY | os.O_DIRECTORY) as parent, suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=parent)
            made = f"{made}/{part}" if made else part

    @contextmanager
    def _open(self, path: str, flags: int) -> Iterator[int]:
        root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            file = linux.open_beneath(root, path, flags | os.O_NOFOLLOW)
        finally:
            os.close(root)
        try:
            yield file
        finally:
            os.close(file)


def _regular(file: int, path: str) -> int:
    about = os.fstat(file)
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)
    return stat.S_IMODE(about.st_mode)


def _visit(folder: Path | str, prefix: str, found: dict[str, Found]) -> None:
    with os.scandir(folder) as entries:
        inside = [entry for entry in entries if entry.name not in SKIPPED]
    if prefix and any(entry.name == VENV_MARK for entry in inside):
        return
    for entry in inside:
        name = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            with suppress(PermissionError):
                _visit(entry.path, f"{name}/", found)
            continue
        about = entry.stat(follow_symlinks=False)
        stamp = (about.st_ino, about.st_mtime_ns, about.st_ctime_ns)
        if entry.is_symlink():
            found[name] = Found(0, 0, stamp, str(Path(entry.path).readlink()))
        elif entry.is_file(follow_symlinks=False):
            found[name] = Found(stat.S_IMODE(about.st_mode), about.st_size, stamp)


def printable(text: str) -> str:
    """The text as every database and every wire takes it: bytes that are no UTF-8 and control characters replaced."""
    whole = text.encode("utf-8", "surrogateescape" if _escaped(text) else "replace").decode("utf-8", "replace")
    return _SHOWN.sub("\N{REPLACEMENT CHARACTER}", whole)


def _escaped(text: str) -> bool:
    return all("\udc80" <= each <= "\udcff" for each in text if "\ud800" <= each <= "\udfff")
