"""Taking values apart: parameters, destructuring, defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni.verify.dataflow_javascript import members, sinks
from omni.verify.dataflow_javascript.frame import shown
from omni.verify.dataflow_javascript.program import Code, parameter_name, pattern_of
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    UNKNOWN,
    Const,
    Func,
    Obj,
    Value,
    array,
    is_nothing,
    join,
    made,
    ref,
    tainted,
    taints_in,
)

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame
    from omni.verify.dataflow_javascript.machine import Machine

HARMLESS_TYPES = frozenset({"number", "boolean", "bigint", "Date"})


def bind(frame: Frame, code: Code, arguments: list[Value]) -> None:
    """Give a function's parameters their values."""
    given = arguments[:]
    for index, parameter in enumerate(code.parameters):
        pattern = pattern_of(parameter)
        default = parameter.get("value")
        if pattern.kind == "rest_pattern":
            take_apart(frame, pattern.children[0], array(given[index:]), declare=True)
            break
        value = given[index] if index < len(given) else None
        if value is None or (default is not None and is_nothing(value)):
            value = frame.evaluate(default) if default is not None else UNKNOWN
        value = annotated(frame, parameter, value)
        if frame.code is not None and parameter.child("accessibility_modifier") is not None:
            members.write(frame, frame.this, parameter_name(parameter), value, parameter)  # a field of the class
        take_apart(frame, pattern, value, declare=True, step=False)


def annotated(frame: Frame, node: Node, value: Value) -> Value:
    """What is said to be a number holds no text."""
    kind = type_name(node)
    if kind in HARMLESS_TYPES:
        return Value(value.shape) if not isinstance(value.shape, Obj) else UNKNOWN
    if value.shape is None and not value.taints and kind in frame.machine.models.types:
        return ref(frame.machine.models.types[kind])
    return value


def type_name(node: Node) -> str:
    annotation = node.get("type")
    if annotation is None or not annotation.children:
        return ""
    inner = annotation.children[0]
    named = inner.get("name") if inner.kind == "generic_type" else inner
    return (named or inner).text


def unknown_argument(machine: Machine, parameter: Node, path: str) -> Value:
    """What a parameter is when nothing is known of the call: its annotation or its decorator may tell."""
    for child in parameter.children:
        if child.kind == "decorator" and child.children:
            called = child.children[0]
            name = (called.get("function") or called).text.rpartition(".")[2]
            kind = machine.models.decorators.get(name)
            if kind is not None:
                return _decorated(machine, called, kind, parameter, path)
    kind = machine.models.types.get(type_name(parameter), "")
    return ref(kind) if kind else UNKNOWN


def _decorated(machine: Machine, called: Node, kind: str, parameter: Node, path: str) -> Value:
    given = called.get("arguments")
    said = given.text if given is not None else ""
    if any(pipe in said for pipe in ("ParseInt", "ParseUUID", "ParseBool", "ParseEnum", "ParseFloat")):
        return UNKNOWN
    return ref(kind, members.source_taints(machine, kind, path, parameter.line, shown(parameter)))


def take_apart(
    frame: Frame, pattern: Node, value: Value, *, declare: bool = False, whole: bool = False, step: bool = True
) -> None:
    """Bind, or assign to, each name of a pattern."""
    kind = pattern.kind
    if kind in {"identifier", "shorthand_property_identifier_pattern", "type_identifier"}:
        _name(frame, pattern, value, declare, whole, step)
    elif kind == "object_pattern":
        _object(frame, pattern, value, declare, whole)
    elif kind == "array_pattern":
        _array(frame, pattern, value, declare, whole)
    elif kind in {"assignment_pattern", "object_assignment_pattern"}:
        left, default = pattern.get("left"), pattern.get("right")
        if is_nothing(value):
            value = frame.evaluate(default)
        elif default is not None and value.shape is None:
            value = join(frame.evaluate(default), value)
        if left is not None:
            take_apart(frame, left, value, declare=declare, whole=whole)
    elif kind in {"member_expression", "subscript_expression"}:
        members.assign(frame, pattern, value)
    elif (kind == "rest_pattern" and pattern.children) or (
        kind in {"non_null_expression", "parenthesized_expression", "as_expression"} and pattern.children
    ):
        take_apart(frame, pattern.children[0], value, declare=declare, whole=whole)


def _name(frame: Frame, node: Node, value: Value, declare: bool, whole: bool, step: bool) -> None:
    name = node.text
    if isinstance(value.shape, Func) and not value.shape.code.name:
        value.shape.code.name = name
    sinks.named_value(frame, name, value, node)
    if value.taints and step:
        place = frame.step(node, name)
        value = Value(value.shape, tuple(taint.at(place) for taint in value.taints))
    if declare:
        frame.declare(name, value, whole=whole)
    else:
        frame.assign(name, value)
        if frame.scope.holder(name) is None or name == "location":
            sinks.assigned(frame, ref(name), "", value, node)


def _object(frame: Frame, pattern: Node, value: Value, declare: bool, whole: bool) -> None:
    taken: set[str] = set()
    for child in pattern.children:
        if child.kind == "rest_pattern":
            if child.children:
                take_apart(frame, child.children[0], _without(value, taken), declare=declare, whole=whole)
            continue
        name_node: Node | None = child
        target: Node | None = child
        if child.kind == "pair_pattern":
            name_node, target = child.get("key"), child.get("value")
        elif child.kind == "object_assignment_pattern":
            name_node = child.get("left")
        if name_node is None or target is None:
            continue
        name = members.key_text(frame, name_node)
        if name is None:
            inner = tainted(taints_in(value))
        else:
            taken.add(name)
            inner = members.read(frame, value, name, child)
        take_apart(frame, target, inner, declare=declare, whole=whole)


def _without(value: Value, taken: set[str]) -> Value:
    shape = value.shape
    if isinstance(shape, Obj):
        return Value(made((key, each) for key, each in shape.entries.items() if key not in taken).shape, value.taints)
    return Value(None if isinstance(shape, Const) else shape, value.taints)


def _array(frame: Frame, pattern: Node, value: Value, declare: bool, whole: bool) -> None:
    text = " ".join(pattern.text.split())[1:]
    index = 0
    while text.lstrip().startswith(","):  # holes have no nodes
        text = text.lstrip()[1:]
        index += 1
    previous: Node | None = None
    for child in pattern.children:
        if previous is not None:
            between = child.source[previous.end : child.start]
            index += max(between.count(b","), 1)
        if child.kind == "rest_pattern":
            rest = array(value.shape.items()[index:]) if isinstance(value.shape, Obj) else tainted(value.taints)
            take_apart(frame, child.children[0], rest, declare=declare, whole=whole)
        else:
            take_apart(frame, child, members.read(frame, value, str(index), child), declare=declare, whole=whole)
        previous = child
