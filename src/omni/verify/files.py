"""The inventory of a target: every file, its language, and why it can't be looked at if it can't.

Git says what belongs to the project (`ls-files`, tracked and new, nothing ignored); without git a walk does. Links
are never followed. Files are read one at a time, so memory stays flat however many there are.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeAlias

from omni.verify import marks, repository
from omni.verify.languages import language

LARGEST = 5 * 1024 * 1024
"""Bytes. Larger files are data, and a tool that reads one may need a hundred times that in memory."""

NOT_PROJECT = {
    ".git": "version control",
    ".hg": "version control",
    ".svn": "version control",
    "__pycache__": "compiled Python",
    "node_modules": "installed packages",
}
"""Folders a walk leaves out. With git, its ignore rules say instead."""


@dataclass(frozen=True, slots=True)
class File:
    path: str
    """Relative to the target, with forward slashes."""
    size: int
    language: str
    digest: str = ""
    """SHA-256 of the content, hex; empty when there is a problem."""
    executable: bool = False
    problem: str = ""
    """Why it can't be analysed; empty when it can."""
    harmless: bool = False
    """The problem takes nothing from the analysis: a picture, a link to a file that is looked at by itself."""


@dataclass(frozen=True)
class Inventory:
    root: Path
    files: tuple[File, ...]
    """By path, sorted."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Folders and files that are not listed: path → why."""

    @cached_property
    def by_path(self) -> Mapping[str, File]:
        return {file.path: file for file in self.files}

    def matching(self, languages: Iterable[str], globs: Iterable[str]) -> tuple[File, ...]:
        """Files in one of the languages or under one of the globs."""
        wanted = frozenset(languages)
        patterns = tuple(globs)
        return tuple(file for file in self.files if file.language in wanted or matches(file.path, patterns))


Look: TypeAlias = Callable[[Path, str], "File | None"]
"""How one file is looked at: `examine`, or `Known.examine`."""


def take_inventory(root: Path, exclude: Mapping[str, str] | None = None, look: Look | None = None) -> Inventory:
    """Every file of the project at `root`. `exclude` maps globs to why they are left out."""
    look = look or examine
    excluded = exclude or {}
    listed = repository.listed_files(root)
    left_out: dict[str, str] = {}
    closed: dict[str, str] = {}
    paths = sorted(set(listed if listed is not None else _walk(root, left_out, closed)))
    files = [File(path, 0, "", problem=why) for path, why in closed.items()]
    for path in paths:
        why = next((because for glob, because in excluded.items() if matches(path, (glob,))), "")
        if why:
            left_out[path] = why
        elif (file := look(root, path)) is not None:
            files.append(file)
    return Inventory(root, tuple(sorted(files, key=lambda file: file.path)), left_out)


def examine(root: Path, path: str) -> File | None:
    """One file; None when it is gone (deleted but still in git's index)."""
    try:
        status = os.lstat(f"{root}/{path}")  # a Path for each of 50,000 files costs more than looking at them
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return File(_printable(path), 0, language(path), problem=f"can't be looked at: {error.strerror}")
    if "\udc80" <= max(path, default="") <= "\udcff":
        return File(_printable(path), status.st_size, language(path), problem="its name is not UTF-8")
    if stat.S_ISLNK(status.st_mode):
        problem, harmless = _link(root, path)
        return File(path, 0, language(path), problem=problem, harmless=harmless)
    if stat.S_ISDIR(status.st_mode):
        return File(path, 0, "", problem="another repository (submodule): verify it by itself", harmless=True)
    if not stat.S_ISREG(status.st_mode):
        return File(path, 0, "", problem="not a regular file (device, socket or pipe)", harmless=True)
    return _regular(root, path, status)


class Known:
    """Looks at files as `examine` does, and reads one again only when its times, size or place on the disk changed."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[tuple[int, ...], File]] = {}

    def examine(self, root: Path, path: str) -> File | None:
        try:
            status = os.lstat(f"{root}/{path}")
        except OSError:
            self._files.pop(path, None)
            return examine(root, path)
        mark = marks.of(status)
        before = self._files.get(path)
        if before and before[0] == mark:
            return before[1]
        file = examine(root, path)
        if file and marks.settled(mark, time.time_ns()) and stat.S_ISREG(status.st_mode):
            self._files[path] = (mark, file)
        else:
            self._files.pop(path, None)
        return file


def _regular(root: Path, path: str, status: os.stat_result) -> File:
    executable = bool(status.st_mode & stat.S_IXUSR)
    if status.st_size > LARGEST:
        kind = language(path)
        problem = f"larger than {LARGEST >> 20} MiB ({status.st_size / (1 << 20):.0f} MiB)"
        return File(path, status.st_size, kind, executable=executable, problem=problem)
    try:
        # O_NOFOLLOW: it was a file when we looked, and has to be one still; O_NONBLOCK: a pipe must not hold us up.
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        return File(path, status.st_size, language(path), problem=f"can't be read: {error.strerror}")
    kind = language(path, data[:128].split(b"\n", 1)[0])
    problem, harmless = _unreadable_text(kind, data)
    if problem and not kind:
        kind = "binary"
    digest = hashlib.sha256(data).hexdigest()
    return File(path, len(data), kind, digest, executable, problem, harmless)


TEXT_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)


def _unreadable_text(kind: str, data: bytes) -> tuple[str, bool]:
    """(why it is not text in UTF-8, whether that is to be expected of such a file)."""
    if b"\0" in data[:8192]:
        return "binary", kind in {"", "binary"}
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as problem:
        if kind == "python" and TEXT_CODING.search(b"\n".join(data.split(b"\n", 2)[:2])):
            return "", False  # PEP 263: Python and its tools can read it
        line = data.count(b"\n", 0, problem.start) + 1
        return f"not UTF-8 text (line {line}); save it as UTF-8", kind in {"", "binary"}
    return "", False


def _link(root: Path, path: str) -> tuple[str, bool]:
    try:
        target = (root / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return "a link that leads nowhere or to itself", False
    if target.is_relative_to(root.resolve()):
        return "a link to a file that is looked at by itself", True
    return "a link out of the project, which is not followed", True


def _walk(root: Path, left_out: dict[str, str], closed: dict[str, str]) -> Iterator[str]:
    """All paths below `root` but version control and what a package manager put there; `closed` can't be listed."""

    def unreadable(problem: OSError) -> None:
        closed[_printable(os.path.relpath(problem.filename, root))] = f"can't be listed: {problem.strerror}"

    for folder, folders, names in os.walk(root, onerror=unreadable):
        here = os.path.relpath(folder, root)
        base = "" if here == "." else here.replace(os.sep, "/") + "/"
        for name in sorted(folders):
            why = NOT_PROJECT.get(name) or _made_by_tool(Path(folder, name))
            if why:
                left_out[base + name] = why
                folders.remove(name)
            elif Path(folder, name).is_symlink():
                yield base + name  # os.walk does not follow it; the inventory says so
        yield from (base + name for name in names)


def _made_by_tool(folder: Path) -> str:
    if os.access(folder / "pyvenv.cfg", os.F_OK):
        return "a Python environment"
    return "a cache" if os.access(folder / "CACHEDIR.TAG", os.F_OK) else ""


def _printable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a glob matches: `*` within a folder, `**` across; a glob without `/` is about the name alone."""
    return any(_pattern(glob).fullmatch(path) for glob in globs)


@lru_cache(maxsize=1024)
def _pattern(glob: str) -> re.Pattern[str]:
    text = glob if "/" in glob else f"**/{glob}"
    regex = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", text):
        regex += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(regex, re.DOTALL)
