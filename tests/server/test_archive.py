"""Archives of strangers: what is fine is unpacked exactly, everything else is refused and leaves nothing outside."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.kernel.errors import OmniError
from omni.server import archive
from omni.server.archive import unpack


def tar(*entries: tuple[str, bytes], mode: str = "w:gz", **fields: object) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as out:  # type: ignore[call-overload]
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in fields.items():
                setattr(entry, field, value)
            out.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def zipped(*entries: tuple[str, bytes], mode: int = stat.S_IFREG | 0o644) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            out.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[[bytes], Path]:
    def run(data: bytes) -> Path:
        (tmp_path / "upload").write_bytes(data)
        (tmp_path / "into").mkdir()
        return unpack(tmp_path / "upload", tmp_path / "into")

    return run


@pytest.mark.parametrize("make", [tar, zipped])
def test_plain_files_arrive_as_they_were(unpacked: Callable[[bytes], Path], make: Callable[..., bytes]) -> None:
    root = unpacked(make(("top/a.py", b"x = 1\n"), ("top/deep/b.py", b"y = 2\n")))
    assert root.name == "top"
    assert {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.py")} == {
        "a.py": b"x = 1\n",
        "deep/b.py": b"y = 2\n",
    }


NAMES = ("../out.py", "/tmp/out.py", "a/../../out.py", ".git/config", "a/.GIT/hooks/x", "..\\out.py", "a/" * 60 + "b")


HOSTILE = {
    **{f"{make.__name__}-{name[:20]}": make((name, b"x")) for name in NAMES for make in (tar, zipped)},
    "tar-link": tar(("link", b""), type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "tar-hard-link": tar(("hard", b""), type=tarfile.LNKTYPE, linkname="../../etc/passwd"),
    "tar-device": tar(("device", b""), type=tarfile.CHRTYPE),
    "tar-pipe": tar(("pipe", b""), type=tarfile.FIFOTYPE),
    "zip-link": zipped(("link", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777),
    "twice": tar(("a", b"1"), ("a", b"2")),
    "tar-cut-off": tar(("a.py", b"x" * 5000))[:60],
    "zip-cut-off": zipped(("a.py", b"x" * 5000))[:-30],
    "empty": b"",
    "neither": b"neither of them",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)  # their bytes hold the time, so they are no names
def test_everything_else_is_refused_and_nothing_is_left_outside(
    unpacked: Callable[[bytes], Path], tmp_path: Path, data: bytes
) -> None:
    with pytest.raises(OmniError) as caught:
        unpacked(data)
    assert caught.value.kind.code == "G001"
    assert {path.name for path in tmp_path.iterdir()} == {"upload", "into"}
    assert not any(path.is_symlink() for path in (tmp_path / "into").rglob("*"))


@pytest.mark.parametrize("make", [tar, zipped])
def test_a_bomb_stops_at_the_limit(
    unpacked: Callable[[bytes], Path], make: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(archive, "BYTES", 1 << 20)
    monkeypatch.setattr(archive._Budget.__init__, "__defaults__", (1 << 20, 100))
    with pytest.raises(OmniError, match="larger than 1 MiB"):
        unpacked(make(("bomb", bytes(64 << 20))))
    assert sum(path.stat().st_size for path in (tmp_path / "into").rglob("*") if path.is_file()) <= 1 << 20


def test_too_many_entries_stop_at_the_limit(unpacked: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive._Budget.__init__, "__defaults__", (1 << 20, 100))
    with pytest.raises(OmniError, match="entries"):
        unpacked(tar(*((f"f{number}", b"") for number in range(200))))


@given(st.binary(max_size=2000), st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00"]))
def test_any_bytes_are_unpacked_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes) -> None:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "upload").write_bytes(head + data)
    (folder / "into").mkdir()
    code = ""
    try:
        unpack(folder / "upload", folder / "into")
    except OmniError as problem:
        code = problem.kind.code
    assert code in {"", "G001"}
