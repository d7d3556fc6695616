"""The methods of arrays."""

from __future__ import annotations

from collections.abc import Callable

from omni.verify.dataflow.value import united
from omni.verify.dataflow_javascript import members
from omni.verify.dataflow_javascript.frame import End, Frame
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    REST,
    UNKNOWN,
    Func,
    Native,
    Obj,
    Ref,
    Value,
    array,
    cleared,
    elements,
    join,
    join_all,
    keys,
    string,
    tainted,
    taints_in,
)

TEXT_ONLY = frozenset({"nosql", "object"})
"""What a text can't do, an object can."""


def run(frame: Frame, node: Node, func: Value, *arguments: Value) -> Value:
    """The result of a function that is called perhaps, perhaps often."""
    shape = func.shape
    if isinstance(shape, Native):
        return shape.run(list(arguments))
    if isinstance(shape, Ref):
        from omni.verify.dataflow_javascript.calls import invoke  # they need each other

        return invoke(frame, node, func, UNKNOWN, shape.name.rpartition(".")[2], list(arguments))
    if not isinstance(shape, Func):
        return tainted(united(*(taints_in(each) for each in arguments)))
    found: list[Value] = []

    def way() -> End:
        found.append(frame.machine.call(shape, list(arguments), UNKNOWN, frame, node))
        return ""

    frame.ways(lambda: "", way)
    return join_all(found)


def _map(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    if not arguments:
        return UNKNOWN
    return array((), run(frame, node, arguments[0], elements(receiver), UNKNOWN, receiver))


def _flat_map(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    return array((), elements(elements(_map(frame, node, receiver, arguments))))


def _for_each(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    for each in arguments[:1]:
        for _ in range(2):  # what one round leaves, the next one finds
            run(frame, node, each, elements(receiver), keys(receiver), receiver)
    return UNKNOWN


def _filter(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    _for_each(frame, node, receiver, arguments)
    return array((), elements(receiver))


def _find(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value | None:
    if not arguments or not isinstance(arguments[0].shape, Func):
        return None
    _for_each(frame, node, receiver, arguments)
    return elements(receiver)


def _reduce(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    if not arguments:
        return UNKNOWN
    item = elements(receiver)
    result = arguments[1] if len(arguments) > 1 else item
    for _ in range(2):
        result = join(result, run(frame, node, arguments[0], result, item, UNKNOWN))
    return result


def _joined(_frame: Frame, _node: Node, receiver: Value, arguments: list[Value]) -> Value:
    from omni.verify.dataflow_javascript.expressions import joined_text  # they need each other

    shape = receiver.shape
    between = arguments[0] if arguments else string(",")
    if not isinstance(shape, Obj):
        return cleared(tainted(united(receiver.taints, between.taints)), TEXT_ONLY)
    parts: list[Value] = []
    for each in [*shape.items(), *([shape.entries[REST]] if REST in shape.entries else [])]:
        parts += [between, each]
    if REST in shape.entries:
        parts.append(UNKNOWN)
    return joined_text(parts[1:]) if parts else string("")


def _push(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    holder = node.get("function")
    if receiver.shape is None:
        target = holder.get("object") if holder is not None else None
        if target is not None and target.kind == "identifier" and any(taints_in(each) for each in arguments):
            frame.assign(target.text, array((), join_all([tainted(receiver.taints), *arguments])))
        return UNKNOWN
    place = frame.step(node)
    given = [Value(each.shape, tuple(taint.at(place) for taint in each.taints)) for each in arguments]
    members.add(frame, receiver, given)
    return UNKNOWN


def _unshift(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    for each in arguments:
        members.write(frame, receiver, None, each, node)
    return UNKNOWN


def _same(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    for each in arguments:
        if isinstance(each.shape, Func):
            run(frame, node, each, elements(receiver), elements(receiver))
    return receiver


def _any_element(_frame: Frame, _node: Node, receiver: Value, _arguments: list[Value]) -> Value:
    return elements(receiver)


def _slice(_frame: Frame, _node: Node, receiver: Value, _arguments: list[Value]) -> Value | None:
    return array((), elements(receiver)) if isinstance(receiver.shape, Obj) else None


def _concat(_frame: Frame, _node: Node, receiver: Value, arguments: list[Value]) -> Value | None:
    if not isinstance(receiver.shape, Obj):
        return None
    lists = [each.shape for each in (receiver, *arguments) if isinstance(each.shape, Obj)]
    if all(REST not in each.entries for each in lists):
        own = [each.shape.items() if isinstance(each.shape, Obj) else [each] for each in (receiver, *arguments)]
        return array([item for items in own for item in items])
    parts = [elements(receiver)]
    parts += [elements(each) if isinstance(each.shape, Obj) else each for each in arguments]
    return array((), join_all(parts))


def _ask(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value | None:
    if not arguments or not isinstance(arguments[0].shape, Func):
        return None
    _for_each(frame, node, receiver, arguments)
    return UNKNOWN


METHODS: dict[str, Callable[[Frame, Node, Value, list[Value]], Value | None]] = {
    "map": _map, "flatMap": _flat_map, "forEach": _for_each, "filter": _filter, "find": _find, "findLast": _find,
    "reduce": _reduce, "reduceRight": _reduce, "join": _joined, "push": _push, "unshift": _unshift, "reverse": _same,
    "sort": _same, "flat": _slice, "slice": _slice, "concat": _concat, "pop": _any_element, "shift": _any_element,
    "some": _ask, "every": _ask, "values": _slice, "entries": _slice, "splice": _slice,
}  # fmt: skip
