"""Brings artifacts out of a folder that a hostile command has written. The command must be dead by then."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from omni.sandbox import linux

MAX_FILES = 20_000
MAX_DEPTH = 64


@dataclass
class Collection:
    """What came out of the folder open at `folder`, and what did not and why. `room`: bytes that may still come."""

    folder: int
    into: Path
    room: int
    collected: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def take(self, patterns: tuple[str, ...]) -> None:
        """Copy the regular files that a pattern names, or that lie in a folder it names, to the same path in `into`.

        `*`, `?` and `[…]` stay within one folder, `**` spans any number. Links, devices, pipes, sockets, suid and
        sgid files and what exceeds the caps are refused. Every open goes through `open_beneath`.
        """
        wanted = [pattern_to_regex(pattern) for pattern in patterns]
        bases = {base for pattern in patterns if (base := _literal_part(pattern)) is not None}
        for base in sorted(base for base in bases if not any(_inside(base, other) for other in bases)):
            self._visit(base, wanted)

    def _visit(self, path: str, wanted: list[re.Pattern[str]]) -> None:
        selected = any(pattern.fullmatch(path) for pattern in wanted)
        try:
            fd = linux.open_beneath(self.folder, path or ".", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        except OSError as error:
            if selected:
                self.refused.append(f"{path}: {_REFUSALS.get(error.errno or 0, error.strerror)}")
            return
        try:
            about = os.fstat(fd)
            if stat.S_ISDIR(about.st_mode):
                for name in self._names(fd, path):
                    self._visit(f"{path}/{name}" if path else name, wanted)
            elif selected and (why := self._objection(about)):
                self.refused.append(f"{path}: {why}")
            elif selected:
                self._copy(fd, path, about)
        finally:
            os.close(fd)

    def _names(self, fd: int, path: str) -> list[str]:
        if path.count("/") >= MAX_DEPTH:
            self.refused.append(f"{path}: deeper than {MAX_DEPTH} folders")
            return []
        return sorted(os.listdir(fd))

    def _objection(self, about: os.stat_result) -> str:
        if not stat.S_ISREG(about.st_mode):
            return "not a regular file"
        if about.st_mode & (stat.S_ISUID | stat.S_ISGID):
            return "suid or sgid file"
        if about.st_size > self.room:
            return f"{about.st_size} bytes are over the disk cap"
        return f"more than {MAX_FILES} files" if len(self.collected) >= MAX_FILES else ""

    def _copy(self, source: int, path: str, about: os.stat_result) -> None:
        target = self.into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        mode = 0o755 if about.st_mode & stat.S_IXUSR else 0o644
        copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            offset = 0
            while sent := os.sendfile(copy, source, offset, 1 << 30):
                offset += sent
        finally:
            os.close(copy)
        self.room -= offset
        self.collected.append(path)


_REFUSALS = {errno.ELOOP: "symbolic link", errno.ENXIO: "socket", errno.EXDEV: "leads outside"}
"""How the careful open answers, in words."""


def pattern_to_regex(pattern: str) -> re.Pattern[str]:
    """The paths that `pattern` names, and everything beneath them. `?`, `*` and `[…]` do not match a slash."""
    parts = _parts(pattern)
    if parts is None:
        return re.compile(r"(?!)")
    while parts and parts[-1] == "**":
        parts.pop()
    inside = "".join(_part(part) for part in parts).removesuffix("/")
    return re.compile(f"{inside}(/.*)?" if parts else ".*", re.DOTALL)


def _part(part: str) -> str:
    if part == "**":
        return "(?:[^/]+/)*"
    pieces = re.split(r"(\*+|\?|\[!?[^]]+\])", part)
    return "".join(_glob(piece) for piece in pieces) + "/"


def _glob(piece: str) -> str:
    if piece.startswith("["):
        inner = re.sub(r"([\\\[^&~|])", r"\\\1", piece[1:-1].removeprefix("!"))
        return f"(?!/)[{'^' if piece[1] == '!' else ''}{inner}]"
    return "[^/]*" if piece.startswith("*") else "[^/]" if piece == "?" else re.escape(piece)


def _parts(pattern: str) -> list[str] | None:
    """The pattern's components; None when it points outside."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    return None if pattern.startswith("/") or ".." in parts else parts


def _literal_part(pattern: str) -> str | None:
    """The folder from which on the pattern has to be searched for."""
    parts = _parts(pattern)
    return None if parts is None else "/".join(_until_glob(parts))


def _until_glob(parts: list[str]) -> Iterator[str]:
    for part in parts:
        if set(part) & set("*?["):
            return
        yield part


def _inside(path: str, folder: str) -> bool:
    return path != folder and (not folder or path.startswith(f"{folder}/"))
