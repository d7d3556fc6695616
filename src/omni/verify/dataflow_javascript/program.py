"""The parts of a program: modules, functions, classes, and the names that each sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from omni.verify.analysis.script_modules import resolved
from omni.verify.dataflow.summary import Hit
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import UNKNOWN, Entries, Func, KindRef, Obj, Value

FUNCTIONS = frozenset(
    {
        "function_declaration", "function_expression", "arrow_function", "method_definition", "generator_function",
        "generator_function_declaration",
    }
)  # fmt: skip
NAMES = frozenset({"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"})


class Scope:
    """Names of a block, a function or a module."""

    __slots__ = ("function", "parent", "values")

    def __init__(self, parent: Scope | None, *, function: bool = False) -> None:
        self.parent = parent
        self.values = Entries()
        self.function = function

    def holder(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None and name not in scope.values:
            scope = scope.parent
        return scope

    def find(self, name: str) -> Value | None:
        holder = self.holder(name)
        return None if holder is None else holder.values[name]

    def whole(self) -> Scope:
        """That of the function or module."""
        scope = self
        while not scope.function and scope.parent is not None:
            scope = scope.parent
        return scope


@dataclass(eq=False)
class Code:
    """A function as it is written."""

    node: Node
    module: Module
    name: str = ""
    statics: Entries = field(default_factory=Entries)
    """Attributes of the function itself."""

    @cached_property
    def parameters(self) -> tuple[Node, ...]:
        single = self.node.get("parameter")
        given = self.node.get("parameters")
        found = [single] if single is not None else [] if given is None else given.children
        return tuple(each for each in found if parameter_name(each) != "this")

    @property
    def body(self) -> Node | None:
        return self.node.get("body")

    @property
    def arrow(self) -> bool:
        return self.node.kind == "arrow_function"

    @cached_property
    def used(self) -> tuple[str, ...]:
        """All names in it."""
        names: set[str] = set()
        waiting = list(self.node.children)
        while waiting:
            node = waiting.pop()
            if node.kind in FUNCTIONS:
                names.update(self.module.code(node, "").used)
            elif node.kind in NAMES:
                names.add(node.text)
            waiting += node.children if node.kind not in FUNCTIONS else []
        return tuple(sorted(names))

    @cached_property
    def lines(self) -> int:
        return self.node.source.count(b"\n", self.node.start, self.node.end) + 1


def parameter_name(node: Node) -> str:
    """Of a parameter that is not taken apart; else empty."""
    pattern = pattern_of(node)
    if pattern.kind == "assignment_pattern":
        pattern = pattern.get("left") or pattern
    return pattern.text if pattern.kind in {"identifier", "this"} else ""


def pattern_of(parameter: Node) -> Node:
    return parameter.get("pattern") or parameter


@dataclass(eq=False)
class Kind:
    """A class of the program."""

    name: str
    node: Node
    module: Module
    scope: Scope
    base: Value = UNKNOWN
    methods: dict[str, Code] = field(default_factory=dict)
    getters: set[str] = field(default_factory=set)
    fields: dict[str, Node] = field(default_factory=dict)
    statics: Entries = field(default_factory=Entries)
    sample: Obj | None = None
    """The instance whose methods are looked at."""

    def lineage(self) -> Iterator[Kind]:
        kind: Kind | None = self
        seen: set[int] = set()
        while kind is not None and id(kind) not in seen:
            seen.add(id(kind))
            yield kind
            shape = kind.base.shape
            kind = shape.type if isinstance(shape, KindRef) else None

    def method(self, name: str) -> Func | None:
        for kind in self.lineage():
            if name in kind.methods:
                return Func(kind.methods[name], kind.scope, None, kind)
        return None


class Found(NamedTuple):
    """What came out when the top of a module was run."""

    hits: tuple[Hit, ...]
    unseen: dict[str, str]
    waiting: list[tuple[Func, list[Value], str]]
    """Functions that a framework will call, with what, and the weakness that data causes in what they return."""
    roots: dict[Code, Func]
    ran: frozenset[Code]


@dataclass(eq=False)
class Module:
    path: str
    root: Node
    state: str = "new"
    """`new`, `running` or `done`."""
    exports: Value = UNKNOWN
    """`module.exports`; what ES modules export are its entries."""
    codes: dict[int, Code] = field(default_factory=dict)

    found: Found | None = None

    def code(self, node: Node, name: str) -> Code:
        found = self.codes.get(node.start)
        if found is None:
            found = self.codes[node.start] = Code(node, self, name)
        found.name = found.name or name
        return found

    @property
    def size(self) -> int:
        return len(self.root.source)


class Links:
    """Which file each import means, and what follows for the order in which files are loaded."""

    def __init__(self, imports: Mapping[str, Iterable[str]], aliases: Mapping[str, str]) -> None:
        """`imports`: path → what it imports, as it is written."""
        paths = set(imports)
        self.targets: dict[str, dict[str, str]] = {}
        for path, said in imports.items():
            found = {each: resolved(each.split("?", 1)[0], path, paths, aliases) for each in said}
            self.targets[path] = {each: target for each, target in found.items() if target is not None}
        self.packages = {path: frozenset(_package(each) for each in said) for path, said in imports.items()}
        """Path → packages that it imports."""
        self._group = _groups({path: sorted(set(to.values())) for path, to in self.targets.items()})

        self.order = [*self._group]
        """All files: each after what it imports."""

    def target(self, path: str, said: str) -> str | None:
        return self.targets.get(path, {}).get(said)

    def group(self, path: str) -> tuple[str, ...]:
        """The files that import each other in a circle with this one, in order; itself at least."""
        return self._group.get(path, (path,))

    def below(self, path: str) -> list[str]:
        """The file and all that it imports, and they import."""
        found, waiting = {path}, [path]
        while waiting:
            for target in self.targets.get(waiting.pop(), {}).values():
                if target not in found:
                    found.add(target)
                    waiting.append(target)
        return sorted(found)


def _groups(edges: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Strongly connected components (Tarjan), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: dict[str, tuple[str, ...]] = {}
    for start in edges:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        stack.append(start)
        work = [(start, iter(edges[start]))]
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    work.append((target, iter(edges.get(target, ()))))
                    break
                if target not in groups:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    members = tuple(sorted(stack[at:]))
                    del stack[at:]
                    groups |= dict.fromkeys(members, members)
    return groups


def _package(said: str) -> str:
    parts = said.removeprefix("node:").split("/")
    return "/".join(parts[: 2 if said.startswith("@") else 1])
