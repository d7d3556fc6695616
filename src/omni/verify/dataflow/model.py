"""The tables of `models/*.toml`: what is untrusted, dangerous and harmless, by the names of libraries.

A name is written as one reaches it: `flask.request.args`, `sqlite3.connect().execute`. `*.execute` is a method of
something that is not known, `*.headers[]` an assignment to an item. The exact name comes first.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, TypeVar

from omni.verify.report import Model, Severity

FOLDER = Path(__file__).with_name("models")


class Weakness(Model):
    id: str
    title: str
    cwe: str
    severity: Severity
    local: Severity | None = None
    """Severity when the data comes from who runs the program; None: that is their own affair."""
    why: str
    fix: str


class Named(Model):
    names: tuple[str, ...]


class Source(Named):
    kind: Literal["remote", "local", "random"] = "remote"


class Sink(Named):
    weakness: str
    arguments: tuple[int, ...] = (0,)
    """Positions, from 0; -1: all of them."""
    keywords: tuple[str, ...] = ()
    receiver: bool = False
    """The object whose method it is, too."""
    form: Literal["any", "argv", "location", "page", "statement", "name"] = "any"
    """What of the argument matters (see `sinks.py`)."""
    kinds: tuple[str, ...] = ("remote", "local")
    when: Mapping[str, bool] = {}
    """Keywords that have to be given so."""
    unless: Mapping[str, bool] = {}


class Sanitizer(Named):
    clears: tuple[str, ...] = ()
    """Weaknesses; `*`: all."""
    undoes: bool = False
    """It decodes: what was escaped is not any more."""
    arguments: tuple[int, ...] = ()
    """Only if these are written out, …"""
    pattern: str = ""
    """… and the first of them fits."""


class Guard(Named):
    """A question whose answer tells that data is harmless."""

    clears: tuple[str, ...]
    argument: int = 0
    """Position of the data; -1: the object whose method it is."""
    answer: bool = True
    pattern: bool = False
    """Argument 0 is a regular expression that has to be narrow."""


class Refusal(Model):
    """Signs without which data is harmless."""

    signs: tuple[str, ...]
    clears: tuple[str, ...]
    inner: bool = False
    """Only if the first and the last sign of the data are not looked at: they are quotes."""


class Misuse(Named):
    """A call that is weak by itself, or by a written-out argument."""

    weakness: str
    argument: int | None = None
    keyword: str = ""
    values: tuple[str, ...] = ()
    """Beginnings of the argument, in small letters; empty: any."""
    missing: bool = False
    """Not given is as bad."""
    least: int = 0
    """Fewer arguments than this, and it is another function of the same name."""
    unless: Mapping[str, bool] = {}


class Handlers(Model):
    """Functions that a framework calls with data from outside."""

    framework: str
    """Top-level package that has to be imported for names that begin with `*`; empty: none."""
    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    """Classes whose `methods` it calls."""
    methods: tuple[str, ...] = ()
    adders: tuple[str, ...] = ()
    """Functions that are given the handler, as argument number …"""
    added: int = 0
    first: tuple[str, ...] = ()
    """Names of a first parameter that alone tell."""
    second: tuple[str, ...] = ()
    request: str = ""
    """What the first parameter is; its name in the tables."""
    parameters: Literal["all", "typed", "rest", "first", "none"] = "all"
    """Which hold data: all; those whose annotation is plain data or a model; all but the first; the first alone."""
    kind: Literal["remote", "local"] = "remote"
    page: bool = False
    """What it returns is shown as HTML."""
    fixed: tuple[str, ...] = ()
    """Sources that are as the route's path is written, if no part of that varies."""


class Stub(Model):
    """A model of a library, in Python."""

    module: str
    python: str


class Tables(Model):
    weakness: tuple[Weakness, ...] = ()
    source: tuple[Source, ...] = ()
    sink: tuple[Sink, ...] = ()
    sanitizer: tuple[Sanitizer, ...] = ()
    guard: tuple[Guard, ...] = ()
    refusal: tuple[Refusal, ...] = ()
    misuse: tuple[Misuse, ...] = ()
    handlers: tuple[Handlers, ...] = ()
    stub: tuple[Stub, ...] = ()
    alias: Mapping[str, str] = {}
    """Other names of the same thing."""
    harmless: tuple[str, ...] = ()
    """Calls whose result holds nothing of what they are given."""
    harmless_types: tuple[str, ...] = ()
    """Annotations of data that no string can hide in."""
    renderers: tuple[str, ...] = ()
    """Calls that are given the name of a template and its variables."""
    mutators: tuple[str, ...] = ()
    """Methods that put their arguments into the object."""
    lookups: str = "(?!)"
    """Methods that find, keep or ask for something: what they give is not what they are given."""
    sensitive: str = "(?!)"
    """Names of what must not be guessed."""


NamedKind = TypeVar("NamedKind", bound=Named)


class Models:
    """The tables, by name."""

    def __init__(self, tables: Iterable[Tables]) -> None:
        self.tables = tuple(tables)
        self.weaknesses = {each.id: each for table in self.tables for each in table.weakness}
        self.aliases = {name: to for table in self.tables for name, to in table.alias.items()}
        self.harmless = frozenset(name for table in self.tables for name in table.harmless)
        self.harmless_types = frozenset(name for table in self.tables for name in table.harmless_types)
        self.mutators = frozenset(name for table in self.tables for name in table.mutators)
        self.renderers = frozenset(name for table in self.tables for name in table.renderers)
        self.handlers = tuple(each for table in self.tables for each in table.handlers)
        self.refusals = tuple(each for table in self.tables for each in table.refusal)
        self.adders = {name: each for each in self.handlers for name in each.adders}
        self.stubs = {each.module: each for table in self.tables for each in table.stub}
        self.sources = _by_name(each for table in self.tables for each in table.source)
        self.sinks = _by_name(each for table in self.tables for each in table.sink)
        self.sanitizers = _by_name(each for table in self.tables for each in table.sanitizer)
        self.guards = _by_name(each for table in self.tables for each in table.guard)
        self.misuses = _by_name(each for table in self.tables for each in table.misuse)

    @cached_property
    def lookups(self) -> re.Pattern[str]:
        return re.compile("|".join(table.lookups for table in self.tables))

    @cached_property
    def sensitive(self) -> str:
        return "|".join(table.sensitive for table in self.tables)

    def canonical(self, name: str) -> str:
        """The name under which the tables know it: the longest beginning that has an alias is replaced."""
        if name in self.aliases:
            return self.aliases[name]
        head, dot, _ = name.rpartition(".")
        while dot:
            if head in self.aliases:
                return f"{self.aliases[head]}{name[len(head) :]}"
            if head.endswith("()") and head[:-2] in self.aliases:
                return f"{self.aliases[head[:-2]]}{name[len(head) - 2 :]}"
            head, dot, _ = head.rpartition(".")
        return name


def _by_name(entries: Iterable[NamedKind]) -> dict[str, tuple[NamedKind, ...]]:
    found: dict[str, list[NamedKind]] = defaultdict(list)
    for entry in entries:
        for name in entry.names:
            found[name].append(entry)
    return {name: tuple(each) for name, each in found.items()}


def lookup(table: Mapping[str, tuple[NamedKind, ...]], name: str) -> tuple[NamedKind, ...]:
    """The entries for a name, else for the method of whatever it is taken from."""
    found = table.get(name)
    if found is not None or "." not in name:
        return found or ()
    return table.get(f"*.{name.rpartition('.')[2]}", ())


@lru_cache(maxsize=1)
def load(folder: Path = FOLDER) -> Models:
    """All tables of the folder. Raises pydantic's ValidationError when one is wrong."""
    return Models(
        Tables.model_validate(tomllib.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.toml"))
    )
