"""Search for articles."""

from __future__ import annotations

import sqlite3


def search(store: sqlite3.Connection, term: str) -> list[str]:
    """Names of articles that hold the term."""
    rows = store.execute(f"SELECT name FROM articles WHERE name LIKE '%{term}%'").fetchall()
    return [str(row[0]) for row in rows]
