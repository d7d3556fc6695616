"""Unpacking an archive that a stranger sent: only plain files, only inside, never more than allowed."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from omni.kernel.errors import Exit, OmniError, declare

BAD_ARCHIVE = declare(
    "G001", "The archive can't be used", Exit.USAGE, "Send a tar.gz or zip of plain files, such as `git archive` makes."
)

BYTES = 512 << 20
"""Unpacked, of all files together."""
FILES = 100_000
DEPTH = 40
"""Folders within folders."""
CHUNK = 1 << 20


@dataclass
class _Budget:
    """What may still be written."""

    bytes: int = BYTES
    files: int = FILES

    def take(self, count: int) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise OmniError(BAD_ARCHIVE, f"unpacked, it is larger than {BYTES >> 20} MiB")

    def take_file(self) -> None:
        self.files -= 1
        if self.files < 0:
            raise OmniError(BAD_ARCHIVE, f"it has more than {FILES:,} entries")


def unpack(archive: Path, into: Path) -> Path:
    """Write the archive's files below the empty folder `into`; returns the folder that holds the project.

    That is `into`, or the one folder at the top in which all files lie. Refused (`G001`): links, devices, absolute
    names, `..`, a name twice, an archive that is cut off, damaged, encrypted, or larger unpacked than allowed. Bytes
    are counted as they arrive; what the archive says of its size is not believed.
    """
    budget = _Budget()
    try:
        with archive.open("rb") as stream:
            entries = _zip(stream, budget) if zipfile.is_zipfile(archive) else _tar(stream, budget)
            for name, content, executable in entries:
                _write(_place(into, name), content, budget, executable)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as problem:
        raise OmniError(BAD_ARCHIVE, str(problem) or "it is damaged") from problem
    except (OSError, UnicodeError, ValueError) as problem:  # a name that is too long, or twice, or not text
        raise OmniError(BAD_ARCHIVE, f"an entry can't be written: {problem}") from problem
    tops = list(into.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else into


def _tar(stream: IO[bytes], budget: _Budget) -> Iterator[tuple[str, IO[bytes], bool]]:
    with tarfile.open(fileobj=stream, mode="r|*") as tar:
        for entry in tar:
            budget.take_file()
            if entry.isdir():
                continue
            content = tar.extractfile(entry) if entry.isreg() else None
            if content is None:
                raise OmniError(BAD_ARCHIVE, f"{entry.name[:100]!r} is no plain file (a link or a device)")
            yield entry.name, content, bool(entry.mode & stat.S_IXUSR)


def _zip(stream: IO[bytes], budget: _Budget) -> Iterator[tuple[str, IO[bytes], bool]]:
    with zipfile.ZipFile(stream) as pack:
        for entry in pack.infolist():
            budget.take_file()
            mode = entry.external_attr >> 16
            if entry.is_dir():
                continue
            if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                raise OmniError(BAD_ARCHIVE, f"{entry.filename[:100]!r} is no plain file (a link or a device)")
            with pack.open(entry) as content:
                yield entry.filename, content, bool(mode & stat.S_IXUSR)


def _place(into: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    inside = parts and not name.startswith("/") and ".." not in parts and "\\" not in name and "\0" not in name
    if not inside or ".git" in {part.lower() for part in parts} or len(parts) > DEPTH:
        raise OmniError(BAD_ARCHIVE, f"the name {name[:100]!r} leads out of the folder, into .git, or too deep")
    return into.joinpath(*parts)


def _write(place: Path, content: IO[bytes], budget: _Budget, executable: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as target:
        while chunk := content.read(CHUNK):
            budget.take(len(chunk))
            target.write(chunk)
    place.chmod(0o755 if executable else 0o644)
