"""Giving a value to a name, an attribute, an item, or several of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from omni.verify.dataflow import containers, sinks
from omni.verify.dataflow.frame import stepped
from omni.verify.dataflow.value import (
    ClassRef,
    Instance,
    ModuleRef,
    Ref,
    Sequence,
    Table,
    Value,
    join,
    settled,
    taints_in,
    united,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame


def assign(frame: Frame, target: ast.expr, value: Value, node: ast.AST) -> None:
    if isinstance(target, ast.Name):
        if value.taints:
            value = stepped(value, frame.step(node, target.id))
        sinks.named_value(frame, target.id, value, node)
        frame.bind(target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(frame, target, value, node)
    elif isinstance(target, ast.Starred):
        assign(frame, target.value, value, node)
    elif isinstance(target, ast.Attribute):
        _assign_attribute(frame, target, value, node)
    elif isinstance(target, ast.Subscript):
        _assign_item(frame, target, value, node)


def _unpack(frame: Frame, target: ast.Tuple | ast.List, value: Value, node: ast.AST) -> None:
    parts = _apart(target, value)
    any_of_them = containers.element(value)
    for index, each in enumerate(target.elts):
        if parts is not None:
            part = parts[index]
            assign(frame, each, Value(part.shape, united(part.taints, value.taints)), node)
        else:
            starred = isinstance(each, ast.Starred)
            assign(frame, each, Value(Sequence((), any_of_them)) if starred else any_of_them, node)


def _apart(target: ast.Tuple | ast.List, value: Value) -> list[Value] | None:
    """A value for each of the targets; None when it is not known how many there are."""
    shape, count = value.shape, len(target.elts)
    if not isinstance(shape, Sequence) or shape.rest is not None:
        return None
    starred = [index for index, each in enumerate(target.elts) if isinstance(each, ast.Starred)]
    if not starred:
        return list(shape.items) if len(shape.items) == count else None
    first, after = starred[0], count - starred[0] - 1
    if len(shape.items) < count - 1:
        return None
    end = len(shape.items) - after
    return [*shape.items[:first], Value(Sequence(shape.items[first:end])), *shape.items[end:]]


def _assign_attribute(frame: Frame, target: ast.Attribute, value: Value, node: ast.AST) -> None:
    holder = frame.evaluate(target.value)
    sinks.named_value(frame, target.attr, value, node)
    sinks.assigned(frame, holder, f".{target.attr}=", value, node)
    if isinstance(holder.shape, ModuleRef):
        before = holder.shape.module.names.get(target.attr, value)
        holder.shape.module.names[target.attr] = settled(join(before, value))
        return
    write_back(frame, target.value, with_attribute(holder, target.attr, value))


def with_attribute(holder: Value, name: str, value: Value) -> Value:
    """As `holder.name = value` leaves it."""
    shape = holder.shape
    if isinstance(shape, Instance):
        return Value(Instance(shape.type, {**shape.attributes, name: value}), holder.taints)
    if isinstance(shape, ClassRef | ModuleRef | Ref):
        return holder
    return Value(shape, united(holder.taints, taints_in(value)))


def _assign_item(frame: Frame, target: ast.Subscript, value: Value, node: ast.AST) -> None:
    holder = frame.evaluate(target.value)
    index = frame.evaluate(target.slice) if not isinstance(target.slice, ast.Slice) else Value()
    name = containers.key_of(index)
    if isinstance(name, str):
        sinks.named_value(frame, name, value, node)
    sinks.named_value(frame, _base_name(target.value), value, node)
    sinks.assigned(frame, holder, "[]", Value(Sequence((index, value))), node, _base_name(target.value))
    if isinstance(holder.shape, Sequence | Table | Instance) or holder.shape is None:
        write_back(frame, target.value, containers.with_item(holder, index, value))


def _base_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def write_back(frame: Frame, place: ast.expr, value: Value) -> None:
    """The object at this place was changed: what leads to it holds the changed one."""
    if isinstance(place, ast.Name):
        frame.change(place.id, value)
    elif isinstance(place, ast.Attribute):
        holder = frame.evaluate(place.value)
        if isinstance(holder.shape, Instance):
            write_back(frame, place.value, with_attribute(holder, place.attr, value))
        elif isinstance(holder.shape, ModuleRef):
            names = holder.shape.module.names
            names[place.attr] = settled(join(names[place.attr], value) if place.attr in names else value)
    elif isinstance(place, ast.Subscript) and not isinstance(place.slice, ast.Slice):
        holder = frame.evaluate(place.value)
        if isinstance(holder.shape, Sequence | Table):
            write_back(frame, place.value, containers.with_item(holder, frame.evaluate(place.slice), value))
