"""The few system calls that Python's `os` does not offer. Numbers and structures: linux/uapi headers."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_NODEV = 0x2, 0x4
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH = 0x1, 0x2, 0x4, 0x8
_OPENAT2 = 437
_SETRESUID, _SETRESGID = (117, 119) if os.uname().machine == "x86_64" else (147, 149)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.syscall.restype = ctypes.c_long


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _fail(where: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), where)


def unshare_mounts() -> None:
    """Give the calling *thread* its own mount namespace; nothing mounted from now on is seen outside it.

    Raises OSError where the thread lacks CAP_SYS_ADMIN.
    """
    if _libc.unshare(CLONE_NEWNS) != 0:
        raise _fail("unshare")
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2). Raises OSError."""
    arguments = (os.fsencode(source), os.fsencode(target), kind.encode(), flags, data.encode())
    if _libc.mount(*arguments) != 0:
        raise _fail(target)


def open_beneath(folder: int, path: str, flags: int) -> int:
    """Open `path` below the open `folder` and return the descriptor.

    The kernel refuses (OSError) to follow any link or to leave the folder or its mount, whatever a hostile
    tree looks like: openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_XDEV.
    """
    resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV
    how = _OpenHow(flags | os.O_CLOEXEC, 0, resolve)
    fd = int(
        _libc.syscall(_OPENAT2, folder, ctypes.c_char_p(os.fsencode(path)), ctypes.byref(how), ctypes.c_size_t(24))
    )
    if fd < 0:
        raise _fail(path)
    return fd


@contextmanager
def acting_as(ids: tuple[int, int] | None) -> Iterator[None]:
    """Let the calling *thread* act as another uid and gid for a while; needs root. None: as it is.

    Python's `os.seteuid` would change every thread, so the bare calls are made, which change one: setresuid(2).
    """
    if ids is None:
        yield
        return
    uid, gid = ids
    _set_ids(_SETRESGID, gid)
    _set_ids(_SETRESUID, uid)
    try:
        yield
    finally:
        _set_ids(_SETRESUID, 0)
        _set_ids(_SETRESGID, 0)


def _set_ids(call: int, number: int) -> None:
    """Change the effective id only, so that the thread can come back."""
    keep = ctypes.c_long(-1)
    if _libc.syscall(call, keep, ctypes.c_long(number), keep) != 0:
        raise _fail("setresuid")
