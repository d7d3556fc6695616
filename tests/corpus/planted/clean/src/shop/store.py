"""Articles in a database."""

from __future__ import annotations

import sqlite3


def open_store(path: str) -> sqlite3.Connection:
    """A database with the table of articles."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS articles (name TEXT PRIMARY KEY, price INTEGER NOT NULL)")
    return connection


def add(store: sqlite3.Connection, name: str, price: int) -> None:
    """Add an article; the price is in cents."""
    if price < 0:
        raise ValueError("a price is not negative")
    store.execute("INSERT INTO articles (name, price) VALUES (?, ?)", (name, price))


def price_of(store: sqlite3.Connection, name: str) -> int | None:
    """The price in cents; None when there is no such article."""
    row = store.execute("SELECT price FROM articles WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])
