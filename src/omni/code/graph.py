"""Which file depends on which, by their imports, and what comes from outside."""

from __future__ import annotations

import posixpath
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from omni.code.model import Codebase, SourceFile

ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", "/index.ts", "/index.js")


@dataclass(frozen=True)
class Graph:
    imports: Mapping[str, frozenset[str]]
    """File → the project's files that it imports."""
    outside: Mapping[str, frozenset[str]]
    """Package from outside (its top name) → files that import it. Python's own modules are left out."""

    @cached_property
    def importers(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for path, targets in self.imports.items():
            for target in targets:
                found[target].add(path)
        return {path: frozenset(sources) for path, sources in found.items()}

    @cached_property
    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Groups of files that depend on each other, directly or not (Tarjan, 1972: strongly connected components)."""
        return tuple(sorted(tuple(sorted(group)) for group in _components(self.imports) if len(group) > 1))

    def reached_by(self, paths: frozenset[str]) -> frozenset[str]:
        """These files, and all that depend on them, directly or not."""
        found: set[str] = set()
        waiting = set(paths)
        while waiting:
            path = waiting.pop()
            found.add(path)
            waiting |= self.importers.get(path, frozenset()) - found
        return frozenset(found)


def import_graph(codebase: Codebase) -> Graph:
    names = _names(codebase)
    imports: dict[str, frozenset[str]] = {}
    outside: dict[str, set[str]] = defaultdict(set)
    for file in codebase.files:
        targets: set[str] = set()
        for module, inner in _wanted(file):
            hits = _found(file, module, inner, names, codebase)
            targets |= hits
            top = module.split(".")[0]
            if not hits and file.language == "python" and top and top not in sys.stdlib_module_names:
                outside[top].add(file.path)
        if targets - {file.path}:
            imports[file.path] = frozenset(targets - {file.path})
    return Graph(imports, {top: frozenset(paths) for top, paths in sorted(outside.items())})


def module_of(path: str) -> str:
    """`src/app/web/__init__.py` → `src.app.web`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def absolute(file: str, module: str) -> str:
    """A relative import as a dotted path from the root: `..models` in `app/web/views.py` is `app.models`."""
    level = len(module) - len(module.lstrip("."))
    if not level:
        return module
    folder = file.split("/")[:-1]
    return ".".join([*folder[: max(0, len(folder) - level + 1)], *filter(None, [module.lstrip(".")])])


def _names(codebase: Codebase) -> Mapping[str, str]:
    """Every dotted name under which a Python file may be imported → its path; the longest folders win last."""
    found: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for file in codebase.files:
        if file.language == "python":
            parts = module_of(file.path).split(".")
            for start in range(len(parts)):
                name = ".".join(parts[start:])
                counts[name] += 1
                found.setdefault(name, file.path)
                if start == 0:
                    found[name] = file.path
    # A bare name that several files could answer to says nothing, unless it stands at the root.
    return {name: path for name, path in found.items() if counts[name] == 1 or module_of(path) == name or "." in name}


def _wanted(file: SourceFile) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in file.imports:
        if each.typing:
            continue
        yield (absolute(file.path, each.module) if file.language == "python" else each.module), each.names


def _found(
    file: SourceFile, module: str, inner: tuple[str, ...], names: Mapping[str, str], codebase: Codebase
) -> set[str]:
    if file.language == "python":
        hits = {names[f"{module}.{name}"] for name in inner if f"{module}.{name}" in names}
        return hits | ({names[module]} if module in names else set())
    if module.startswith("."):
        base = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), module))
        return {base + ending for ending in ("", *ENDINGS) if base + ending in codebase.by_path}
    if file.language == "c":
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), module))
        return {path for path in (beside, module, f"include/{module}") if path in codebase.by_path}
    return set()


def _components(graph: Mapping[str, frozenset[str]]) -> Iterator[set[str]]:
    """Without recursion: chains of imports are longer than Python's stack."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in sorted(graph):
        if root in index:
            continue
        work = [(root, iter(sorted(graph.get(root, ()))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(graph.get(target, ())))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = set(stack[stack.index(node) :])
                    del stack[stack.index(node) :]
                    on_stack -= group
                    yield group
