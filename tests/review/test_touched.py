"""What a change touches is seen by syntax, not by layout."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omni.review.touched import touched

BEFORE = """import os

def kept(): return 1

class Shop:
    tax = 1
    def total(self): return 1
    def gone(self): return 2
    @property
    def name(self): return ""
    @name.setter
    def name(self, value): pass
"""
AFTER = """import os


def kept():  # the same
    return 1


def new():
    return os


class Shop:
    tax = 2

    def total(self):
        return 2

    @property
    def name(self):
        return ""

    @name.setter
    def name(self, value):
        return None
"""


def test_symbols_that_changed_are_named_and_no_others() -> None:
    assert list(map(str, touched({"a.py": BEFORE}, {"a.py": AFTER}))) == [
        "a.py:8 new added",
        "a.py:15 Shop.total changed",
        "a.py:23 Shop.name#2 changed",
        "a.py:13 Shop changed",
        "a.py:8 Shop.gone removed",
    ]


def test_files_come_and_go_and_others_change_as_a_whole() -> None:
    found = touched(
        {"a": "1", "b.js": "1", "c.py": "def f(:", "same": "x"}, {"b.js": "2", "c.py": "x = 1", "d": "", "same": "x"}
    )
    assert list(map(str, found)) == [
        "a:1 the file removed",
        "b.js:1 the file changed",
        "c.py:1 the file changed",
        "d:1 the file added",
    ]


def test_layout_and_comments_are_no_change() -> None:
    assert touched({"a.py": "def f(a,b): return a+b\n"}, {"a.py": "def f(a, b):\n    # adds\n    return a + b\n"}) == ()


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_is_too_odd(one: str, other: str) -> None:
    assert touched({"a.py": one}, {"a.py": one}) == ()
    touched({"a.py": one}, {"a.py": other})
