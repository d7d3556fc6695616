"""What each kind of expression gives."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from omni.verify.dataflow import attributes, calls, containers, folding, guards
from omni.verify.dataflow.assignment import assign
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.folding import concatenated, opaque, truth
from omni.verify.dataflow.project import Function
from omni.verify.dataflow.summary import Callee
from omni.verify.dataflow.value import (
    NONE,
    UNKNOWN,
    Const,
    Instance,
    Ref,
    Sequence,
    Table,
    Value,
    constant,
    join,
    join_all,
    join_names,
    tainted,
    taints_in,
    united,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame


def _constant(_frame: Frame, node: ast.Constant) -> Value:
    return UNKNOWN if node.value is ... else constant(node.value)


def _name(frame: Frame, node: ast.Name) -> Value:
    return frame.lookup(node.id)


def _attribute(frame: Frame, node: ast.Attribute) -> Value:
    return attributes.attribute(frame, frame.evaluate(node.value), node.attr, node)


def _subscript(frame: Frame, node: ast.Subscript) -> Value:
    container = frame.evaluate(node.value)
    if isinstance(node.slice, ast.Slice):
        ends = [None if each is None else frame.evaluate(each) for each in (node.slice.lower, node.slice.upper)]
        if node.slice.step is None:
            return containers.slice_of(container, ends[0], ends[1])
        return opaque(container)
    index = frame.evaluate(node.slice)
    if isinstance(container.shape, Instance):
        getter = attributes.method(container, "__getitem__")
        if getter is not None:
            return frame.machine.call(getter, Arguments([index]), frame, node)
    if isinstance(container.shape, Ref):
        return attributes.named(frame, container, f"{container.shape.name}[]", node)
    return containers.item(container, index)


def _binary(frame: Frame, node: ast.BinOp) -> Value:
    """Left-deep chains are walked, not recursed into: generated code has hundreds of `+`."""
    chain: list[ast.BinOp] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):
        chain.append(left)
        left = left.left
    value = frame.evaluate(left)
    for each in reversed(chain):
        frame.machine.tick()
        value = operate(each.op, value, frame.evaluate(each.right))
    return value


def operate(kind: ast.operator, left: Value, right: Value) -> Value:
    folded = folding.operate(kind, left, right)
    if folded is not None:
        return folded
    if isinstance(kind, ast.Add):
        if isinstance(left.shape, Sequence) or isinstance(right.shape, Sequence):
            return containers.added(left, right) if isinstance(left.shape, Sequence) else opaque(join(left, right))
        return concatenated([left, right])
    if isinstance(kind, ast.Mod) and left.text is not None:
        return _formatted(left, right)
    if isinstance(kind, ast.BitOr) and isinstance(left.shape, Table):
        return containers.merged(left, [right], {})
    if isinstance(kind, ast.Mult) and isinstance(left.shape, Sequence):
        return Value(Sequence((), containers.element(left)), left.taints)
    if isinstance(kind, ast.Div) and isinstance(left.shape, Ref):  # pathlib
        return Value(left.shape, united(left.taints, taints_in(right)))
    if isinstance(kind, ast.Div):
        return Value(None, united(taints_in(left), taints_in(right)))
    return tainted(united(taints_in(left), taints_in(right)))


NUMERIC = frozenset("diouxXeEfFgG")
"""Kinds of places in a %-template that only a number fits in."""


def _formatted(template: Value, given: Value) -> Value:
    """`"… %s … %(name)s …" % given`, each place with its own value."""
    pieces: list[Value] = []
    places = list(folding.places(template.text or ""))
    shape = given.shape
    alone = sum(kind not in {"", "%"} for *_, kind in places) == 1
    known = isinstance(shape, Sequence) and shape.rest is None
    # In a single place a tuple of several is an error, so it is a list or a set, which stands there whole.
    whole = alone and isinstance(shape, Sequence) and len(shape.items) != 1
    items = list(shape.items) if isinstance(shape, Sequence) and known and not whole else None
    single = given if not isinstance(shape, Sequence) else None
    for before, name, kind in places:
        pieces.append(constant(before))
        if not kind or kind == "%":
            pieces.append(constant(kind))
            continue
        if name:
            value = containers.item(given, constant(name))
        elif items is not None:
            value = items.pop(0) if items else UNKNOWN
        else:
            value = single if single is not None else opaque(given)
        pieces.append(UNKNOWN if kind in NUMERIC else value)
    return concatenated(pieces)


def _joined(frame: Frame, node: ast.JoinedStr) -> Value:
    return concatenated([frame.evaluate(each) for each in node.values])


def _placed(frame: Frame, node: ast.FormattedValue) -> Value:
    value = frame.evaluate(node.value)
    if node.format_spec is None:
        return value if node.conversion in {-1, 115} else opaque(value)
    spec = frame.evaluate(node.format_spec)
    if spec.text and spec.text[-1] in "bcdeEfFgGnoxX%":
        return UNKNOWN
    return tainted(united(taints_in(value), taints_in(spec)))


def _boolean(frame: Frame, node: ast.BoolOp) -> Value:
    """Each operand is looked at with what the ones before it say; what can't be reached is left out."""
    stops = isinstance(node.op, ast.Or)
    before = frame.names
    frame.names = dict(before)
    found: list[Value] = []
    for operand in node.values:
        value = frame.evaluate(operand)
        answer = truth(value)
        last = operand is node.values[-1]
        if last or answer is not (not stops):
            found.append(value)
        if answer is False and not stops:  # whatever came before: if it ends here, it is false
            found = [value]
        if answer is stops:
            break
        guards.refine(frame, operand, not stops)
    frame.names = join_names(before, {name: value for name, value in frame.names.items() if name not in before})
    return join_all(found)


def _unary(frame: Frame, node: ast.UnaryOp) -> Value:
    value = frame.evaluate(node.operand)
    if isinstance(node.op, ast.Not):
        answer = truth(value)
        return UNKNOWN if answer is None else constant(not answer)
    if isinstance(value.shape, Const) and isinstance(value.shape.value, int | float):
        number = value.shape.value
        if isinstance(node.op, ast.USub):
            return constant(-number)
        return constant(~number) if isinstance(node.op, ast.Invert) and isinstance(number, int) else value
    return value


def _compare(frame: Frame, node: ast.Compare) -> Value:
    left = frame.evaluate(node.left)
    answers: list[bool | None] = []
    for kind, each in zip(node.ops, node.comparators, strict=True):
        right = frame.evaluate(each)
        answers.append(folding.compare(kind, left, right))
        left = right
    if False in answers:
        return constant(False)
    return UNKNOWN if None in answers else constant(True)


def _choice(frame: Frame, node: ast.IfExp) -> Value:
    answer = truth(frame.evaluate(node.test))
    found: list[Value] = []
    before = frame.names
    for branch, outcome in ((node.body, True), (node.orelse, False)):
        if answer is (not outcome):
            continue
        frame.names = dict(before)
        guards.refine(frame, node.test, outcome)
        found.append(frame.evaluate(branch))
    frame.names = before
    return join_all(found)


def _sequence(frame: Frame, node: ast.List | ast.Tuple | ast.Set) -> Value:
    found = Value(Sequence())
    plain: list[Value] = []
    for each in node.elts:
        if isinstance(each, ast.Starred):
            found = containers.added(containers.added(found, Value(Sequence(tuple(plain)))), frame.evaluate(each.value))
            plain = []
        else:
            plain.append(frame.evaluate(each))
    return containers.added(found, Value(Sequence(tuple(plain)))) if found.shape != Sequence() else _cut(plain)


def _cut(items: list[Value]) -> Value:
    """Very long ones are joined, by the hundred: they are data."""
    if len(items) <= 256:
        return Value(Sequence(tuple(items)))
    return Value(Sequence(tuple(items[:64]), join_all(items[64:])))


def _dictionary(frame: Frame, node: ast.Dict) -> Value:
    table = Value(Table({}))
    known: dict[object, Value] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        given = frame.evaluate(value)
        name = ... if key is None else containers.key_of(frame.evaluate(key))
        if key is not None and name is not ...:
            known[name] = given
            continue
        table = containers.merged(table, [Value(Table(known))], {})
        known = {}
        table = (
            containers.merged(table, [given], {})
            if key is None
            else containers.with_item(table, frame.evaluate(key), given)
        )
    return containers.merged(table, [Value(Table(known))], {})


def _comprehension(frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    before = frame.names
    frame.names = dict(before)
    try:
        for generator in node.generators:
            assign(frame, generator.target, containers.element(iterated(frame, generator.iter)), node)
            for condition in generator.ifs:
                frame.evaluate(condition)
                guards.refine(frame, condition, True)
        if isinstance(node, ast.DictComp):
            key, value = frame.evaluate(node.key), frame.evaluate(node.value)
            return Value(Table({}, value), taints_in(key))
        return Value(Sequence((), frame.evaluate(node.elt)))
    finally:
        frame.names = before


def iterated(frame: Frame, node: ast.expr) -> Value:
    """What is looped over; an object's own iterator is run."""
    value = frame.evaluate(node)
    getter = attributes.method(value, "__iter__")
    return frame.machine.call(getter, Arguments(), frame, node) if getter is not None else value


def _lambda(frame: Frame, node: ast.Lambda) -> Value:
    function = Function("lambda", node, frame.module, frame.owner)
    return Value(Callee(function, None, frame.machine.visible(node, frame.closure, frame.names)))


def _walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    value = frame.evaluate(node.value)
    assign(frame, node.target, value, node)
    return value


def _await(frame: Frame, node: ast.Await) -> Value:
    return frame.evaluate(node.value)


def _yield(frame: Frame, node: ast.Yield) -> Value:
    frame.yielded.append(NONE if node.value is None else frame.evaluate(node.value))
    return UNKNOWN


def _yield_from(frame: Frame, node: ast.YieldFrom) -> Value:
    frame.yielded.append(containers.element(frame.evaluate(node.value)))
    return UNKNOWN


def _starred(frame: Frame, node: ast.Starred) -> Value:
    return frame.evaluate(node.value)


HANDLERS: Mapping[type[ast.expr], Callable[..., Value]] = {
    ast.Attribute: _attribute,
    ast.Await: _await,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: calls.call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.Dict: _dictionary,
    ast.DictComp: _comprehension,
    ast.FormattedValue: _placed,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _choice,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.List: _sequence,
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Set: _sequence,
    ast.SetComp: _comprehension,
    ast.Starred: _starred,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence,
    ast.UnaryOp: _unary,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
}
