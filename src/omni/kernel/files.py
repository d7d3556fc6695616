"""Writing files so that a reader sees the old content or the new, never a half."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_atomic(path: Path, data: bytes | str, mode: int = 0o644) -> None:
    """Write `data` (text as UTF-8) to `path` with exactly `mode`; make missing parent folders.

    The bytes reach the disk before the name does, so a crash at any instant leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name[:100]}.{secrets.token_hex(6)}.tmp"
    try:
        with open_new(temporary, mode) as descriptor:
            descriptor.write(data.encode() if isinstance(data, str) else data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


class open_new:  # noqa: N801 - used like open()
    """A new binary file with exactly `mode`, forced to disk on leaving. Raises FileExistsError."""

    def __init__(self, path: Path, mode: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        os.fchmod(descriptor, mode)  # whatever the umask
        self.file = os.fdopen(descriptor, "wb")

    def __enter__(self) -> open_new:
        return self

    def write(self, data: bytes) -> None:
        self.file.write(data)

    def __exit__(self, *_: object) -> None:
        with self.file:
            self.file.flush()
            os.fsync(self.file.fileno())


def sync_folder(path: Path) -> None:
    """Force the names in a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Held by one process at a time; the kernel lets go of it when that process dies.

    Yields the lock's descriptor: a child that inherits it holds the lock too, until both are gone.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def secret_file(path: Path) -> str:
    """The secret in a file, made on first use and readable by its owner alone; who starts at once agrees on one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(path.with_name(f"{path.name}.lock")):
            if not path.exists():
                write_atomic(path, secrets.token_urlsafe(32) + "\n", 0o600)
    return path.read_text("ascii").strip()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_digest(root: Path) -> str:
    """`sha256:…` over every path, kind, permission bits and content beneath `root`; links count by their target.

    Independent of the order on disk, of times and of owners.
    """
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*"), key=lambda found: os.fsencode(found.relative_to(root).as_posix())):
        name = os.fsencode(path.relative_to(root).as_posix())
        whole.update(b"%d:%s\0%s\n" % (len(name), name, _describe(path)))
    return f"sha256:{whole.hexdigest()}"


def _describe(path: Path) -> bytes:
    status = path.lstat()
    mode = b"%o" % stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(path.readlink())
        return b"link %s" % hashlib.sha256(target).hexdigest().encode()
    if stat.S_ISDIR(status.st_mode):
        return b"folder %s" % mode
    if stat.S_ISREG(status.st_mode):
        return b"file %s %s" % (mode, file_digest(path).encode())
    return b"special %s" % mode


def exchange(one: Path, other: Path) -> None:
    """Swap two paths in one step, so that both names are there at every instant (renameat2(2), RENAME_EXCHANGE).

    Where the file system can't, in two steps with an instant between them.
    """
    import ctypes  # each command would wait for it, and few exchange anything

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    if renameat2 is not None and renameat2(*names, _RENAME_EXCHANGE) == 0:
        return
    aside = one.with_name(f"{one.name}.{secrets.token_hex(6)}")
    other.rename(aside)
    one.rename(other)
    aside.rename(one)
