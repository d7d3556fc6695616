from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.files import locked, tree_digest, write_atomic


def test_a_write_gives_exactly_the_bytes_and_the_mode(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        write_atomic(tmp_path / "a" / "b", "π\n", mode=0o755)
    finally:
        os.umask(old)
    assert (tmp_path / "a/b").read_bytes() == "π\n".encode()
    assert stat.S_IMODE((tmp_path / "a/b").stat().st_mode) == 0o755
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomic(tmp_path / "f", b"old")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomic(tmp_path / "f", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"old")]


def test_a_reader_sees_the_old_or_the_new_whole(tmp_path: Path) -> None:
    path, whole = tmp_path / "f", {b"a" * 200_000, b"b" * 100_000}
    path.write_bytes(b"a" * 200_000)
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(40):
        for data in whole:
            write_atomic(path, data)
    stop.set()
    reader.join()
    assert seen <= whole


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    write_atomic(root / "a.txt", b"a")
    write_atomic(root / "sub/run", b"#!/bin/sh\n", mode=0o755)
    (root / "empty").mkdir()
    (root / "link").symlink_to("a.txt")
    return root


def test_the_digest_of_a_tree_does_not_depend_on_order_or_times(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("sub", "empty", "link", "a.txt"):
        source = tree / name
        if source.is_symlink():
            (copy / name).symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, copy / name, copy_function=shutil.copy)
        else:
            shutil.copy(source, copy / name)
    assert tree_digest(copy) == tree_digest(tree)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a.txt").write_bytes(b"b"),
        lambda root: (root / "a.txt").rename(root / "b.txt"),
        lambda root: (root / "a.txt").chmod(0o600),
        lambda root: (root / "sub").chmod(0o700),
        lambda root: (root / "empty").rmdir(),
        lambda root: (root / "new").mkdir(),
        lambda root: ((root / "link").unlink(), (root / "link").symlink_to("sub")),
        lambda root: ((root / "link").unlink(), (root / "link").write_bytes(b"a")),
        lambda root: os.mkfifo(root / "pipe"),
    ],
)
def test_the_digest_of_a_tree_changes_with_anything_in_it(tree: Path, change: Callable[[Path], object]) -> None:
    before = tree_digest(tree)
    change(tree)
    assert tree_digest(tree) != before


def test_a_lock_is_let_go_when_its_holder_is_killed(tmp_path: Path) -> None:
    script = "import sys,time; from pathlib import Path; from omni.kernel.files import locked\n"
    script += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script, tmp_path / "l"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    with locked(tmp_path / "l"):
        pass
