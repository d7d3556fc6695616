"""The types in which a codebase is described. Paths are relative to its root, lines count from 1."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

ASIDE = re.compile(r"(^|/)(docs?|examples?|scripts|benchmarks?|tools)/|(^|/)(setup|noxfile|conf)\.py$")
"""Where code stands that is beside the product."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Import(Model):
    module: str
    """As written, with leading dots where it is relative."""
    names: tuple[str, ...] = ()
    """Of `from module import names`."""
    line: int
    typing: bool = False
    """Under `if TYPE_CHECKING`: it binds nothing at run time."""


class Symbol(Model):
    name: str
    """Within its file: `Session.close`."""
    kind: Literal["function", "class", "method"]
    path: str
    line: int
    end_line: int
    doc: str = ""
    """First line of its docstring."""
    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    """Dotted names that it calls, as written."""
    complexity: int = 0
    """McCabe's number: branches and one; 0 for a class."""

    @property
    def last_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


class SourceFile(Model):
    path: str
    language: str = ""
    """Empty: none that is known."""
    lines: int = 0
    purpose: str = ""
    """One line: what it says of itself, or what its place and content say."""
    test: bool = False
    imports: tuple[Import, ...] = ()
    symbols: tuple[Symbol, ...] = ()
    aliases: dict[str, str] = {}
    main: int = 0
    prefixes: tuple[str, ...] = ()
    problem: str = ""
    """Why it was not read, or not in full."""


class Codebase(Model):
    """Every file of a project, read."""

    files: tuple[SourceFile, ...]

    @cached_property
    def by_path(self) -> dict[str, SourceFile]:
        return {file.path: file for file in self.files}

    @cached_property
    def code(self) -> tuple[SourceFile, ...]:
        """Files with definitions that are no tests."""
        return tuple(file for file in self.files if not file.test and file.symbols)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(symbol for file in self.files for symbol in file.symbols)


class EntryPoint(Model):
    """Where something from outside comes in."""

    kind: Literal["command", "program", "route", "handler", "task", "container"]
    what: str
    path: str
    line: int = 1
    symbol: str = ""
    """The definition that answers, if it is known."""


class Problem(Model):
    """Something that a person should know before a change. `why` can be checked by hand."""

    kind: Literal["cycle", "complex", "long", "coupled", "untested", "dead", "unread", "marked", "stale document"]
    path: str
    line: int = 1
    what: str
    why: str
