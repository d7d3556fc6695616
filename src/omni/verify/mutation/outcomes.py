"""What came of mutants before: one SQLite file in the check's own folder, written as soon as something is known."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

SCHEMA = "CREATE TABLE IF NOT EXISTS outcomes (key TEXT PRIMARY KEY, outcome TEXT NOT NULL, by TEXT NOT NULL)"


class Outcomes:
    """Safe for several threads and for a kill at any instant."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / "outcomes.sqlite", timeout=30, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(SCHEMA)
        self._lock = threading.Lock()

    def __enter__(self) -> Outcomes:
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self._database):
            self._database.commit()

    @staticmethod
    def key(*parts: str) -> str:
        """Of all that an outcome depends on."""
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def recall(self, key: str) -> tuple[str, str] | None:
        """(outcome, the test that noticed)."""
        with self._lock:
            row = self._database.execute("SELECT outcome, by FROM outcomes WHERE key = ?", (key,)).fetchone()
        return (str(row[0]), str(row[1])) if row else None

    def keep(self, key: str, outcome: str, by: str) -> None:
        with self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)", (key, outcome, by))
