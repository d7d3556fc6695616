"""One function, or the top of a module, while it is run on what is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from omni.verify.dataflow.summary import Hit
from omni.verify.dataflow.value import Step
from omni.verify.dataflow_javascript.journal import Change
from omni.verify.dataflow_javascript.program import Code, Kind, Module, Scope
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import UNKNOWN, Value, taints_in

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.machine import Machine

End: TypeAlias = Literal["", "return", "throw", "break", "continue"]
"""How a statement ended; empty: the next one is run."""
LONGEST_STEP = 60


@dataclass
class Frame:
    machine: Machine
    module: Module
    scope: Scope
    this: Value = UNKNOWN
    home: Kind | None = None
    """The class whose method this is."""
    code: Code | None = None
    returned: list[Value] = field(default_factory=list)
    exits: list[Change] = field(default_factory=list)
    """What the ways left that ended the function early."""
    loops: list[list[Change]] = field(default_factory=list)
    """For each loop or switch around: what the ways left that ended it, or its round, early."""
    page: str = ""
    """The weakness that data causes in what this function returns; empty: none."""

    def evaluate(self, node: Node | None) -> Value:
        return UNKNOWN if node is None else self.machine.evaluate(self, node)

    def step(self, node: Node, what: str = "") -> Step:
        return Step(self.module.path, node.line, what or shown(node))

    def assign(self, name: str, value: Value) -> None:
        """To a name that is declared somewhere around; else it is one of the module."""
        holder = self.scope.holder(name) or _outermost(self.scope)
        self.machine.journal.write(holder.values, name, value)

    def declare(self, name: str, value: Value, *, whole: bool = False) -> None:
        scope = self.scope.whole() if whole else self.scope
        self.machine.journal.write(scope.values, name, value)

    def hit(self, weakness: str, value: Value, node: Node, what: str = "", kinds: frozenset[str] | None = None) -> None:
        """Data of one of these kinds does harm here, unless it was made harmless for that."""
        kinds = REMOTE_AND_LOCAL if kinds is None else kinds
        step = self.step(node, what)
        for taint in taints_in(value):
            if taint.kind in kinds and weakness not in taint.cleared and "*" not in taint.cleared:
                self.machine.report(Hit(weakness, taint, step, kinds, node.column))

    def ways(self, *ways: Callable[[], End]) -> End:
        """Run one of these, it is not known which: all of them from the same state, and what they leave is joined."""
        journal = self.machine.journal
        left: list[Change] = []
        ends: list[End] = []
        for way in ways:
            mark = journal.mark()
            end = way()
            change = journal.undo(mark)
            if not end:
                left.append(change)
            else:
                ends.append(end)
                self.leave(end, change)
        if left:
            journal.merge(*left)
            return ""
        return "break" if "break" in ends else ends[0]

    def leave(self, end: End, change: Change) -> None:
        place = self.loops[-1] if end in {"break", "continue"} and self.loops else self.exits
        place.append(change)


REMOTE_AND_LOCAL = frozenset({"remote", "local"})


def shown(node: Node) -> str:
    text = " ".join(
        node.source[node.start : min(node.end, node.start + 4 * LONGEST_STEP)].decode("utf-8", "ignore").split()
    )
    return text if len(text) <= LONGEST_STEP else f"{text[: LONGEST_STEP - 1]}…"


def _outermost(scope: Scope) -> Scope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def merged(frame: Frame, changes: Sequence[Change]) -> None:
    """Each of these may have happened as well."""
    if changes:
        frame.machine.journal.merge({}, *changes)
