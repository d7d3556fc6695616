"""The bare calls: what the kernel is asked, and how its refusal comes back."""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress
from pathlib import Path

import pytest

from omni.sandbox import linux


class _Libc:
    """Notes what it is asked, and refuses with `problem`."""

    def __init__(self, problem: int = 0) -> None:
        self.problem, self.asked = problem, list[tuple[object, ...]]()

    def _answer(self, name: str, given: tuple[object, ...]) -> int:
        self.asked.append((name, *(each.value if isinstance(each, ctypes.c_long) else each for each in given)))
        ctypes.set_errno(self.problem)
        return -1 if self.problem else 0

    def unshare(self, *given: object) -> int:
        return self._answer("unshare", given)

    def mount(self, *given: object) -> int:
        return self._answer("mount", given)

    def syscall(self, *given: object) -> int:
        return self._answer("syscall", given)


def _libc(monkeypatch: pytest.MonkeyPatch, problem: int = 0) -> _Libc:
    libc = _Libc(problem)
    monkeypatch.setattr(linux, "_libc", libc)
    return libc


def test_a_private_mount_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = _libc(monkeypatch)
    linux.unshare_mounts()
    assert libc.asked == [("unshare", 0x20000), ("mount", b"none", b"/", b"", 0x4000 | 0x40000, b"")]


def test_a_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = _libc(monkeypatch)
    linux.mount("/a", "/ä", "tmpfs", 7, "size=1m")
    assert libc.asked == [("mount", b"/a", "/ä".encode(), b"tmpfs", 7, b"size=1m")]


def test_a_refusal_names_what_was_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    _libc(monkeypatch, errno.EPERM)
    with pytest.raises(PermissionError) as caught:
        linux.unshare_mounts()
    assert (caught.value.filename, caught.value.strerror) == ("unshare", "Operation not permitted")
    with pytest.raises(PermissionError) as caught:
        linux.mount("/a", "/b", "none", 0)
    assert caught.value.filename == "/b"


def test_acting_as_somebody_else_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = _libc(monkeypatch)
    uid, gid = {"x86_64": (117, 119), "aarch64": (147, 149)}[os.uname().machine]
    with suppress(KeyError), linux.acting_as((7, 8)):
        assert libc.asked == [("syscall", gid, -1, 8, -1), ("syscall", uid, -1, 7, -1)]
        raise KeyError
    assert libc.asked[2:] == [("syscall", uid, -1, 0, -1), ("syscall", gid, -1, 0, -1)]


def test_acting_as_oneself_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = _libc(monkeypatch)
    with linux.acting_as(None):
        pass
    assert libc.asked == []


def test_who_may_not_become_somebody_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _libc(monkeypatch, errno.EPERM)
    with pytest.raises(PermissionError), linux.acting_as((7, 8)):
        pass


@pytest.mark.parametrize(
    ("path", "problem"),
    [("../a", errno.EXDEV), ("/etc/passwd", errno.EXDEV), ("link", errno.ELOOP), ("none", errno.ENOENT)],
)
def test_nothing_outside_is_opened(path: str, problem: int, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a").touch()
    (tmp_path / "in/link").symlink_to("file")
    (tmp_path / "in/file").touch()
    assert (linux.RESOLVE_NO_XDEV, linux.RESOLVE_NO_MAGICLINKS, linux.RESOLVE_NO_SYMLINKS) == (1, 2, 4)
    assert (linux.RESOLVE_BENEATH, linux._OPENAT2) == (8, 437)
    folder = os.open(tmp_path / "in", os.O_RDONLY)
    try:
        with pytest.raises(OSError, match=r".") as caught:
            linux.open_beneath(folder, path, os.O_RDONLY)
        assert (caught.value.errno, caught.value.filename) == (problem, path)
        fd = linux.open_beneath(folder, "file", os.O_RDONLY)
        assert not os.get_inheritable(fd)
        os.close(fd)
    finally:
        os.close(folder)
