"""Attributes and items: reading and writing them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from omni.verify.dataflow.value import Step, Taint, united
from omni.verify.dataflow_javascript import sinks
from omni.verify.dataflow_javascript.frame import shown
from omni.verify.dataflow_javascript.program import Kind
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    REST,
    UNKNOWN,
    Const,
    Func,
    KindRef,
    Obj,
    Ref,
    Value,
    cleared,
    join,
    join_all,
    made,
    ref,
    tainted,
    taints_in,
)

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame
    from omni.verify.dataflow_javascript.machine import Machine


def key_text(frame: Frame, node: Node) -> str | None:
    """The name of an entry; None when it is computed from something that is not known."""
    if node.kind in {"string", "computed_property_name", "number"}:
        return key_of(frame.evaluate(node.children[0] if node.kind == "computed_property_name" else node))
    return node.text


def key_of(value: Value) -> str | None:
    shape = value.shape
    if not isinstance(shape, Const) or shape.type not in {"string", "number"}:
        return None
    if isinstance(shape.value, float):
        return str(int(shape.value)) if shape.value.is_integer() else str(shape.value)
    return str(shape.value)


def read(frame: Frame, value: Value, name: str, node: Node) -> Value:
    """The attribute, or item, of this name. Of what may be the prototype of all objects, it is nobody's any more."""
    if any(taint.kind == "key" for taint in value.taints):
        value = Value(value.shape, tuple(taint for taint in value.taints if taint.kind != "key"))
    shape = value.shape
    if isinstance(shape, Obj):
        return _of_object(frame, value, shape, name, node)
    if isinstance(shape, Ref):
        return _of_library(frame, value, shape, name, node)
    if isinstance(shape, KindRef):
        return _of_class(shape.type, name)
    if isinstance(shape, Func):
        if name == "prototype" and name not in shape.code.statics:
            shape.code.statics[name] = made()
        return shape.code.statics.get(name, UNKNOWN)
    if name in frame.machine.models.attributes:
        return UNKNOWN
    return tainted(value.taints)


def _of_object(frame: Frame, value: Value, shape: Obj, name: str, node: Node) -> Value:
    found = shape.entries.get(name)
    if found is not None:
        if not value.taints:
            return found
        return Value(found.shape, united(found.taints, value.taints))
    if shape.type is not None:
        method = shape.type.method(name)
        if method is not None and any(name in kind.getters for kind in shape.type.lineage()):
            return frame.machine.call(method, [], value, frame, node)
        if method is not None:
            return Value(method)
        outside = _library_base(shape.type)
        if outside and shape.kind == "instance":
            return read(frame, ref(f"{outside}()", value.taints), name, node)
    if name in frame.machine.models.attributes:
        return UNKNOWN
    rest = shape.entries.get(REST)
    return tainted(value.taints) if rest is None else Value(rest.shape, united(rest.taints, value.taints))


def _library_base(kind: Kind) -> str:
    for each in kind.lineage():
        if isinstance(each.base.shape, Ref):
            return each.base.shape.name
    return ""


def _of_class(kind: Kind, name: str) -> Value:
    for each in kind.lineage():
        if name in each.statics:
            return each.statics[name]
    return UNKNOWN


def _of_library(frame: Frame, value: Value, shape: Ref, name: str, node: Node) -> Value:
    machine = frame.machine
    if name == "default" and "()" not in shape.name:
        return value
    full = machine.models.canonical(f"{shape.name}.{name}")
    held = machine.attached.get(full)
    if held is not None:
        return held
    taints = () if name in machine.models.attributes else value.taints
    found = ref(full, united(taints, source_taints(machine, full, frame.module.path, node.line, shown(node))))
    for taint in found.taints[:1]:
        if full.startswith(machine.names.setdefault(taint.origin, full)):
            machine.names[taint.origin] = full
    known = machine.notes.get(full)
    return cleared(found, known) if known else found


def source_taints(machine: Machine, name: str, path: str, line: int, what: str) -> tuple[Taint, ...]:
    """Of what comes from outside by this name."""
    found = machine.models.sources.get(name, ())
    return tuple(Taint(each.kind, Step(path, line, what), frozenset(each.cleared)) for each in found)


def item(frame: Frame, value: Value, key: Value, node: Node) -> Value:
    """`value[key]`"""
    name = key_of(key)
    if name is not None:
        return read(frame, value, name, node)
    shape = value.shape
    if isinstance(shape, Obj):
        held = join_all(shape.entries.values())
        inner = Value(None if isinstance(held.shape, Const) else held.shape, united(held.taints, value.taints))
    elif isinstance(shape, Ref) and value.taints:
        inner = ref(f"{shape.name}[]", value.taints)
    else:
        inner = tainted(value.taints)
    if isinstance(shape, Obj) and shape.kind in {"array", "bare", "map"}:
        return inner
    return Value(inner.shape, united(inner.taints, _chosen(key)))


def _chosen(key: Value) -> tuple[Taint, ...]:
    """Data chose which entry it is: perhaps the prototype of all objects."""
    return tuple(
        replace(taint, kind="key")
        for taint in taints_in(key)
        if taint.kind == "remote" and "prototype" not in taint.cleared and "*" not in taint.cleared
    )


def assign(frame: Frame, target: Node, value: Value) -> None:
    """To an attribute or item."""
    holder_node = target.get("object")
    if holder_node is None:
        return
    holder = frame.evaluate(holder_node)
    if target.kind == "member_expression":
        named = target.get("property")
        name: str | None = named.text if named is not None else None
        key = UNKNOWN
    else:
        index = target.get("index")
        key = frame.evaluate(index)
        name = key_of(key)
    if name is None or holder_node.kind == "subscript_expression":
        _check_prototype(frame, holder, key, value, target)
    if name is not None:
        sinks.assigned(frame, holder, name, value, target)
        sinks.named_value(frame, name, value, target)
    if isinstance(holder.shape, Obj | KindRef | Func | Ref):
        write(frame, holder, name, value, target)
    elif holder_node.kind == "identifier" and taints_in(value):
        before = tainted(holder.taints)
        frame.assign(holder_node.text, made([(REST, before), (REST if name is None else name, value)]))


def _check_prototype(frame: Frame, holder: Value, key: Value, value: Value, node: Node) -> None:
    chosen = tuple(taint for taint in holder.taints if taint.kind == "key")
    if chosen and any(taint.kind in {"remote", "key"} for taint in (*taints_in(key), *taints_in(value))):
        frame.hit("prototype", tainted(chosen), node, kinds=frozenset({"key"}))


def write(frame: Frame, holder: Value, name: str | None, value: Value, node: Node) -> None:
    """`name` None: some entry, it is not known which."""
    shape, journal = holder.shape, frame.machine.journal
    if isinstance(value.shape, Func) and name is not None and not value.shape.code.name:
        value.shape.code.name = name
    if value.taints:
        place = frame.step(node)
        value = Value(value.shape, tuple(taint.at(place) for taint in value.taints))
    if isinstance(shape, Obj):
        if name is None or len(shape.entries) > 400:
            before = shape.entries.get(REST)
            name, value = REST, value if before is None else join(before, value)
        journal.write(shape.entries, name, value)
    elif isinstance(shape, KindRef) and name is not None:
        journal.write(shape.type.statics, name, value)
    elif isinstance(shape, Func) and name is not None:
        journal.write(shape.code.statics, name, value)
    elif isinstance(shape, Ref) and name is not None:
        journal.write(frame.machine.attached, frame.machine.models.canonical(f"{shape.name}.{name}"), value)


def add(frame: Frame, holder: Value, values: list[Value]) -> None:
    """Put something into an array, at a place that is not known unless it is at the end."""
    shape = holder.shape
    if not isinstance(shape, Obj):
        return
    for value in values:
        at = len(shape.items())
        if REST in shape.entries or at >= 64:
            before = shape.entries.get(REST)
            frame.machine.journal.write(shape.entries, REST, value if before is None else join(before, value))
        else:
            frame.machine.journal.write(shape.entries, str(at), value)
