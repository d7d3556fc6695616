from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.deep.archives import difference

OLD, NEW = (1980, 1, 2, 0, 0, 0), (1999, 9, 9, 9, 9, 8)


def zipped(path: Path, members: list[tuple[str, str, tuple[int, ...]]], mode: int = 0o644) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text, at in members:
            info = zipfile.ZipInfo(name, at)  # type: ignore[arg-type]
            info.external_attr = mode << 16
            archive.writestr(info, text)
    return path


def tarred(path: Path, time: int, text: bytes = b"x") -> Path:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("a/b")
        info.size, info.mtime = len(text), time
        archive.addfile(info, io.BytesIO(text))
    return path


def test_zip(tmp_path: Path) -> None:
    one = zipped(tmp_path / "1", [("a", "x", OLD), ("b", "y", OLD)])
    assert difference(one, zipped(tmp_path / "2", [("a", "x", OLD), ("b", "y", OLD)])) == ""
    assert difference(one, zipped(tmp_path / "2", [("a", "x", NEW), ("b", "z", OLD)])) == "a (time); b (content)"
    assert difference(one, zipped(tmp_path / "2", [("b", "y", OLD), ("a", "x", OLD)])) == "the order of its members"
    assert difference(one, zipped(tmp_path / "2", [("a", "x", OLD)])) == "b is only in one of them"
    other = zipped(tmp_path / "2", [("a", "x", OLD), ("b", "y", OLD)], 0o664)
    assert difference(one, other) == "a (mode); b (mode)"


def test_tar(tmp_path: Path) -> None:
    one = tarred(tmp_path / "1", 5)
    assert difference(one, tarred(tmp_path / "2", 6)) == "a/b (time)"
    assert difference(one, tarred(tmp_path / "2", 5, b"xy")) == "a/b (content, size)"


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, one: bytes, other: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "1").write_bytes(one)
    (folder / "2").write_bytes(other)
    assert (difference(folder / "1", folder / "2") == "") == (one == other)


def test_where_bytes_part(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(b"a" * 70000 + b"b")
    (tmp_path / "2").write_bytes(b"a" * 70000 + b"c")
    assert difference(tmp_path / "1", tmp_path / "2") == "the content, from byte 70000 on"
