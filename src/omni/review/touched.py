"""What a change touches, by syntax: functions and classes that were added, removed or changed.

Layout and comments don't count: two versions of a function are the same if their syntax trees are.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Literal

from omni.review.citation import Model


class Touched(Model):
    path: str
    symbol: str
    """`Shop.total`; empty: the file as a whole."""
    kind: Literal["added", "removed", "changed"]
    line: int
    """In the version after; of what was removed, before."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.symbol or 'the file'} {self.kind}"


def touched(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Touched, ...]:
    """By path, then in the order of the file. A file that is missing on one side was added or removed."""
    found: list[Touched] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            found.append(Touched(path=path, symbol="", kind="removed" if new is None else "added", line=1))
        elif old != new:
            found += _within(path, old, new)
    return tuple(found)


def _within(path: str, old: str, new: str) -> list[Touched]:
    was, now = _symbols(path, old), _symbols(path, new)
    if was is None or now is None:
        return [Touched(path=path, symbol="", kind="changed", line=1)]
    found = [
        Touched(path=path, symbol=name, kind="changed" if name in was else "added", line=line)
        for name, (line, tree) in now.items()
        if name not in was or was[name][1] != tree
    ]
    return found + [
        Touched(path=path, symbol=name, kind="removed", line=line) for name, (line, _) in was.items() if name not in now
    ]


def _symbols(path: str, text: str) -> dict[str, tuple[int, str]] | None:
    """Name → line and syntax. What stands outside of functions and classes goes by the empty name."""
    if not path.endswith((".py", ".pyi")):
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found: dict[str, tuple[int, str]] = {}
    _collect(tree.body, "", found)
    return found


def _collect(body: list[ast.stmt], within: str, found: dict[str, tuple[int, str]]) -> None:
    rest = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[_free(f"{within}{node.name}", found)] = (node.lineno, ast.dump(node))
        elif isinstance(node, ast.ClassDef):
            _collect(node.body, f"{within}{node.name}.", found)
            rest.append(ast.dump(ast.ClassDef(**{**vars(node), "body": []})))
        else:
            rest.append(ast.dump(node))
    found[within.rstrip(".")] = (body[0].lineno if body else 1, "\n".join(rest))


def _free(name: str, found: dict[str, tuple[int, str]]) -> str:
    """A second definition of a name (a property's setter, an overload) has a name of its own."""
    number, free = 1, name
    while free in found:
        number += 1
        free = f"{name}#{number}"
    return free
