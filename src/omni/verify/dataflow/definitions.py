"""Definitions of functions and classes, and which functions a framework calls with data from outside."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from omni.verify.dataflow import handlers
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.project import Class, Function
from omni.verify.dataflow.summary import Callee
from omni.verify.dataflow.value import ClassRef, Ref, Value

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame

KINDS = {
    "property": "property", "functools.cached_property": "property", "cached_property": "property",
    "staticmethod": "static", "classmethod": "class",
}  # fmt: skip


def function(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """The name stands for the function, as its decorators of the project leave it."""
    decorators = [(each, frame.evaluate(each)) for each in node.decorator_list]
    names = [value.shape.name for _, value in decorators if isinstance(value.shape, Ref)]
    kind = next((KINDS[name] for name in names if name in KINDS), "")
    owner = frame.owner if frame.function is None else None
    made = Function(node.name, node, frame.module, owner, kind)
    nested = frame.function is not None
    callee = Callee(made, None, frame.machine.visible(node, frame.closure, frame.names) if nested else None)
    frame.machine.found(callee)
    handlers.register(frame, callee, decorators)
    value = Value(callee)
    for _, decorator in reversed(decorators):
        if isinstance(decorator.shape, Callee):
            value = frame.machine.call(decorator.shape, Arguments([value]), frame, node)
            if not isinstance(value.shape, Callee):
                value = Value(callee)
    frame.bind(node.name, value)
    if nested:
        _see_itself(frame, value, node.name)
    return True


def _see_itself(frame: Frame, value: Value, name: str) -> None:
    """A nested function may call itself, and those that are defined after it."""
    for each in frame.names.values():
        if isinstance(each.shape, Callee) and isinstance(each.shape.closure, dict):
            each.shape.closure.setdefault(name, value)


def class_(frame: Frame, node: ast.ClassDef) -> bool:
    from omni.verify.dataflow.frame import Frame  # the two make each other

    kind = Class(node.name, node, frame.module, tuple(frame.evaluate(base) for base in node.bases))
    for each in node.decorator_list:
        frame.evaluate(each)
    body = Frame(frame.machine, frame.module, closure={**frame.closure, **frame.names} if frame.function else {})
    body.owner = kind
    body.names = kind.members
    frame.bind(node.name, Value(ClassRef(kind)))
    body.run(node.body)
    kind.members = body.names
    handlers.register_class(frame, kind)
    return True
