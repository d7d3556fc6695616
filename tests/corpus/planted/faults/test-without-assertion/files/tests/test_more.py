from __future__ import annotations

from shop.store import open_store, price_of


def test_price() -> None:
    store = open_store(":memory:")
    price_of(store, "lamp")
