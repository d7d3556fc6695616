"""What is known of a file from its content alone, kept so that a change of one file means reading one file.

Checks that look at the whole project (imports, architecture) need a little of every file: its imports, not its tree.
A fact has a name and is computed from one file's bytes; it holds as long as those and Omni's verification code stay.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from omni.kernel.canonical import JsonValue
from omni.verify.files import File

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
    name TEXT, digest TEXT, value TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (name, digest)
) WITHOUT ROWID;
"""
KEPT = 30 * 86400.0
"""Seconds until a fact is forgotten."""


class Facts:
    """One SQLite file, or memory alone; used from any thread. A file that can't be used is memory, too."""

    def __init__(self, path: Path | None = None, version: str = "") -> None:
        self._version = version
        """Of the code that computes them."""
        self._lock = threading.Lock()
        self._new: dict[tuple[str, str], str] = {}
        self._database: sqlite3.Connection | None = None
        if path is not None:
            self._database = _opened(path)

    def of(self, name: str, file: File, compute: Callable[[], JsonValue]) -> JsonValue:
        """The fact of this name about the file's content. What `compute` raises is not kept."""
        key = (f"{name} {self._version}", file.digest)
        with self._lock:
            known = self._new.get(key) or self._read(key)
        if known is None:
            value = compute()
            with self._lock:
                self._new[key] = json.dumps(value, separators=(",", ":"))
            return value
        found: JsonValue = json.loads(known)
        return found

    def flush(self) -> None:
        """Write what is new."""
        with self._lock:
            if self._database is None or not self._new:
                return
            rows = [(*key, value, time.time()) for key, value in self._new.items()]
            try:
                with self._database:
                    self._database.execute("DELETE FROM facts WHERE at < ?", (time.time() - KEPT,))
                    self._database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", rows)
            except sqlite3.Error:  # a full disk, or a lock held too long: they are computed again
                return
            self._new.clear()

    def close(self) -> None:
        """Write what is new, and let go of the file."""
        self.flush()
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _read(self, key: tuple[str, str]) -> str | None:
        if self._database is None:
            return None
        try:
            row = self._database.execute("SELECT value FROM facts WHERE name = ? AND digest = ?", key).fetchone()
        except sqlite3.Error:
            return None
        return str(row[0]) if row else None


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=10, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        database.executescript(SCHEMA)
    except (OSError, sqlite3.OperationalError):
        return None
    except sqlite3.DatabaseError:  # damaged: everything in it can be had again
        path.unlink()
        return _opened(path)
    return database
