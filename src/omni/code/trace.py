"""Follows one request through the code: what the entry point calls, and what that calls, as far as names tell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from pathlib import Path

from omni.code.graph import absolute, module_of
from omni.code.model import ASIDE, Codebase, EntryPoint, Symbol

DEEPEST = 6
COMMON = frozenset(
    name for kind in (str, bytes, list, dict, set, tuple, TextIOWrapper, Path, re.Pattern) for name in dir(kind)
)
"""Methods of everyday things: that only one class of the project has such a name too says nothing."""
MOST = 60
"""Steps that are told; a longer trace is read by nobody."""


@dataclass(frozen=True)
class Step:
    depth: int
    symbol: Symbol


@dataclass(frozen=True)
class Calls:
    """Resolves a call to its definition: by the file's own names, by its imports, by `self`, then by a unique name."""

    codebase: Codebase

    @cached_property
    def _by_path(self) -> Mapping[str, Mapping[str, Symbol]]:
        return {file.path: {symbol.name: symbol for symbol in file.symbols} for file in self.codebase.files}

    @cached_property
    def _modules(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for file in self.codebase.files:
            if file.language == "python" and not file.test:
                parts = module_of(file.path).split(".")
                for start in range(len(parts)):
                    found.setdefault(".".join(parts[start:]), file.path)
        return found

    @cached_property
    def _methods(self) -> Mapping[str, Sequence[Symbol]]:
        found: dict[str, list[Symbol]] = defaultdict(list)
        for file in self.codebase.code:
            for symbol in file.symbols:
                if symbol.kind == "method":
                    found[symbol.last_name].append(symbol)
        return found

    def resolve(self, caller: Symbol, call: str) -> Symbol | None:
        head, _, rest = call.partition(".")
        own = self._by_path[caller.path]
        if head in {"self", "cls"} and rest:
            return self._method(caller, rest)
        if call in own:
            return _made(own, call)
        target = self.codebase.by_path[caller.path].aliases.get(head)
        if target:
            return self._named(".".join(filter(None, [absolute(caller.path, target), rest])))
        last = call.rpartition(".")[2]
        alike = self._methods.get(last, ()) if rest and last not in COMMON else ()
        return alike[0] if len(alike) == 1 else None

    def _method(self, caller: Symbol, name: str) -> Symbol | None:
        within = caller.name.rpartition(".")[0]
        own = self._by_path[caller.path]
        waiting, seen = [within], set()
        while waiting:
            owner = waiting.pop(0)
            seen.add(owner)
            if found := own.get(f"{owner}.{name}"):
                return found
            waiting += [base for base in own[owner].bases if base in own and base not in seen] if owner in own else []
        alike = self._methods.get(name, ())
        return alike[0] if len(alike) == 1 else None

    def _named(self, dotted: str, depth: int = 4) -> Symbol | None:
        """A definition by its full name; through a package's `__init__` that hands it on, a few times."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            path = self._modules.get(".".join(parts[:cut]))
            if path is None:
                continue
            name = ".".join(parts[cut:])
            if name in self._by_path[path]:
                return _made(self._by_path[path], name)
            handed = self.codebase.by_path[path].aliases.get(parts[cut])
            if handed and depth:
                return self._named(".".join([absolute(path, handed), *parts[cut + 1 :]]), depth - 1)
        return None


def _made(names: Mapping[str, Symbol], name: str) -> Symbol:
    """A call of a class is a call of what makes it."""
    return names.get(f"{name}.__init__", names[name])


def trace(codebase: Codebase, entry: EntryPoint) -> tuple[Step, ...]:
    """The steps in the order of the calls, each definition told once; empty when its definition is not known."""
    calls = Calls(codebase)
    file = codebase.by_path.get(entry.path)
    start = next((symbol for symbol in file.symbols if symbol.name == entry.symbol), None) if file else None
    if start is None and file:
        name = entry.symbol.rpartition(".")[2]
        start = next((symbol for each in codebase.code for symbol in each.symbols if symbol.name == name), None)
    steps: list[Step] = []
    seen: set[tuple[str, str]] = set()

    def follow(symbol: Symbol, depth: int) -> None:
        if depth > DEEPEST or len(steps) >= MOST or (symbol.path, symbol.name) in seen:
            return
        seen.add((symbol.path, symbol.name))
        steps.append(Step(depth, symbol))
        for call in symbol.calls:
            if target := calls.resolve(symbol, call):
                follow(target, depth + 1)

    if start:
        follow(start, 0)
    return tuple(steps)


def longest_trace(codebase: Codebase, entries: Sequence[EntryPoint]) -> tuple[EntryPoint | None, tuple[Step, ...]]:
    """The entry point that leads furthest into the code, routes before commands before the rest."""
    best: tuple[EntryPoint | None, tuple[Step, ...]] = (None, ())
    product = [each for each in entries if not ASIDE.search(each.path)]
    for kind in ("route", "command", "program", "task", "handler"):
        for entry in [each for each in product if each.kind == kind and each.symbol][:50]:
            steps = trace(codebase, entry)
            if len(steps) > len(best[1]):
                best = (entry, steps)
        if len(best[1]) > 1:
            return best
    return best if best[1] else _longest_of_all(codebase)


def _longest_of_all(codebase: Codebase) -> tuple[EntryPoint | None, tuple[Step, ...]]:
    """A library has no entry points: then the public function that leads furthest stands for a request."""
    best: tuple[EntryPoint | None, tuple[Step, ...]] = (None, ())
    public = [
        s
        for file in codebase.code
        for s in file.symbols
        if not ASIDE.search(s.path) and s.kind == "function" and not s.name.startswith("_")
    ]
    for symbol in sorted(public, key=lambda symbol: -len(symbol.calls))[:30]:
        entry = EntryPoint(
            kind="program", what=f"{symbol.name}()", path=symbol.path, line=symbol.line, symbol=symbol.name
        )
        steps = trace(codebase, entry)
        if len(steps) > len(best[1]):
            best = (entry, steps)
    return best
