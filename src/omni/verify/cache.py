"""What checks said before, so that nothing is looked at twice that has not changed.

A key covers all that a result may depend on: Omni's verification code and data, the tool's locked artefact, argv, the
content of the configuration files, the interpreter, the project's environment, whether the code is Omni's own, and each
input's path and content.
Errors, time-outs and files that could not be analysed are never kept.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from omni.kernel.canonical import JsonValue, digest
from omni.kernel.clock import now
from omni.kernel.errors import Exit, OmniError, declare
from omni.verify import machine
from omni.verify.check import Check, Context, Gap, Item, Metric, Scope, Unseen
from omni.verify.declarations import engine_digest
from omni.verify.facts import Facts
from omni.verify.files import File, matches
from omni.verify.report import Finding, Status
from omni.verify.tools import MACHINE, locked_version

NO_CACHE = declare("V008", "The cache can't be used", Exit.INCOMPLETE, "Make the folder writable: omni config home")

SCHEMA = """
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, items TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS durations (key TEXT PRIMARY KEY, seconds REAL NOT NULL) WITHOUT ROWID;
"""
KEPT = 30 * 86400.0
"""Seconds until an entry is forgotten."""
NOT_READ = {"tiers", "disabled", "exclude", "waivers"}
"""Of the project's configuration: what says which checks run and which findings count, not what a check sees."""
TELLING = 0.05
"""Seconds. What took less had next to nothing to do, which says nothing of other projects."""
SCRIPTS = {"javascript", "typescript"}
"""Languages whose packages are in `node_modules`."""
INSTALLED = (".package-lock.json", ".modules.yaml", ".yarn-state.yml", ".yarn-integrity")
AT_ONCE = 500
"""Keys a query; SQLite's limit of variables is higher in every version."""


@dataclass(frozen=True)
class Remembered:
    """`items` hold for the inputs that are not in `missing`."""

    items: tuple[Item, ...]
    missing: tuple[File, ...]
    complete: bool
    """Nothing has to be looked at."""
    until: float = field(default=0.0, compare=False)
    """Unix time until which `items` hold if nothing changes."""


class Cache:
    """One SQLite file. Used by one thread; other processes may use the same file."""

    def __init__(self, path: Path) -> None:
        self.facts = Facts(path.with_name("facts.sqlite"), f"{engine_digest()} {sys.version}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.database = _opened(path)
        except (OSError, sqlite3.OperationalError) as problem:
            raise OmniError(NO_CACHE, str(problem), where=str(path)) from problem
        except sqlite3.DatabaseError:  # damaged, say by a full disk: everything in it can be had again
            path.unlink()
            self.database = _opened(path)

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.facts.close()
        with closing(self.database):
            self._write("DELETE FROM results WHERE at < ?", [(time.time() - KEPT,)])

    def recall(self, context: Context) -> Remembered:
        """What is known of the check's inputs."""
        keys = _keys(context)
        fresh_for = min(KEPT if context.check.fresh_for is None else context.check.fresh_for, KEPT)
        known = self._read(keys, time.time() - fresh_for)
        items = dict.fromkeys(item for key in keys if key in known for item in _from_json(known[key][0]))
        missing = tuple(file for key, files in keys.items() if key not in known for file in files)
        oldest = min((at for _, at in known.values()), default=time.time())
        return Remembered(tuple(items), missing, len(known) == len(keys), oldest + fresh_for)

    def remember(self, context: Context, examined: Sequence[File], items: Sequence[Item]) -> bool:
        """Keep what the check said of the files, unless something failed. Whether all of it can be kept."""
        if any(isinstance(item, Gap) and item.status is not Status.SKIPPED for item in items):
            return False
        if any(isinstance(item, Metric) and item.volatile for item in items):
            return False
        fresh = set(examined)
        keys = {key: files for key, files in _keys(context).items() if not files or files[0] in fresh}
        by_key = _by_key(context.check, keys, items)
        rows = [(key, _to_json(said), time.time()) for key, said in by_key.items() if not any(map(_failed, said))]
        self._write("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", rows)
        return len(rows) == len(keys)

    def expected_seconds(self, context: Context) -> float:
        """How long the check took here last, or else anywhere; its time-out when it never ran."""
        query = (
            "SELECT seconds FROM durations WHERE key IN (?, ?) ORDER BY key DESC"  # a path comes after the name alone
        )
        row = self.database.execute(query, (_place(context), context.check.id)).fetchone()
        return float(row[0]) if row else context.check.timeout

    def took(self, context: Context, seconds: float) -> None:
        rows = [(_place(context), seconds)]
        if seconds >= TELLING:
            rows.append((context.check.id, seconds))
        self._write("INSERT OR REPLACE INTO durations VALUES (?, ?)", rows)

    def _write(self, statement: str, rows: Iterable[Sequence[str | float]]) -> None:
        """Keep them if that is possible: what a full disk does not take is only looked at again."""
        with suppress(sqlite3.OperationalError), self.database:
            self.database.executemany(statement, rows)

    def _read(self, keys: Iterable[str], since: float) -> dict[str, tuple[str, float]]:
        """Key → (items, when they were kept)"""
        known: dict[str, tuple[str, float]] = {}
        for part in _batches(keys, AT_ONCE):
            marks = ",".join("?" * len(part))
            query = f"SELECT key, items, at FROM results WHERE at > ? AND key IN ({marks})"  # noqa: S608 - only marks
            known |= {key: (items, at) for key, items, at in self.database.execute(query, (since, *part))}
        return known


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=10)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=OFF")  # a lost entry is only looked at again
    database.executescript(SCHEMA)
    return database


def _keys(context: Context) -> dict[str, tuple[File, ...]]:
    """Cache key → the files it stands for: one a file with scope `file`, else one for all."""
    base = _identity(context)
    if context.check.scope is Scope.FILE:
        return {_hashed(base, [file]): (file,) for file in context.files}
    return {_hashed(base, context.files): context.files}


def _hashed(base: str, files: Iterable[File]) -> str:
    whole = hashlib.sha256(base.encode())
    for file in files:
        whole.update(f"{file.path}\0{file.digest}\0{file.executable:d}\n".encode())
    return whole.hexdigest()


def _identity(context: Context) -> str:
    """All that the result depends on but the inputs."""
    check = context.check
    config = {file.path: file.digest for file in context.inventory.files if matches(file.path, check.config)}
    not_read = NOT_READ - {"waivers"} if check.daily else NOT_READ  # a waiver ends on a day
    value: dict[str, JsonValue] = {
        "engine": engine_digest(),
        "check": check.id,
        "scope": check.scope.value,
        "tool": check.tool,
        "tool_version": [
            check.toolset,
            machine.mark(check.tool) if check.toolset == MACHINE else locked_version(check),
        ],
        "argv": check.argv,
        "config": config,
        "project": context.project.model_dump(mode="json", exclude=not_read),
        "interpreter": sys.version,
        "environment": installed(context.environment),
        "node_modules": _node_modules(context.root) if SCRIPTS & {*check.languages} else "",
        "root": str(context.root) if check.sandboxed else "",
        "trusted": context.execution.resources.trusted,
        "day": str(now().date()) if check.daily else "",
        "changed": None if context.changed is None else sorted(context.changed),
    }
    return digest(value)


def _node_modules(root: Path) -> str:
    """What is installed there, by what npm, pnpm or Yarn has written about it."""
    marks = [root / "node_modules" / name for name in INSTALLED]
    return " ".join(f"{mark.name} {hashlib.sha256(mark.read_bytes()).hexdigest()}" for mark in marks if mark.is_file())


def installed(environment: Path | None) -> tuple[str, ...]:
    """What is installed: names and versions, as the names of the metadata folders say."""
    if environment is None:
        return ()
    return (str(environment), *sorted(path.name for path in environment.glob("lib/python*/site-packages/*.dist-info")))


def _place(context: Context) -> str:
    return f"{context.check.id} {context.root}"


def _by_key(check: Check, keys: Mapping[str, tuple[File, ...]], items: Sequence[Item]) -> dict[str, list[Item]]:
    """The items of each key. An item that belongs to no key's file makes all of it unfit to be kept."""
    if check.scope is Scope.PROJECT:
        return {key: list(items) for key in keys}
    by_path: dict[str, list[Item]] = {files[0].path: [] for files in keys.values()}
    if items and all(isinstance(item, Gap) for item in items):  # it does not apply here: each file knows that
        return {key: list(items) for key in keys}
    for item in items:
        path = item.path if isinstance(item, Finding | Unseen) else None
        if path not in by_path:
            return {}
        by_path[path].append(item)
    return {key: by_path[files[0].path] for key, files in keys.items()}


def _failed(item: Item) -> bool:
    return isinstance(item, Unseen) and not item.harmless


def _to_json(items: Iterable[Item]) -> str:
    rows: list[JsonValue] = []
    for item in items:
        match item:
            case Finding():
                rows.append(["finding", item.model_dump(mode="json", exclude_defaults=True)])
            case Unseen():
                rows.append(["unseen", item.path, item.why])
            case Gap():
                rows.append(["gap", item.why])
            case Metric():
                rows.append(["metric", item.name, item.value])
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def _from_json(text: str) -> Iterator[Item]:
    for row in json.loads(text) if text else ():
        match row:
            case ["finding", fields]:
                yield Finding.model_validate(fields)
            case ["unseen", path, why]:
                yield Unseen(path, why, harmless=True)
            case ["gap", why]:
                yield Gap(why, Status.SKIPPED)
            case ["metric", name, value]:
                yield Metric(name, value)


def _batches(values: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    iterator = iter(values)
    while part := tuple(islice(iterator, size)):
        yield part
