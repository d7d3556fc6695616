"""The program as modules, classes and functions that can be found by their names."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from omni.verify.analysis.modules import module_name
from omni.verify.dataflow.value import Ref, Value

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(eq=False, slots=True)
class Module:
    name: str
    path: str
    tree: ast.Module
    names: dict[str, Value] = field(default_factory=dict)
    """Its globals, once it has been run."""
    state: str = "new"
    """`new`, `running`, `done`"""
    library: bool = False
    """It is a model of a library, not part of the project."""

    @property
    def package(self) -> list[str]:
        parts = self.name.split(".")
        return parts if self.path.endswith("__init__.py") else parts[:-1]


@dataclass(eq=False, slots=True)
class Class:
    name: str
    node: ast.ClassDef
    module: Module
    bases: tuple[Value, ...] = ()
    members: dict[str, Value] = field(default_factory=dict)
    fields: dict[str, ast.expr] = field(default_factory=dict)
    """Annotated attributes."""

    def lineage(self) -> Iterator[Class]:
        """The class and the project's classes it is made from, each once."""
        seen: set[int] = set()
        waiting: list[Class] = [self]
        while waiting:
            current = waiting.pop(0)
            if id(current) in seen:
                continue
            seen.add(id(current))
            yield current
            waiting += [kind for base in current.bases if (kind := getattr(base.shape, "type", None)) is not None]

    def member(self, name: str) -> Value | None:
        return next((each.members[name] for each in self.lineage() if name in each.members), None)

    def annotation(self, name: str) -> tuple[ast.expr, Module] | None:
        return next(((each.fields[name], each.module) for each in self.lineage() if name in each.fields), None)

    def outside(self) -> Iterator[str]:
        """Names of the library classes it is made from."""
        for each in self.lineage():
            yield from (base.shape.name for base in each.bases if isinstance(base.shape, Ref))


@dataclass(eq=False, slots=True)
class Function:
    name: str
    node: FunctionNode
    module: Module
    owner: Class | None = None
    kind: str = ""
    """`static`, `class`, `property`; empty for an ordinary one."""
    generator: bool = False
    """It has given something by `yield` when it was run."""

    @property
    def lines(self) -> int:
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def parameters(self) -> list[ast.arg]:
        given = self.node.args
        return [*given.posonlyargs, *given.args]


class Project:
    def __init__(self, trees: Iterable[tuple[str, ast.Module]], source_roots: tuple[str, ...] = ()) -> None:
        self.modules = [Module(module_name(path, source_roots), path, tree) for path, tree in trees]
        self.by_name: dict[str, Module] = dict(_importable(self.modules))

    def find(self, name: str) -> Module | None:
        return self.by_name.get(name)


def _importable(modules: Iterable[Module]) -> Iterator[tuple[str, Module]]:
    """Each module by the names that it can be imported by: also from a folder within the project that is no package.

    Where two have the same name, the one nearer to the root of the project has it.
    """
    found: dict[str, Module] = {}
    modules = sorted(modules, key=lambda each: (each.path.count("/"), each.path))
    packages = {str(PurePosixPath(each.path).parent) for each in modules if each.path.endswith("__init__.py")}
    for module in modules:
        found.setdefault(module.name, module)
    for module in modules:
        parts = PurePosixPath(module.path).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        for start in range(1, len(parts)):
            name = ".".join(parts[start:])
            if "/".join(parts[:start]) not in packages and parts[start] not in sys.stdlib_module_names:
                found.setdefault(name, module)
    return iter(found.items())


def import_base(module: Module, node: ast.ImportFrom) -> str:
    """The full name of what `from … import` imports from."""
    if not node.level:
        return node.module or ""
    package = module.package
    package = package[: max(0, len(package) - node.level + 1)]
    return ".".join([*package, *filter(None, [node.module])])
