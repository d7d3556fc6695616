"""Turns arbitrary bytes into input that gets further than the first character: JSON and text of known words."""

from __future__ import annotations

import ast
import inspect
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import cast

from omni.verify.check import Check, Context, Item
from omni.verify.config import ProjectConfig
from omni.verify.execution import Execution
from omni.verify.files import Inventory, examine
from omni.verify.report import Finding

DEEPEST = 6
ODD = ("", "0", "-1", "../..", "a\nb", "\u0000", "é", "file:///x", "%00", "99999999999999999999")


def words_near(function: Callable[..., object]) -> tuple[str, ...]:
    """The short texts in the module of a function, which may have been given some of its arguments already."""
    while isinstance(function, partial):
        function = function.func
    return words_of(inspect.getfile(function))


@cache
def words_of(path: str) -> tuple[str, ...]:
    """The short texts in a module: the keys and values that it knows."""
    tree = ast.parse(Path(path).read_text("utf-8"))
    texts = {each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return tuple(sorted(text for text in texts if 0 < len(text) < 40 and "\n" not in text)) + ODD


class Bytes:
    """Reads decisions off the bytes; zeros when they are used up, so that every input ends."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def next(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def rest(self) -> bytes:
        return self.data[self.at :]


def value(source: Bytes, words: Sequence[str], depth: int = 0) -> object:
    """Any JSON value whose keys and texts are mostly `words`."""
    kind = source.next() % 9
    if depth >= DEEPEST or kind == 0:
        return (None, True, False, 0, -1, 1.5, 2**63, "", 1)[source.next() % 9]
    if kind <= 3:
        return words[source.next() % len(words)]
    if kind <= 5:
        return [value(source, words, depth + 1) for _ in range(source.next() % 4)]
    return {words[source.next() % len(words)]: value(source, words, depth + 1) for _ in range(source.next() % 8)}


def json_text(data: bytes, words: Sequence[str]) -> str:
    """The bytes themselves when they start with a bracket, else JSON made of them."""
    if data[:1] in {b"{", b"["}:
        return data.decode("utf-8", "replace")
    return json.dumps(value(Bytes(data), words))


def worded(data: bytes, words: Sequence[str]) -> str:
    """Text in which each byte above 127 stands for one of the words."""
    return "".join(chr(each) if each < 128 else words[each % len(words)] for each in data)


ROOT = Path(tempfile.mkdtemp(prefix="omni-fuzz-"))


class RanError(Exception):
    """The check would run a tool or a sandbox, which is not what is fuzzed."""


class NotRun:
    def __getattr__(self, name: str) -> object:
        raise RanError(name)


def context(check: Check, path: str = "a.py", text: str = "") -> Context:
    """For a check that looks at one file."""
    target = ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode("utf-8", "replace"))
    file = examine(ROOT, path)
    files = (file,) if file and not file.problem else ()
    return Context(check, ROOT, files, Inventory(ROOT, files), ProjectConfig(), cast("Execution", NotRun()))


def with_check(here: Context, check: Check) -> Context:
    return replace(here, check=check)


def said(items: Iterable[Item]) -> None:
    """A finding has to be one that can be shown."""
    for item in items:
        if isinstance(item, Finding):
            item.model_dump_json()
