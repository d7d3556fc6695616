"""The import graph of a project's own modules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from omni.verify.analysis.python import Import, imports_of, package_of

if TYPE_CHECKING:
    from omni.verify.check import Context


@dataclass(frozen=True)
class Edge:
    importer: str
    imported: str
    path: str
    line: int


@dataclass
class Graph:
    modules: dict[str, str] = field(default_factory=dict)
    """Dotted name → path."""
    edges: dict[str, list[Edge]] = field(default_factory=lambda: defaultdict(list))

    def imports(self, module: str) -> list[Edge]:
        return self.edges.get(module, [])

    def below(self, module: str) -> frozenset[str]:
        """The module and all in it."""
        return self._families.get(module, frozenset())

    @cached_property
    def _families(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for name in self.modules:
            parts = name.split(".")
            for length in range(1, len(parts) + 1):
                found[".".join(parts[:length])].add(name)
        return {name: frozenset(members) for name, members in found.items()}


def import_graph(context: Context) -> Graph:
    """Imports under TYPE_CHECKING are left out: they bind nothing at run time."""
    graph = Graph()
    found: list[tuple[str, str, tuple[Import, ...]]] = []
    for file in context.files:
        imported = imports_of(context, file) if file.language == "python" else None
        if imported is not None:
            name = module_name(file.path, context.project.source_roots)
            graph.modules[name] = file.path
            found.append((name, file.path, imported))
    for name, path, imported in found:
        for each in imported:
            if not each.typing:
                for target in _targets(graph, name, path, each):
                    graph.edges[name].append(Edge(name, target, path, each.line))
    return graph


def module_name(path: str, source_roots: tuple[str, ...] = ()) -> str:
    """`src/app/web/__init__.py` → `app.web`."""
    pure = PurePosixPath(path)
    for root in (*source_roots, "src", "lib"):
        if pure.is_relative_to(root):
            pure = pure.relative_to(root)
            break
    parts = [*pure.parent.parts, pure.stem]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _targets(graph: Graph, name: str, path: str, each: Import) -> Iterator[str]:
    """The modules that an import loads: `from a import b` is `a.b` if that is a module, else `a`."""
    base = ".".join([*package_of(name, path, each.level), *filter(None, [each.module])])
    if not each.names:
        if base in graph.modules:
            yield base
        return
    for each_name in each.names:
        inner = f"{base}.{each_name}"
        if inner in graph.modules:
            yield inner
        elif base in graph.modules:
            yield base
