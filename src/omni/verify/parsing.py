"""Foreign Python, read so that it can't take the process down."""

from __future__ import annotations

import ast
import gc
import random
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_ONE_AT_A_TIME = threading.Lock()
"""CPython before 3.11.5 counts the depth of all threads' trees together, and fails when two are made at once
(gh-106905); and warnings are silenced for the whole process."""


def parse_python(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """The tree of a file. Raises what ast.parse raises; says nothing of odd escapes in the target's code."""
    with _ONE_AT_A_TIME, warnings.catch_warnings(), _uncollected():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename=filename)


@contextmanager
def _uncollected() -> Iterator[None]:
    """A tree is thousands of objects and no garbage; looking for it among them takes longer than making them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Kept(Generic[K, V]):
    """Values that are made once, of at most `limit` bytes of source altogether. Used from any thread.

    Checks read all files in the same order, one check after the other. Were what was used longest ago dropped first,
    each file of a project a little too large would be gone when it is read again; so chance decides what is dropped.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._made: dict[K, tuple[int, V]] = {}
        self._size = 0
        self._chance = random.Random(0)  # noqa: S311 - no secret

    def get(self, key: K, size: int, make: Callable[[], V]) -> V:
        """The value of this key, made of `size` bytes unless it is here. What `make` raises is not kept."""
        with self._lock:
            if key in self._made:
                return self._made[key][1]
        value = make()
        with self._lock:
            if key not in self._made and size <= self._limit:
                while self._size + size > self._limit:
                    self._size -= self._made.pop(self._chance.choice([*self._made]))[0]
                self._made[key] = (size, value)
                self._size += size
        return value


KEPT = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
"""What many checks walk through, one after the other."""

_walked: WeakKeyDictionary[ast.AST, list[ast.AST]] = WeakKeyDictionary()


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, breadth first, as `ast.walk`; without the contexts of names, which are their `ctx`.

    Of modules, classes and functions it is remembered: don't change a tree that was walked.
    """
    found = _walked.get(node)
    if found is None:
        found = _below(node)
        if isinstance(node, KEPT):
            _walked[node] = found
    return iter(found)


def _below(node: ast.AST) -> list[ast.AST]:
    nodes = [node]
    for each in nodes:  # it grows while it is read
        nodes += children(each)
    return nodes


def children(node: ast.AST) -> list[ast.AST]:
    """Those directly below it, as `ast.iter_child_nodes`; without the contexts of names."""
    found: list[ast.AST] = []
    for name in node._fields:
        if name == "ctx":
            continue
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
    return found
