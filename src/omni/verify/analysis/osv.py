"""A snapshot of the Open Source Vulnerabilities database, for machines that can't or may not ask a service.

It is made from the archives that OSV publishes for each ecosystem (`all.zip`, https://google.github.io/osv.dev/data/),
one SQLite file. Format of an entry, and how a version is judged: https://ossf.github.io/osv-schema/.
"""

from __future__ import annotations

import json
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from omni.verify.analysis.adoption import table
from omni.verify.analysis.manifests import normalise

SCHEMA = """
PRAGMA synchronous=OFF;
CREATE TABLE about (
    ecosystem TEXT PRIMARY KEY, newest TEXT NOT NULL, entries INTEGER NOT NULL, unread INTEGER NOT NULL
);
CREATE TABLE affected (ecosystem TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL);
CREATE INDEX by_name ON affected (ecosystem, name);
"""
LARGEST = 4 << 20
"""Bytes of one entry."""

ECOSYSTEMS = ("PyPI", "npm", "crates.io")


@dataclass(frozen=True)
class Known:
    """A vulnerability that a version has."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]
    """Versions without it."""


@dataclass(frozen=True)
class Part:
    """Of an ecosystem: how much is known, and until when."""

    ecosystem: str
    newest: datetime
    """When its latest entry was changed."""
    entries: int
    unread: int
    """Entries that could not be read."""


def take(archives: Iterable[Path], into: Path) -> tuple[Part, ...]:
    """Make the snapshot of the archives, in place of the one before. Raises OSError, zipfile.BadZipFile."""
    into.parent.mkdir(parents=True, exist_ok=True)
    partial = into.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as database, database:
        database.executescript(SCHEMA)
        for archive in archives:
            _read(archive, database)
        parts = tuple(_parts(database))
    partial.replace(into)
    return parts


def _read(archive: Path, database: sqlite3.Connection) -> None:
    newest: dict[str, str] = {}
    count: dict[str, int] = {}
    unread = 0
    with zipfile.ZipFile(archive) as source:
        for info in source.infolist():
            if not info.filename.endswith(".json"):
                continue
            entry = _entry(source, info)
            if entry is None:
                unread += 1
                continue
            for ecosystem, name in _packages(entry):
                row = (ecosystem, name, str(entry.get("id", "")), json.dumps(entry))
                database.execute("INSERT INTO affected VALUES (?, ?, ?, ?)", row)
                count[ecosystem] = count.get(ecosystem, 0) + 1
                newest[ecosystem] = max(newest.get(ecosystem, ""), str(entry.get("modified", "")))
    for ecosystem, number in count.items():
        about = (ecosystem, newest[ecosystem], number, unread)
        database.execute("INSERT OR REPLACE INTO about VALUES (?, ?, ?, ?)", about)


def _entry(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> dict[str, object] | None:
    if info.file_size > LARGEST:
        return None
    try:
        entry = json.loads(source.read(info))
    except (ValueError, RecursionError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return None
    if not isinstance(entry, dict):
        return None
    return {} if "withdrawn" in entry else entry


def _packages(entry: Mapping[str, object]) -> set[tuple[str, str]]:
    packages = (table(each, "package") for each in _list(entry.get("affected")))
    named = ((str(each.get("ecosystem")), str(each.get("name"))) for each in packages)
    return {(ecosystem, _normal(ecosystem, name)) for ecosystem, name in named if ecosystem in ECOSYSTEMS}


def _normal(ecosystem: str, name: str) -> str:
    return normalise(name) if ecosystem == "PyPI" else name


def _list(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _parts(database: sqlite3.Connection) -> Iterator[Part]:
    for ecosystem, newest, entries, unread in database.execute("SELECT * FROM about ORDER BY ecosystem"):
        yield Part(str(ecosystem), _time(str(newest)), int(entries), int(unread))


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Snapshot:
    """Opened for reading. Raises sqlite3.Error when the file is no snapshot."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.parts: Mapping[str, Part] = {part.ecosystem: part for part in _parts(self._database)}

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def known(self, ecosystem: str, name: str, version: str) -> list[Known]:
        """What this version has, by id."""
        query = "SELECT entry FROM affected WHERE ecosystem = ? AND name = ? ORDER BY id"
        rows = self._database.execute(query, (ecosystem, _normal(ecosystem, name))).fetchall()
        entries = (json.loads(row[0]) for row in rows)
        return [_known(entry, ecosystem, name) for entry in entries if _has(entry, ecosystem, name, version)]


def _affected(entry: Mapping[str, object], ecosystem: str, name: str) -> list[dict[str, object]]:
    return [
        each
        for each in _list(entry.get("affected"))
        if table(each, "package").get("ecosystem") == ecosystem
        and _normal(ecosystem, str(table(each, "package").get("name"))) == _normal(ecosystem, name)
    ]


def _has(entry: Mapping[str, object], ecosystem: str, name: str, version: str) -> bool:
    for each in _affected(entry, ecosystem, name):
        versions = each.get("versions")
        if isinstance(versions, list) and version in versions:
            return True
        for ranged in _list(each.get("ranges")):
            if ranged.get("type") in {"ECOSYSTEM", "SEMVER"} and _within(
                _list(ranged.get("events")), ecosystem, version
            ):
                return True
    return False


def _within(events: list[dict[str, object]], ecosystem: str, version: str) -> bool:
    """By the events up to the version: introduced, fixed, introduced again. What can't be compared is in all."""
    key = _python_key if ecosystem == "PyPI" else _semver_key
    try:
        this = key(version)
        at = [(key(str(value)), kind) for event in events for kind, value in event.items() if kind in KINDS]
    except ValueError:
        return True
    inside = False
    for when, kind in sorted(at, key=lambda each: each[0]):
        if kind == "introduced" and when <= this:
            inside = True
        elif (kind == "fixed" and when <= this) or (kind == "last_affected" and when < this):
            inside = False
    return inside


KINDS = ("introduced", "fixed", "last_affected")

Key = tuple[object, ...]
"""Versions as they are ordered; `0`, OSV's word for "before all", is the least."""


def _python_key(text: str) -> Key:
    """PEP 440. Raises ValueError."""
    try:
        return (Version(text),) if text != "0" else (Version("0.dev0"),)
    except InvalidVersion as problem:
        raise ValueError(str(problem)) from problem


def _semver_key(text: str) -> Key:
    """SemVer 2.0, section 11: numbers before words, a pre-release before its release. Raises ValueError."""
    found = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?", text)
    if found is None:
        raise ValueError(f"“{text}” is no version")
    numbers = tuple(int(each or 0) for each in found.groups()[:3])
    parts = found[4].split(".") if found[4] else []
    before = tuple((0, int(each), "") if each.isdecimal() else (1, 0, each) for each in parts)
    return (*numbers, not parts, before)


def _known(entry: Mapping[str, object], ecosystem: str, name: str) -> Known:
    events = (
        event
        for each in _affected(entry, ecosystem, name)
        for ranged in _list(each.get("ranges"))
        for event in _list(ranged.get("events"))
    )
    fixed = dict.fromkeys(str(event["fixed"]) for event in events if "fixed" in event)
    given = entry.get("aliases")
    aliases = tuple(str(each) for each in given) if isinstance(given, list) else ()
    summary = " ".join(str(entry.get("summary") or entry.get("details") or "").split())[:200]
    return Known(str(entry.get("id", "")), aliases, summary, tuple(fixed))
