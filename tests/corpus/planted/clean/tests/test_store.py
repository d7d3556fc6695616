from __future__ import annotations

import sqlite3

import pytest

from shop.store import add, open_store, price_of


@pytest.fixture
def store() -> sqlite3.Connection:
    return open_store(":memory:")


def test_an_article_is_found(store: sqlite3.Connection) -> None:
    add(store, "lamp", 1999)
    assert price_of(store, "lamp") == 1999


def test_an_unknown_article_has_no_price(store: sqlite3.Connection) -> None:
    assert price_of(store, "lamp") is None


def test_a_negative_price_is_refused(store: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="not negative"):
        add(store, "lamp", -1)
