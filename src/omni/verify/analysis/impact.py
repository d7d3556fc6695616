"""Which files of tests a change can affect, by what imports what.

Wrong in one direction only: an import that might mean a file counts as one that does, a file that loads others by name
or starts programs counts as affected by everything, and a change of anything but Python or prose affects all tests.
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
    sources = [file for file in context.inventory.files if file.language == "python" and not file.problem]
    code = {path for path in changed if language(path) == "python"}
    for path in sorted(changed - code):
        if language(path) not in PROSE or _mentioned(context, path, sources):
            return Selection(every, why_all=f"{path} changed, and any test may depend on it")
    reached = _reached(context, sources, code) if code else frozenset()
    return Selection(
        tuple(path for path in every if path in reached), tuple(path for path in every if path not in reached)
    )


def _mentioned(context: Context, path: str, sources: Iterable[File]) -> bool:
    """Whether code speaks of a file by its name or its ending."""
    pure = PurePosixPath(path)
    return any(
        name in context.text(file) for file in sources for name in (pure.name, f'{pure.suffix}"', pure.suffix + "'")
    )


def _reached(context: Context, sources: Iterable[File], changed: Set[str]) -> frozenset[str]:
    """The changed files, and all that depend on them, directly or not."""
    found = {file.path: imports_of(context, file) for file in sources}
    tails = _tails({*found, *changed})
    importers: dict[str, set[str]] = defaultdict(set)
    waiting = set(changed)
    for file in sources:
        imported = found[file.path]
        if imported is None or _is_dynamic(context, file):
            waiting.add(file.path)
        for each in imported or ():
            for target in _targets(file.path, each, tails):
                importers[target].add(file.path)
        for folder in PurePosixPath(file.path).parents:
            for beside in ("__init__.py", "conftest.py"):
                importers[str(folder / beside)].add(file.path)
    reached: set[str] = set()
    while waiting:
        path = waiting.pop()
        reached.add(path)
        waiting |= importers[path] - reached
    return frozenset(reached)


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
        module = folder[: len(folder) - each.level + 1] + module
    names = [module[:length] for length in range(1, len(module) + 1)] + [[*module, name] for name in each.names]
    for name in names:
        yield from tails.get(".".join(name), ())
