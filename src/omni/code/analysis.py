"""The eight steps of understanding a codebase before it is changed, each with something that can be checked by hand.

1 every file with its purpose, 2 what depends on what, 3 entry points, 4 one request traced, 5 patterns,
6 problems, 7 tests, 8 whether the documents are accurate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from omni.code.codebase import read_codebase
from omni.code.documents import accuracy
from omni.code.entry_points import entry_points
from omni.code.graph import import_graph
from omni.code.model import Codebase, EntryPoint, Model, Problem, SourceFile, Symbol
from omni.code.patterns import effects, patterns
from omni.code.problems import problems
from omni.code.trace import longest_trace


class FileNote(Model):
    path: str
    language: str
    lines: int
    purpose: str


class Call(Model):
    depth: int
    name: str
    place: str


class Trace(Model):
    entry: EntryPoint
    calls: tuple[Call, ...]


class PatternNote(Model):
    name: str
    about: str
    count: int
    places: tuple[str, ...]
    """The first few, as `path:line name`."""


class TestNote(Model):
    path: str
    tests: int
    """Functions and methods whose names begin with test."""
    covers: tuple[str, ...]
    """Files of the project that it imports, itself."""


class Analysis(Model):
    """What was found, and what could not be read (`problems` of kind `unread`)."""

    files: tuple[FileNote, ...]
    imports: Mapping[str, tuple[str, ...]]
    outside: Mapping[str, tuple[str, ...]]
    cycles: tuple[tuple[str, ...], ...]
    entry_points: tuple[EntryPoint, ...]
    trace: Trace | None
    patterns: tuple[PatternNote, ...]
    effects: Mapping[str, Mapping[str, tuple[str, ...]]]
    problems: tuple[Problem, ...]
    tests: tuple[TestNote, ...]
    documents: int
    claims: int
    stale: tuple[Problem, ...]

    @property
    def lines(self) -> int:
        return sum(file.lines for file in self.files)


def analyse(root: Path, paths: Iterable[str] | None = None) -> Analysis:
    """Read the project at `root` (these of its files; default: all) and say what it is. Nothing is executed."""
    codebase = read_codebase(root, paths)
    graph = import_graph(codebase)
    entries = entry_points(root, codebase)
    entry, steps = longest_trace(codebase, entries)
    documented = accuracy(root, codebase)
    calls = tuple(Call(depth=step.depth, name=step.symbol.name, place=step.symbol.place) for step in steps)
    return Analysis(
        files=tuple(
            FileNote(path=f.path, language=f.language, lines=f.lines, purpose=f.purpose) for f in codebase.files
        ),
        imports={path: tuple(sorted(targets)) for path, targets in sorted(graph.imports.items())},
        outside={name: tuple(sorted(paths)) for name, paths in graph.outside.items()},
        cycles=graph.cycles,
        entry_points=entries,
        trace=Trace(entry=entry, calls=calls) if entry else None,
        patterns=tuple(
            PatternNote(
                name=seen.pattern.name, about=seen.pattern.about, count=len(seen.symbols), places=_places(seen.symbols)
            )
            for seen in patterns(codebase)
        ),
        effects=effects(codebase),
        problems=problems(root, codebase, graph),
        tests=tuple(
            _test(file, graph.imports.get(file.path, frozenset()), codebase)
            for file in codebase.files
            if file.test and file.symbols
        ),
        documents=documented.documents,
        claims=documented.claims,
        stale=documented.wrong,
    )


def _places(symbols: tuple[Symbol, ...]) -> tuple[str, ...]:
    return tuple(f"{symbol.place} {symbol.name}" for symbol in symbols[:3])


def _test(file: SourceFile, imported: frozenset[str], codebase: Codebase) -> TestNote:
    count = sum(symbol.kind != "class" and symbol.last_name.startswith("test") for symbol in file.symbols)
    return TestNote(
        path=file.path, tests=count, covers=tuple(sorted(path for path in imported if not codebase.by_path[path].test))
    )
