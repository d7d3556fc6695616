"""One function, or the top of a module, while it is run on what is known."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from omni.verify.dataflow.project import Class, Function, Module
from omni.verify.dataflow.summary import Hit
from omni.verify.dataflow.value import Ref, Step, Taint, Value, join_all, settled, taints_in

if TYPE_CHECKING:
    from omni.verify.dataflow.machine import Machine

Names = dict[str, Value]


@dataclass
class Loop:
    """States in which a loop is left or begun anew from within."""

    broken: list[Names] = field(default_factory=list)
    continued: list[Names] = field(default_factory=list)


@dataclass
class Frame:
    machine: Machine
    module: Module
    function: Function | None = None
    names: Names = field(default_factory=dict)
    closure: Mapping[str, Value] = field(default_factory=dict)
    owner: Class | None = None
    """The class whose body, or whose method, this is."""
    returned: list[Value] = field(default_factory=list)
    yielded: list[Value] = field(default_factory=list)
    hits: dict[Hit, Hit] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    globals: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    """Name → the name whose object it shares."""
    rebound: set[str] = field(default_factory=set)

    def evaluate(self, node: ast.expr) -> Value:
        return self.machine.evaluate(self, node)

    def run(self, body: list[ast.stmt]) -> bool:
        """Whether what follows the statements is reached."""
        return self.machine.run(self, body)

    def lookup(self, name: str) -> Value:
        found = self.names.get(name)
        if found is None:
            found = self.closure.get(name)
        if found is None:
            found = self.module.names.get(name)
        return Value(Ref(name)) if found is None else found

    def bind(self, name: str, value: Value) -> None:
        self.unalias(name)
        self.rebound.add(name)
        self.names[name] = value
        if name in self.globals:
            before = self.module.names.get(name)
            self.module.names[name] = settled(value if before is None else join_all([before, value]))

    def unalias(self, name: str) -> None:
        self.aliases.pop(name, None)
        for other in [other for other, shared in self.aliases.items() if shared == name]:
            del self.aliases[other]

    def change(self, name: str, value: Value) -> None:
        """The object that the name stands for is changed in place: all that share it see it."""
        root = self.aliases.get(name, name)
        for each in {name, root, *(other for other, shared in self.aliases.items() if shared == root)}:
            if each in self.names or each in {name, root}:
                self.names[each] = value
        if name not in self.names and name in self.module.names:
            self.module.names[name] = settled(value)

    def step(self, node: ast.AST, what: str) -> Step:
        return Step(self.module.path, getattr(node, "lineno", 0), what)

    def hit(self, weakness: str, value: Value, sink: Step, kinds: frozenset[str], column: int = 0) -> None:
        """The value stands where it must not, as far as untrusted data is in it."""
        for taint in taints_in(value):
            self.hit_taint(Hit(weakness, taint, sink, kinds, column))

    def hit_taint(self, hit: Hit) -> None:
        if hit.weakness in hit.taint.cleared or "*" in hit.taint.cleared:
            return
        if hit.taint.kind == "argument":
            self.hits.setdefault(hit, hit)
        elif hit.taint.kind in hit.kinds:
            self.machine.report(hit)


def stepped(value: Value, step: Step) -> Value:
    """With the step noted in the way of the untrusted data."""
    if not value.taints:
        return value
    taints: tuple[Taint, ...] = tuple(taint.at(step) for taint in value.taints)
    return Value(value.shape, taints)
