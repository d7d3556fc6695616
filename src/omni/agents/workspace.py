"""The folder in which a model's work is done: on the host, written by Omni alone.

What a model wants run works on a copy in the sandbox; what it changed there is brought back here. No path is followed
through a link: a hostile repository, or a command in the sandbox, may have made it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable, Set
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

from omni.agents.folder import VENV_MARK, Folder, Found, printable
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.files import file_digest
from omni.models.wire import Model
from omni.sandbox.collect import pattern_to_regex
from omni.sandbox.job import Driver, Job, JobResult

INSIDE = "/work"
"""Where a command in the sandbox finds the workspace, so that models name paths so."""
CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox"})
"""Folders that tools leave behind; they are not brought back."""

_FEW = 16
"""New files that a snapshot forces to disk one by one."""

RefusalKind = Literal["tool", "arguments", "path", "protected", "edit"]
"""A tool that is unknown or not granted; arguments that can't be read; a path that leads out or through a link; a path
that the task protects; an edit that fits nowhere, or in several places."""


class Refused(Exception):  # noqa: N818 - an answer to the model, not a failure of Omni
    """Something that a model asked for and does not get. `why` is told to it, and kept as the event `agent.refused`."""

    def __init__(self, kind: RefusalKind, why: str) -> None:
        super().__init__(why)
        self.kind: RefusalKind = kind
        self.why = why


class Changes(Model):
    """What a command changed in the host folder. Paths are relative, with forward slashes, sorted."""

    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """What it changed and what was not brought back, as `path: why`."""


@dataclass(frozen=True)
class AgentWorkspace:
    """`protected`: globs (`*` within a folder, `**` any number) of paths that may be read and run but not changed."""

    root: Path
    protected: tuple[str, ...] = ()
    _kept: dict[str, tuple[Found, str]] = field(default_factory=dict, repr=False, compare=False)
    """What the last snapshot knew of each path, so that the next one reads only what has changed."""

    @property
    def folder(self) -> Folder:
        return Folder(self.root)

    @cached_property
    def _protected(self) -> tuple[re.Pattern[str], ...]:
        return tuple(pattern_to_regex(pattern) for pattern in self.protected)

    def files(self) -> tuple[str, ...]:
        """Every regular file, sorted; `.git`, `__pycache__`, virtual environments and links are left out."""
        return tuple(path for path, found in self.folder.walk().items() if found.target is None)

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises Refused for what is not a regular file inside, reached without links."""
        name = inside(path)
        try:
            return self.folder.read(name)[0]
        except OSError as problem:
            raise _refusal(name, problem) from problem

    def about(self, name: str) -> os.stat_result | None:
        """What lies at `inside(path)`, a link being a link; None when nothing does. Raises Refused behind a link."""
        try:
            return self.folder.about(name) if name else self.root.stat()
        except OSError as problem:
            raise _refusal(name, problem) from problem

    def write(self, path: str, data: bytes) -> None:
        """Make or replace a file; its mode stays. Raises Refused: outside, through a link, `.git`, protected."""
        name = inside(path)
        if why := self._objection(name):
            raise Refused("protected", f"{printable(name)}: {why}")
        try:
            about = self.folder.about(name)
            mode = 0o644 if about is None else self.folder.regular(name)  # a link or a folder is refused here
            self.folder.write(name, data, mode & 0o777)
        except OSError as problem:
            raise _refusal(name, problem) from problem

    def run(self, driver: Driver, job: Job) -> tuple[JobResult, Changes]:
        """Run a job on a copy of the folder and bring back what it changed: contents, new files, deletions, whether
        a file may be executed. Links, `.git`, caches and protected paths are not brought back.

        Raises OmniError when the sandbox can't run it.
        """
        before = self.folder.walk()
        with tempfile.TemporaryDirectory(prefix="omni-agent-") as out:
            result = driver.run(replace(job, workspace=self.root, collect=("**",), into=Path(out)))
            return result, self._bring_back(before, result, Path(out))

    def _bring_back(self, before: dict[str, Found], result: JobResult, out: Path) -> Changes:
        links = {path for path, found in before.items() if found.target is not None}
        withheld = {entry.rpartition(": ")[0] for entry in result.refused}
        # A link that was there before can't come back, and stays: nothing to tell.
        refused = [entry for entry in result.refused if entry.rpartition(": ")[0] not in links]
        written: list[str] = []
        deleted: list[str] = []
        here = frozenset(result.collected)
        gone = {path for path in before if path not in here and not _within(path, withheld)}
        new = [path for path in _worth_keeping(result.collected) if self._differs(out / path, path, before.get(path))]
        for path in [*sorted(gone), *new]:
            if why := self._objection(path):
                refused.append(f"{path}: {why}")
                continue
            try:
                if path in gone:
                    self.folder.delete(path)
                    deleted.append(path)
                else:
                    self._take(out / path, path, before.get(path))
                    written.append(path)
            except OSError as problem:
                refused.append(f"{path}: {_words(problem)}")
        return Changes(written=_shown(written), deleted=_shown(deleted), refused=_shown(refused))

    def _differs(self, new: Path, path: str, old: Found | None) -> bool:
        if old is None or old.target is not None:
            return True
        about = new.stat()
        if about.st_size != old.size or (about.st_mode ^ old.mode) & stat.S_IXUSR:
            return True
        return new.read_bytes() != self.folder.read(path)[0]

    def _take(self, new: Path, path: str, old: Found | None) -> None:
        """The mode stays, unless the right to execute came or went."""
        mode = stat.S_IMODE(new.stat().st_mode)
        if old is not None and old.target is None and not (mode ^ old.mode) & stat.S_IXUSR:
            mode = old.mode & 0o777
        self.folder.write(path, new.read_bytes(), mode)

    def _objection(self, name: str) -> str:
        """Why this path must not be changed; empty when it may."""
        if any(part.casefold() == ".git" for part in name.split("/")):
            return "Omni alone writes .git"
        if any(pattern.fullmatch(name) for pattern in self._protected):
            return "protected by the task; it stays as it is"
        if name.rpartition("/")[2] == "omni.toml":
            return "protected: it says how Omni judges the work, so only a person changes it"
        return ""

    def snapshot(self, store: ArtifactStore) -> str:
        """Keep every file and link (not `.git`) in the store; returns the digest of the list.

        Same content, same digest. The list: `mode digest path` or `link target-digest path`, each ended by a NUL.
        """
        found = self.folder.walk()
        changed = [path for path, each in found.items() if path not in self._kept or self._kept[path][0] != each]
        put = store.put if len(changed) <= _FEW else partial(_put_unsynced, store)
        for path in changed:
            each = found[path]
            data = os.fsencode(each.target) if each.target is not None else self.folder.read(path)[0]
            self._kept[path] = (each, put(data))
        if len(changed) > _FEW:
            os.sync()  # once, instead of once a file: before the list that names them is kept
        lines = (f"{_kind(each)} {self._kept[path][1]} {path}\0" for path, each in found.items())
        return store.put(b"".join(map(os.fsencode, lines)))

    def restore(self, store: ArtifactStore, snapshot: str) -> None:
        """Bring the folder back to exactly that, `.git` untouched. Raises OmniError when something is missing."""
        wanted: dict[str, tuple[str, str]] = {}
        for line in store.get(snapshot).split(b"\0")[:-1]:
            kind, digest, path = os.fsdecode(line).split(" ", 2)
            wanted[path] = (kind, digest)
        self.snapshot(store)
        now = {path: (_kind(self._kept[path][0]), self._kept[path][1]) for path in self.folder.walk()}
        for path, is_now in now.items():
            if wanted.get(path) != is_now:
                self.folder.delete(path)
        for path, (kind, digest) in wanted.items():
            if now.get(path) == (kind, digest):
                continue
            data = store.get(digest)
            if kind == "link":
                self.folder.link(path, os.fsdecode(data))
            else:
                self.folder.write(path, data, int(kind, 8))


def inside(path: str) -> str:
    """The path relative to the workspace. Raises Refused for one that leads out, or to where Omni alone may go."""
    name = path.removeprefix(INSIDE).lstrip("/") if path == INSIDE or path.startswith(f"{INSIDE}/") else path
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as problem:
        raise Refused("path", f"{printable(path)!r} is no name of a file.") from problem
    if name.startswith(("/", "~")) or "\0" in name:
        raise Refused("path", f"{printable(path)!r} is outside the workspace. Name paths relative to it: src/main.py.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused("path", f"{printable(path)!r} has `..` in it. Name paths from the top of the workspace.")
    if any(part.casefold() == ".git" for part in parts):
        raise Refused("path", f"{printable(path)!r}: .git belongs to Omni; nothing in it can be read or changed.")
    return "/".join(parts)


def _put_unsynced(store: ArtifactStore, data: bytes) -> str:
    """Keep the bytes without forcing them to disk. A crash may leave half a file, which the next put mends."""
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    path = store.path(digest)
    if not path.is_file() or f"sha256:{file_digest(path)}" != digest:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        temporary.write_bytes(data)
        temporary.chmod(0o444)
        temporary.replace(path)
    return digest


def _kind(found: Found) -> str:
    return "link" if found.target is not None else f"{found.mode & 0o777:o}"


def _refusal(name: str, problem: OSError) -> Refused:
    return Refused("path", f"{printable(name) or 'the workspace itself'}: {_words(problem)}")


_WORDS = {
    errno.ELOOP: "a symbolic link, or behind one; Omni follows none. Name the file itself",
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "a folder, not a file",
    errno.ENOTDIR: "a part of the path is a file or a symbolic link, not a folder",
    errno.EXDEV: "leads outside the workspace",
    errno.EINVAL: "not a regular file",
    errno.ENXIO: "not a regular file",
    errno.ENAMETOOLONG: "the name is too long",
}


def _words(problem: OSError) -> str:
    return _WORDS.get(problem.errno or 0, problem.strerror or "it can't be reached")


def _within(path: str, withheld: Set[str]) -> bool:
    """The path, or a folder above it, was not collected for some reason: it may well be there still."""
    parts = path.split("/")
    return any("/".join(parts[:end]) in withheld for end in range(1, len(parts) + 1))


def _worth_keeping(collected: Iterable[str]) -> list[str]:
    """Without caches and without virtual environments that the command made."""
    paths = [path for path in collected if not CACHES & set(path.split("/"))]
    made = tuple(path.removesuffix(VENV_MARK) for path in paths if path.endswith(f"/{VENV_MARK}"))
    return [path for path in paths if not path.startswith(made)] if made else paths


def _shown(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(printable, paths)))
