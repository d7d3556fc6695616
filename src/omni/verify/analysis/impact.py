"""Which files of tests a change can affect, by what imports what.

Wrong in one direction only: an import that might mean a file counts as one that does, a file that loads others by name
or starts programs counts as affected by everything, and a change of anything but Python or prose affects all tests.
What a test leaves behind for another, which imports nothing of what changed, is not looked at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from omni.verify.analysis.python import Import, imports_of
from omni.verify.languages import language

if TYPE_CHECKING:
    from omni.verify.check import Context
    from omni.verify.files import File

DYNAMIC = re.compile(
    r"\b(importlib|__import__|pkgutil|runpy|entry_points|subprocess|os\.system|os\.exec\w+|Popen|pytest_plugins|pytester"
    r"|exec\s*\(|import_string)\b"
)
"""Code that loads or starts what its imports don't name."""
PROSE = frozenset({"markdown", "rst"})


@dataclass(frozen=True)
class Selection:
    tests: tuple[str, ...]
    """Files of tests to run, sorted."""
    left_out: tuple[str, ...] = ()
    why_all: str = ""
    """Why none is left out; empty where some may be."""


def affected_tests(context: Context, tests: Iterable[str], changed: Set[str]) -> Selection:
    """The files of tests that a change of these paths (some may be gone) can affect."""
    every = tuple(sorted(tests))
    code = frozenset(path for path in changed if language(path) == "python")
    if why := why_any(context, changed):
        return Selection(every, why_all=why)
    reached = Graph(context, changed).reached(code) if code else frozenset()
    chosen = tuple(path for path in every if path in reached)
    return Selection(chosen, tuple(path for path in every if path not in reached))


def why_any(context: Context, changed: Set[str]) -> str:
    """Why a change of these paths may affect any test; empty when imports can say which."""
    sources = _sources(context)
    for path in sorted(path for path in changed if language(path) != "python"):
        if language(path) not in PROSE or _mentioned(context, path, sources):
            return f"{path} changed, and any test may depend on it"
    return ""


def _sources(context: Context) -> list[File]:
    return [file for file in context.inventory.files if file.language == "python" and not file.problem]


def _mentioned(context: Context, path: str, sources: Iterable[File]) -> bool:
    """Whether code speaks of a file by its name or its ending."""
    pure = PurePosixPath(path)
    return any(
        name in context.text(file) for file in sources for name in (pure.name, f'{pure.suffix}"', pure.suffix + "'")
    )


class Graph:
    """Who depends on whom."""

    def __init__(self, context: Context, changed: Set[str]) -> None:
        """`changed` may name files that are gone, and that others still import."""
        self._importers: dict[str, set[str]] = defaultdict(set)
        self._always: set[str] = set()
        """Files that anything may affect."""
        sources = _sources(context)
        found = {file.path: imports_of(context, file) for file in sources}
        tails = _tails({*found, *changed})
        for file in sources:
            imported = found[file.path]
            if imported is None or _is_dynamic(context, file):
                self._always.add(file.path)
            for each in imported or ():
                for target in _targets(file.path, each, tails):
                    self._importers[target].add(file.path)
            for folder in PurePosixPath(file.path).parents:
                for beside in ("__init__.py", "conftest.py"):
                    self._importers[str(folder / beside)].add(file.path)

    def reached(self, changed: Set[str]) -> frozenset[str]:
        """The changed files, and all that depend on them, directly or not; and on what anything may affect."""
        reached: set[str] = set()
        waiting = self._always | changed
        while waiting:
            path = waiting.pop()
            reached.add(path)
            waiting |= self._importers.get(path, set()) - reached
        return frozenset(reached)

    def users(self, paths: Iterable[str]) -> frozenset[str]:
        """All that depend on one of them, directly or not; and on what anything may affect."""
        return self.reached({user for path in paths for user in self._importers.get(path, ())})

    def importers(self, path: str) -> frozenset[str]:
        """Who imports the file, by a name that may mean it."""
        return frozenset(self._importers.get(path, ()))


def _is_dynamic(context: Context, file: File) -> bool:
    return bool(context.fact("dynamic", file, lambda: bool(DYNAMIC.search(context.text(file)))))


def _dotted(path: str) -> list[str]:
    """`src/app/web/__init__.py` → src, app, web"""
    parts = [*PurePosixPath(path).parent.parts, PurePosixPath(path).stem]
    return parts[:-1] if parts[-1] == "__init__" else parts


def _tails(paths: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Every name under which a file might be imported, whatever folder is on the path."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        parts = _dotted(path)
        for start in range(len(parts)):
            found[".".join(parts[start:])].add(path)
    return {name: frozenset(members) for name, members in found.items()}


def _targets(path: str, each: Import, tails: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """All files that the import might load, the packages on the way among them."""
    module = each.module.split(".") if each.module else []
    if each.level:
        folder = list(PurePosixPath(path).parent.parts)
        module = folder[: max(0, len(folder) - each.level + 1)] + module
    names = [module[:length] for length in range(1, len(module) + 1)] + [[*module, name] for name in each.names]
    for name in names:
        yield from tails.get(".".join(name), ())
