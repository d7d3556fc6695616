"""What differs between two files that should be the same, down to the members of archives."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

LARGEST = 1 << 30
"""Bytes that are unpacked of one archive; what was built may be made to fill the memory."""


class Member(NamedTuple):
    content: str
    size: int
    time: object
    mode: int
    owner: str = ""


def difference(first: Path, second: Path) -> str:
    """What differs, in words; empty when the bytes are the same."""
    if _digest(first) == _digest(second):
        return ""
    try:
        then, now = _members(first), _members(second)
    except (OSError, ValueError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error):
        then = now = None
    if then is None or now is None:
        return f"the content, from byte {_first_difference(first, second)} on"
    said = [f"{name} is only in one of them" for name in sorted(then.keys() ^ now.keys())]
    for name in sorted(then.keys() & now.keys()):
        fields = [field for field, a, b in zip(Member._fields, then[name], now[name], strict=True) if a != b]
        if fields:
            said.append(f"{name} ({', '.join(fields)})")
    if not said and list(then) != list(now):
        said.append("the order of its members")
    return "; ".join(said[:6]) + (f"; and {len(said) - 6} more" if len(said) > 6 else "") or "the archive's own headers"


def _members(path: Path) -> Mapping[str, Member] | None:
    """In the order of the archive; None for what is none."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return {
                each.filename: Member(f"{each.CRC:08x}", each.file_size, each.date_time, each.external_attr >> 16)
                for each in archive.infolist()
            }
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            return dict(_tar_members(archive))
    return None


def _tar_members(archive: tarfile.TarFile) -> list[tuple[str, Member]]:
    found, total = [], 0
    for each in archive:
        total += each.size
        if total > LARGEST:
            raise ValueError("it is too large to be unpacked")
        stream = archive.extractfile(each) if each.isfile() else None
        digest = _hashed(stream) if stream else each.linkname
        found.append(
            (each.name, Member(digest, each.size, each.mtime, each.mode, f"{each.uid}:{each.gid}:{each.uname}"))
        )
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return _hashed(stream)


def _hashed(stream: IO[bytes]) -> str:
    whole = hashlib.sha256()
    while block := stream.read(1 << 16):
        whole.update(block)
    return whole.hexdigest()


def _first_difference(first: Path, second: Path) -> int:
    at = 0
    with first.open("rb") as one, second.open("rb") as other:
        while (a := one.read(1 << 16)) == (b := other.read(1 << 16)) and a:
            at += len(a)
    return at + next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
