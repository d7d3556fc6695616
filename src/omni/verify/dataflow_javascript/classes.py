"""Functions and classes as values, and new objects of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni.verify.dataflow_javascript import members
from omni.verify.dataflow_javascript.program import FUNCTIONS, Kind
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import UNKNOWN, Func, KindRef, Obj, Value, made

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame


def function(frame: Frame, node: Node, name: str = "", this: Value | None = None) -> Value:
    """A function that is written here. Arrows keep the `this` around them."""
    named = node.get("name")
    code = frame.module.code(node, name or (named.text if named is not None else ""))
    if code.arrow:
        this = frame.this
    func = Func(code, frame.scope, this, frame.home if code.arrow else None)
    frame.machine.found(func)
    return Value(func)


def define(frame: Frame, node: Node) -> Value:
    """A class. What it inherits is evaluated now, its fields with each new object."""
    named, body = node.get("name"), node.get("body")
    kind = Kind(named.text if named is not None else "", node, frame.module, frame.scope)
    heritage = node.child("class_heritage")
    if heritage is not None and heritage.children:
        clause = heritage.child("extends_clause")
        kind.base = frame.evaluate(clause.get("value") if clause is not None else heritage.children[0])
    for member in body.children if body is not None else []:
        _member(frame, kind, member)
    return Value(KindRef(kind))


def _member(frame: Frame, kind: Kind, member: Node) -> None:
    name_node = member.get("name") or member.get("property")
    if member.kind == "class_static_block":
        return
    if name_node is None:
        return
    name = members.key_text(frame, name_node)
    if name is None:
        return
    head = member.source[member.start : name_node.start].decode("utf-8", "ignore").split()
    if member.kind == "method_definition":
        code = frame.module.code(member, name)
        func = Func(code, frame.scope, None, kind)
        frame.machine.found(func)
        if "static" in head:
            kind.statics[name] = Value(func)
        elif "set" not in head:
            kind.methods[name] = code
            if "get" in head:
                kind.getters.add(name)
    elif member.kind in {"public_field_definition", "field_definition"}:
        given = member.get("value")
        if "static" in head:
            kind.statics[name] = frame.evaluate(given)
        elif given is not None:
            kind.fields[name] = given


def construct(frame: Frame, kind: Kind, arguments: list[Value], node: Node) -> Value:
    """A new object of a class of the program."""
    new = made(kind="instance", type=kind)
    _initialise(frame, kind, new)
    init = kind.method("constructor")
    if init is not None:
        frame.machine.call(init, arguments, new, frame, node)
    return new


def _initialise(frame: Frame, kind: Kind, new: Value) -> None:
    for each in reversed([*kind.lineage()]):
        inner = type(frame)(frame.machine, each.module, each.scope, new, each)
        for name, given in each.fields.items():
            value = function(inner, given, name) if given.kind in FUNCTIONS else inner.evaluate(given)
            members.write(inner, new, name, value, given)


def sample_of(frame: Frame, kind: Kind) -> Value:
    """An object of the class, made from arguments of which nothing is known but what they are said to be."""
    from omni.verify.dataflow_javascript.patterns import unknown_argument  # they need each other

    if kind.sample is None:
        new = made(kind="instance", type=kind)
        kind.sample = new.shape if isinstance(new.shape, Obj) else None
        _initialise(frame, kind, new)
        init = kind.method("constructor")
        if init is not None:
            given = [unknown_argument(frame.machine, each, kind.module.path) for each in init.code.parameters]
            frame.machine.apply(init, given, new)
    return Value(kind.sample) if kind.sample is not None else UNKNOWN
