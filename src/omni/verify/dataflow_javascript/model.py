"""The tables of `models/*.toml`: what is untrusted, dangerous and harmless, by the names of libraries.

A name is written as one reaches it: `fs.readFile`, `express.Router().get`; `new` is a call. `*.query` is a method of
something that is not known, `*.innerHTML=` an assignment to an attribute. The exact name comes first.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

from omni.verify.dataflow.model import Named, Weakness
from omni.verify.report import Model

FOLDER = Path(__file__).with_name("models")
MODULE_PREFIX = re.compile(r"^(node:|https?://esm\.sh/|npm:)")


class Source(Named):
    kind: Literal["remote", "local", "random"] = "remote"
    cleared: tuple[str, ...] = ()
    """Weaknesses that such data can't cause: a text is no object."""


class Sink(Named):
    weakness: str
    arguments: tuple[int, ...] = (0,)
    """Positions, from 0; -1: all of them."""
    receiver: bool = False
    """The object whose method it is, too."""
    form: Literal["any", "argv", "location", "page", "statement", "filter", "object", "markup", "sent"] = "any"
    """What of the argument matters (see `sinks.py`)."""
    keys: tuple[str, ...] = ()
    """Of an argument that is an object: these entries alone."""
    kinds: tuple[str, ...] = ("remote", "local")
    least: int = 0
    """Fewer arguments than this, and it is another function of the same name."""
    when: str = ""
    """Expression (regular) that one of the arguments has to fit."""
    options: tuple[str, ...] = ()
    """Entries of an argument that is an object, which have to be true, …"""
    without: tuple[str, ...] = ()
    """… or must not be there."""
    first: bool = False
    """The first argument has to be true."""


class Sanitizer(Named):
    clears: tuple[str, ...] = ()
    """Weaknesses; `*`: all."""
    undoes: bool = False
    """It decodes: what was escaped is not any more."""


class Guard(Named):
    """A question whose answer tells that data is harmless."""

    clears: tuple[str, ...]
    argument: int = 0
    """Position of the data; -1: the object whose method it is."""
    answer: bool = True


class Misuse(Named):
    """A call that is weak by itself, or by a written-out argument."""

    weakness: str
    argument: int = 0
    values: tuple[str, ...] = ()
    """Beginnings of the argument, in small letters; empty: any."""
    key: str = ""
    """Of an argument that is an object: this entry …"""
    missing: bool = False
    """Not given is as bad."""
    least: int = 0


class Handlers(Model):
    """Functions that a framework calls with data from outside."""

    adders: tuple[str, ...] = ()
    """Calls that are given the handler, as any of their arguments."""
    event: str = ""
    """The first argument has to fit this expression (regular)."""
    imports: tuple[str, ...] = ()
    """One of these has to be imported by the file, for names that begin with `*` and for `parameters`; empty: none."""
    parameters: tuple[str, ...] = ()
    """Expressions (regular) for the names of the first parameters that alone tell."""
    exports: str = ""
    """Expression (regular) for the name of an export, in a file whose path fits …"""
    paths: str = ""
    gives: tuple[str, ...]
    """What the parameters are: their names in the tables."""
    page: str = ""
    """The weakness that data causes in what it returns."""


class Tables(Model):
    weakness: tuple[Weakness, ...] = ()
    source: tuple[Source, ...] = ()
    sink: tuple[Sink, ...] = ()
    sanitizer: tuple[Sanitizer, ...] = ()
    guard: tuple[Guard, ...] = ()
    misuse: tuple[Misuse, ...] = ()
    handlers: tuple[Handlers, ...] = ()
    alias: Mapping[str, str] = {}
    """Other names of the same thing."""
    types: Mapping[str, str] = {}
    """Annotation of a parameter → what it is."""
    decorators: Mapping[str, str] = {}
    """Decorator of a parameter → what it is."""
    harmless: tuple[str, ...] = ()
    """Calls whose result holds nothing of what they are given."""
    same: tuple[str, ...] = ()
    """Calls whose result is their first argument."""
    attributes: tuple[str, ...] = ()
    """Attributes that hold nothing of the object's data."""
    mutators: tuple[str, ...] = ()
    """Methods that put their arguments into the object."""
    lookups: str = "(?!)"
    """Methods that find, keep or ask for something: what they give is not what they are given."""
    escapes: str = "(?!)"
    """Names of functions that are not known, and say that they make something harmless."""
    predicates: str = "(?!)"
    """Names of functions that are not known, and say whether something is harmless."""
    sensitive: str = "(?!)"
    """Names of what must not be guessed."""


NamedKind = TypeVar("NamedKind", bound=Named)


class Models:
    """The tables, by name."""

    def __init__(self, tables: Iterable[Tables]) -> None:
        found = tuple(tables)
        self.weaknesses = {each.id: each for table in found for each in table.weakness}
        self.aliases = {name: to for table in found for name, to in table.alias.items()}
        self.types = {name: to for table in found for name, to in table.types.items()}
        self.decorators = {name: to for table in found for name, to in table.decorators.items()}
        self.harmless = frozenset(name for table in found for name in table.harmless)
        self.same = frozenset(name for table in found for name in table.same)
        self.attributes = frozenset(name for table in found for name in table.attributes)
        self.mutators = frozenset(name for table in found for name in table.mutators)
        self.handlers = tuple(each for table in found for each in table.handlers)
        self.sources = _by_name(each for table in found for each in table.source)
        self.sinks = _by_name(each for table in found for each in table.sink)
        self.sanitizers = _by_name(each for table in found for each in table.sanitizer)
        self.guards = _by_name(each for table in found for each in table.guard)
        self.misuses = _by_name(each for table in found for each in table.misuse)
        self.adders: dict[str, list[Handlers]] = defaultdict(list)
        for each in self.handlers:
            for name in each.adders:
                self.adders[name].append(each)
        self.lookups = re.compile("|".join(table.lookups for table in found))
        self.escapes = re.compile("|".join(table.escapes for table in found), re.IGNORECASE)
        self.predicates = re.compile("|".join(table.predicates for table in found), re.IGNORECASE)
        self.sensitive = re.compile("|".join(table.sensitive for table in found), re.IGNORECASE)

    def canonical(self, name: str) -> str:
        """The name under which the tables know it: the longest beginning that has an alias is replaced."""
        name = MODULE_PREFIX.sub("", name)
        head = name
        while head:
            if head in self.aliases:
                return f"{self.aliases[head]}{name[len(head) :]}"
            cut = max(head.rfind("."), head.rfind("/"), len(head) - 2 if head.endswith("()") else 0)
            if cut <= 0:
                return name
            head = head[:cut]
        return name


def _by_name(entries: Iterable[NamedKind]) -> dict[str, tuple[NamedKind, ...]]:
    found: dict[str, list[NamedKind]] = defaultdict(list)
    for entry in entries:
        for name in entry.names:
            found[name].append(entry)
    return {name: tuple(each) for name, each in found.items()}


@lru_cache(maxsize=1)
def load(folder: Path = FOLDER) -> Models:
    """All tables of the folder. Raises pydantic's ValidationError when one is wrong."""
    return Models(
        Tables.model_validate(tomllib.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.toml"))
    )
