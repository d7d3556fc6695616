"""Data that was looked at and found harmless: where it is kept, that is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni.verify.dataflow.value import Taint
from omni.verify.dataflow_javascript import members
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import Obj, Ref, Value, cleared, taints_in

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame

EVERYTHING = frozenset({"*"})
ADDRESS = frozenset({"ssrf", "redirect"})
HOST_PARTS = frozenset({"host", "hostname", "origin", "protocol"})
SPELLED = frozenset(
    {"toLowerCase", "toUpperCase", "trim", "toString", "String", "resolve", "normalize", "decodeURIComponent"}
)
WRAPPERS = frozenset({"parenthesized_expression", "non_null_expression", "as_expression", "await_expression"})
TOGETHER = (
    ("path", {"below", "dots"}),
    ("path", {"undotted", "dots", "relative"}),
    ("redirect", {"slash", "one-slash"}),
)
"""Weakness, and what has to be known of the data, all of it: a path without dots that begins with a folder."""


def bare(node: Node) -> Node:
    while node.kind in WRAPPERS and node.children:
        node = node.children[0]
    return node


def clear(frame: Frame, node: Node, weaknesses: frozenset[str]) -> None:
    """The data in this expression can't cause these any more."""
    node = bare(node)
    if not weaknesses:
        return
    while node.kind == "call_expression":
        inner = _spelled_alike(node)
        if inner is None:
            return
        node = bare(inner)
    if node.kind == "identifier":
        holder = frame.scope.holder(node.text)
        if holder is not None and taints_in(holder.values[node.text]):
            frame.machine.journal.write(
                holder.values, node.text, settled(cleared(holder.values[node.text], weaknesses))
            )
    elif node.kind in {"member_expression", "subscript_expression"}:
        _clear_member(frame, node, weaknesses)


def settled(value: Value) -> Value:
    """Some signs together are enough."""
    if not value.taints:
        return value
    return Value(value.shape, tuple(_settled(taint) for taint in value.taints))


def _settled(taint: Taint) -> Taint:
    enough = [weakness for weakness, signs in TOGETHER if signs <= taint.cleared]
    return taint.without(*enough) if enough else taint


def _clear_member(frame: Frame, node: Node, weaknesses: frozenset[str]) -> None:
    holder_node, named = node.get("object"), node.get("property")
    if holder_node is None:
        return
    name = named.text if named is not None else members.key_of(frame.evaluate(node.get("index")))
    if name is None:
        return
    holder, machine = frame.evaluate(holder_node), frame.machine
    if name == "origin" and isinstance(holder.shape, Ref) and not holder.taints:  # of a message: who sent it
        machine.journal.write(machine.notes, f"{holder.shape.name}.data", EVERYTHING)
    if name in HOST_PARTS and taints_in(holder):
        if name != "protocol":
            clear_origins(frame, holder, ADDRESS)
        return
    if isinstance(holder.shape, Obj) and name in holder.shape.entries:
        machine.journal.write(holder.shape.entries, name, settled(cleared(holder.shape.entries[name], weaknesses)))
    elif isinstance(holder.shape, Ref):
        full = machine.models.canonical(f"{holder.shape.name}.{name}")
        if full in machine.attached:
            machine.journal.write(machine.attached, full, cleared(machine.attached[full], weaknesses))
        else:
            known = machine.notes.get(full, frozenset())
            machine.journal.write(machine.notes, full, known | weaknesses)


def clear_origins(frame: Frame, value: Value, weaknesses: frozenset[str]) -> None:
    """`new URL(x).hostname` was looked at: that says as much of `x`."""
    origins = {taint.origin for taint in taints_in(value)}
    scope = frame.scope
    while scope is not None and scope.parent is not None:
        for name, held in list(scope.values.items()):
            if any(taint.origin in origins for taint in taints_in(held)):
                frame.machine.journal.write(scope.values, name, cleared(held, weaknesses))
        scope = scope.parent
    for origin in origins:
        full = frame.machine.names.get(origin)
        if full is not None:
            known = frame.machine.notes.get(full, frozenset())
            frame.machine.journal.write(frame.machine.notes, full, known | weaknesses)


def _spelled_alike(node: Node) -> Node | None:
    """What `x.trim()`, `String(x)` and `path.resolve(x)` are but another spelling of."""
    function, given = node.get("function"), node.get("arguments")
    if function is None:
        return None
    if function.kind == "member_expression":
        named, holder = function.get("property"), function.get("object")
        if named is not None and named.text in SPELLED and holder is not None:
            alone = given is None or not given.children
            return holder if alone else given.children[0] if given is not None and holder.text == "path" else None
        return None
    if function.text in SPELLED and given is not None and given.children:
        return given.children[0]
    return None
