"""Expressions meet text that an enemy wrote: none may take time that grows with its square (CWE-1333)."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator

import pytest

from omni.verify import analysis, checks

SIZE = 20_000
SECONDS = 1.0
UNITS = (
    "a",
    "#",
    "-",
    '"',
    "[",
    "(",
    "{",
    ">",
    "<",
    "/*",
    " ",
    "\n",
    "=",
    "a.",
    "a_",
    "select ",
    "secret",
    "import ",
    "`",
    "1 ?",
)
ONE_LINE = {"LINE", "MARK", "LINK", "UNQUOTED", "HEADING", "WORDS"}
"""Only meet lines that are not longer than `LONGEST`, or that a tool of ours printed."""


def expressions() -> Iterator[tuple[str, re.Pattern[str]]]:
    for package in (checks, analysis):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, value in vars(importlib.import_module(found.name)).items():
                for each in value if isinstance(value, list | tuple) else (value,):
                    if isinstance(each, re.Pattern) and isinstance(each.pattern, str):
                        yield f"{found.name.rpartition('.')[2]}.{name}", each


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pattern"), [pytest.param(*each, id=each[0]) for each in expressions()])
def test_time(name: str, pattern: re.Pattern[str]) -> None:
    size = 2000 if name.rpartition(".")[2] in ONE_LINE else SIZE
    for unit in UNITS:
        text = unit * (size // len(unit)) + "!"
        started = time.thread_time()
        for _ in pattern.finditer(text):
            pass
        pattern.match(text)
        assert time.thread_time() - started < SECONDS, f"{name} on many {unit!r}"
