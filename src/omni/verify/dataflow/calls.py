"""Calls: of functions and classes of the project, of methods of containers and texts, and of libraries."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from omni.verify.dataflow import attributes, containers, folding, library
from omni.verify.dataflow.assignment import write_back
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.summary import Callee
from omni.verify.dataflow.value import (
    ClassRef,
    Const,
    Instance,
    Ref,
    Sequence,
    Table,
    Text,
    Value,
    constant,
    tainted,
    taints_in,
    united,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame


def call(frame: Frame, node: ast.Call) -> Value:
    if isinstance(node.func, ast.Attribute):
        if _is_super(node.func.value):
            return _call_parent(frame, node, node.func.attr)
        receiver = frame.evaluate(node.func.value)
        arguments = evaluated(frame, node)
        return call_method(frame, node, node.func, receiver, arguments)
    function = frame.evaluate(node.func)
    arguments = evaluated(frame, node)
    return call_value(frame, node, function, arguments)


def evaluated(frame: Frame, node: ast.Call) -> Arguments:
    found = Arguments()
    for each in node.args:
        value = frame.evaluate(each)
        if not isinstance(each, ast.Starred):
            (found.rest or found.positional).append(value)
        elif isinstance(value.shape, Sequence) and value.shape.rest is None and not found.rest:
            found.positional += value.shape.items
        else:
            found.rest.append(containers.element(value))
    for keyword in node.keywords:
        value = frame.evaluate(keyword.value)
        if keyword.arg is not None:
            found.named[keyword.arg] = value
        elif isinstance(value.shape, Table) and value.shape.rest is None:
            found.named |= {str(key): each for key, each in value.shape.entries.items()}
        else:
            found.rest.append(containers.item(value, Value()))
    return found


def call_value(frame: Frame, node: ast.Call, function: Value, arguments: Arguments) -> Value:
    shape = function.shape
    if isinstance(shape, Callee):
        result = frame.machine.call(shape, arguments, frame, node)
        _write_arguments(frame, node, arguments, 0 if shape.bound is None else 1)
        return result
    if isinstance(shape, ClassRef):
        result = frame.machine.instantiate(shape.type, arguments, frame, node)
        _write_arguments(frame, node, arguments, 1)
        return result
    if isinstance(shape, Ref):
        return library.call_named(frame, node, shape.name, function, arguments)
    caller = attributes.method(function, "__call__")
    if caller is not None:
        return frame.machine.call(caller, arguments, frame, node)
    return tainted(united(function.taints, *(taints_in(each) for each in arguments.all)))


def call_method(frame: Frame, node: ast.Call, place: ast.Attribute, receiver: Value, arguments: Arguments) -> Value:
    name, shape = place.attr, receiver.shape
    outcome = None
    if isinstance(shape, Sequence):
        outcome = containers.call_list(receiver, name, arguments.all)
    elif isinstance(shape, Table):
        outcome = containers.call_table(receiver, name, [*arguments.positional, *arguments.rest], arguments.named)
    elif isinstance(shape, Const | Text) or shape is None:
        found = call_text(receiver, name, arguments)
        if found is not None:
            return found
    if outcome is not None:
        if outcome[1] is not receiver:
            write_back(frame, place.value, outcome[1])
        return outcome[0]
    function = attributes.attribute(frame, receiver, name, place)
    if isinstance(function.shape, Callee):
        result = frame.machine.call(function.shape, arguments, frame, node)
        if 0 in arguments.after and function.shape.bound is not None and isinstance(shape, Instance):
            write_back(frame, place.value, arguments.after.pop(0))
        _write_arguments(frame, node, arguments, 0 if function.shape.bound is None else 1)
        return result
    if isinstance(function.shape, ClassRef):
        return call_value(frame, node, function, arguments)
    if isinstance(function.shape, Ref):
        return library.call_named(frame, node, function.shape.name, receiver, arguments, place.value)
    return library.call_named(frame, node, f"*.{name}", receiver, arguments, place.value)


def _write_arguments(frame: Frame, node: ast.Call, arguments: Arguments, skipped: int) -> None:
    """What the function changed in place is changed here."""
    if any(isinstance(each, ast.Starred) for each in node.args):
        return
    for index, value in arguments.after.items():
        if 0 <= index - skipped < len(node.args):
            write_back(frame, node.args[index - skipped], value)


def call_text(receiver: Value, name: str, arguments: Arguments) -> Value | None:
    """A method of a text, whose result is known in full or by what it is made from; None for any other."""
    if isinstance(receiver.shape, Const) and isinstance(receiver.shape.value, str | bytes) and not arguments.named:
        found = folding.call_method(receiver.shape.value, name, arguments.positional)
        if found is not None and not arguments.rest:
            return Value(found.shape, united(receiver.taints, *(each.taints for each in arguments.positional)))
    text = receiver.text
    if name == "format" and text is not None:
        return _format(text, arguments)
    if name == "join" and text is not None and len(arguments.positional) == 1:
        return _join(text, arguments.positional[0])
    if name in folding.LISTS and (isinstance(receiver.shape, Text) or receiver.taints):
        return Value(Sequence((), tainted(receiver.taints)))
    return None


def _format(template: str, arguments: Arguments) -> Value:
    """`"{} {name}".format(…)`"""
    pieces: list[Value] = []
    count = 0
    for before, name, spec in folding.fields(template):
        pieces.append(constant(before))
        if name is None:
            continue
        first = name.split(".")[0].split("[")[0]
        number = count if first == "" else int(first) if first.isdigit() else -1
        count += first == ""
        if 0 <= number < len(arguments.positional):
            value = arguments.positional[number]
        elif first in arguments.named:
            value = arguments.named[first]
        else:
            value = tainted(united(*(taints_in(each) for each in arguments.rest)))
        pieces.append(
            value
            if spec == "" and first == name
            else Value()
            if spec[-1:] in "dfxn" and spec
            else folding.opaque(value)
        )
    return folding.concatenated(pieces)


def _join(separator: str, given: Value) -> Value:
    if isinstance(given.shape, Sequence) and given.shape.rest is None and not given.taints:
        pieces: list[Value] = []
        for each in given.shape.items:
            pieces += [constant(separator), each] if pieces else [each]
        return folding.concatenated(pieces)
    return tainted(taints_in(given))


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _call_parent(frame: Frame, node: ast.Call, name: str) -> Value:
    """`super().name(…)`: the next class that has the method."""
    arguments = evaluated(frame, node)
    function = frame.function
    if function is None or frame.owner is None or not function.parameters:
        return tainted(united(*(taints_in(each) for each in arguments.all)))
    own = function.parameters[0].arg
    for parent in list(frame.owner.lineage())[1:]:
        member = parent.members.get(name)
        if member is not None and isinstance(member.shape, Callee):
            result = frame.machine.call(Callee(member.shape.function, frame.lookup(own)), arguments, frame, node)
            if 0 in arguments.after:
                frame.change(own, arguments.after[0])
            return result
    for base in frame.owner.outside():
        return library.call_named(frame, node, f"{base}().{name}", frame.lookup(own), arguments)
    return tainted(united(*(taints_in(each) for each in arguments.all)))
