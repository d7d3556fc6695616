"""What callers could do before a change and can't do after it."""

from __future__ import annotations

import pytest

from omni.code.interface import breaks

BEFORE = {
    "src/shop/__init__.py": "from shop.cart import Cart\n",
    "src/shop/cart.py": """
import os
from functools import cache

LIMIT = 3

def total(prices, discount=0, *, currency="EUR"):
    return sum(prices)

def _inner(a):
    return a

class Cart:
    def __init__(self, owner):
        self.owner = owner

    def add(self, item, count=1):
        return item

    @property
    def size(self):
        return 0

@cache
def rate(country):
    return 1
""",
    "tests/test_cart.py": "def test_total():\n    assert 1\n",
}


def after(old: str, new: str) -> dict[str, str]:
    text = BEFORE["src/shop/cart.py"]
    assert old in text
    return BEFORE | {"src/shop/cart.py": text.replace(old, new)}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("LIMIT = 3", "", ["shop.cart.LIMIT is gone"]),
        ("LIMIT = 3", "from shop.limits import LIMIT", []),
        ("import os\n", "", []),
        ("def _inner(a)", "def _other()", []),
        ("def total(prices,", "def total(prices, tax,", [
            "shop.cart.total takes `discount` at another place",
            "shop.cart.total asks for `tax`, too",
        ]),
        ("discount=0", "discount", ["shop.cart.total has no default for `discount` any more"]),
        ("discount=0, *,", "*, discount=0,", ["shop.cart.total takes `discount` by its place no more"]),
        (', *, currency="EUR"', "", ["shop.cart.total takes no `currency` any more"]),
        (', *, currency="EUR"', ', currency="EUR", rounded=True', []),
        ("def total(prices", "def total(amounts", ["shop.cart.total takes no `prices` any more",
                                                    "shop.cart.total asks for `amounts`, too"]),
        ("prices, discount=0, *,", "*prices, discount=0,", [
            "shop.cart.total takes `discount` by its place no more",
            "shop.cart.total takes no `prices` any more",
        ]),
        ("def add(self, item, count=1)", "def add(self, item, /, count=1)", [
            "shop.cart.Cart.add takes no `item` any more",
        ]),
        ("def __init__(self, owner)", "def __init__(self)", [
            "shop.cart.Cart.__init__ takes `owner` by its place no more",
            "shop.cart.Cart.__init__ takes no `owner` any more",
        ]),
        ("    @property\n    def size(self)", "    def size(self)", []),
        ("def rate(country)", "def rate(*countries, **options)", []),
    ],
)  # fmt: skip
def test_a_break_is_named(old: str, new: str, said: list[str]) -> None:
    assert [str(each).partition(" (")[0] for each in breaks(BEFORE, after(old, new))] == said


def test_a_module_that_moves_breaks_what_it_offered_unless_it_hands_it_on() -> None:
    moved = {"src/shop/__init__.py": BEFORE["src/shop/__init__.py"], "src/shop/basket.py": BEFORE["src/shop/cart.py"]}
    assert {each.what for each in breaks(BEFORE, moved)} == {"is gone"}
    names = "from shop.basket import LIMIT, Cart, rate, total\n"
    assert breaks(BEFORE, moved | {"src/shop/cart.py": names}) == ()
