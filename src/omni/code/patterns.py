"""How a codebase is built, by what its names give away, and what it reads from and writes to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from omni.code.model import Codebase, Symbol


class Pattern(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str
    decorator: re.Pattern[str] | None = None
    base: re.Pattern[str] | None = None
    symbol: re.Pattern[str] | None = None

    def fits(self, symbol: Symbol) -> bool:
        given = ((self.decorator, symbol.decorators), (self.base, symbol.bases), (self.symbol, (symbol.name,)))
        return any(pattern and pattern.search(each) for pattern, texts in given for each in texts)


@dataclass(frozen=True)
class Seen:
    pattern: Pattern
    symbols: tuple[Symbol, ...]


@cache
def _tables() -> tuple[tuple[Pattern, ...], Mapping[str, str]]:
    data = tomllib.loads(files("omni.code").joinpath("patterns.toml").read_text("utf-8"))
    effects = {module: kind for kind, modules in data["effects"].items() for module in modules}
    return tuple(Pattern.model_validate(each) for each in data["pattern"]), effects


def patterns(codebase: Codebase) -> tuple[Seen, ...]:
    """The patterns that occur outside the tests, the most frequent first."""
    symbols = [symbol for file in codebase.code for symbol in file.symbols]
    seen = [Seen(each, tuple(symbol for symbol in symbols if each.fits(symbol))) for each in _tables()[0]]
    return tuple(sorted((each for each in seen if each.symbols), key=lambda each: -len(each.symbols)))


def effects(codebase: Codebase) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What the code touches outside itself: kind (database, network, …) → module → files that import it."""
    found: dict[str, dict[str, list[str]]] = {}
    for file in codebase.files:
        if file.test or file.language != "python":
            continue
        for module in dict.fromkeys(each.module for each in file.imports):
            names = (module, module.split(".")[0])
            kind = next((_tables()[1][name] for name in names if name in _tables()[1]), "")
            if kind:
                found.setdefault(kind, {}).setdefault(module, []).append(file.path)
    return {kind: {name: tuple(paths) for name, paths in sorted(by.items())} for kind, by in sorted(found.items())}
