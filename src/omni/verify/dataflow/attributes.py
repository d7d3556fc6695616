"""What an attribute of a value is: of an object, a module, a class, or something of a library."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from omni.verify.dataflow import declared
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.model import lookup
from omni.verify.dataflow.summary import Callee
from omni.verify.dataflow.value import (
    UNKNOWN,
    ClassRef,
    Instance,
    ModuleRef,
    Ref,
    Sequence,
    Table,
    Taint,
    Value,
    tainted,
    taints_in,
    united,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame

LONGEST_NAME = 120
"""Signs of a library's name; what is reached by a longer way is not known."""


def attribute(frame: Frame, value: Value, name: str, node: ast.AST) -> Value:
    shape = value.shape
    if isinstance(shape, ModuleRef):
        found = shape.module.names.get(name)
        return frame.machine.imported(f"{shape.module.name}.{name}") if found is None else found
    if isinstance(shape, Instance):
        return _of_instance(frame, value, shape, name, node)
    if isinstance(shape, ClassRef):
        return _of_class(frame, value, shape, name, node)
    if isinstance(shape, Ref):
        return named(frame, value, f"{shape.name}.{name}", node)
    return tainted(taints_in(value)) if isinstance(shape, Sequence | Table) else tainted(value.taints)


def named(frame: Frame, value: Value, name: str, node: ast.AST) -> Value:
    """Something of a library, untrusted if the tables say so."""
    machine = frame.machine
    if machine.project.find(name) is not None or name.rpartition(".")[0] in machine.models.stubs:
        known = machine.imported(name)  # a folder without __init__.py is a package, too
        if not isinstance(known.shape, Ref):
            return known
    name = machine.models.canonical(name)
    found = () if name in machine.fixed.get(frame.function, ()) else source(frame, name, node)
    taints = united(value.taints, found) if found else value.taints
    return Value(Ref(name) if len(name) <= LONGEST_NAME else None, taints)


def source(frame: Frame, name: str, node: ast.AST) -> tuple[Taint, ...]:
    """The taint of what has this name, if it is untrusted."""
    entries = lookup(frame.machine.models.sources, name)
    if not entries:
        return ()
    return (Taint(entries[0].kind, frame.step(node, shown(name))),)


def shown(name: str) -> str:
    """`django.http.HttpRequest().GET` → `request.GET`"""
    parts = name.replace("[]", "").split(".")
    kept = [part for part in parts if not part.startswith("*")]
    short = ".".join(kept[-2:])
    return short.replace("HttpRequest()", "request").replace("Request()", "request")


def _of_instance(frame: Frame, value: Value, shape: Instance, name: str, node: ast.AST) -> Value:
    if name in shape.attributes:
        return _with(shape.attributes[name], value)
    member = shape.type.member(name)
    if member is not None and isinstance(member.shape, Callee):
        return _bound(frame, value, member.shape, node)
    written = shape.type.annotation(name)
    if written is not None:
        return declared.typed(frame.machine, written[1], written[0], value.taints)
    for base in shape.type.outside():
        found = named(frame, value, f"{base}().{name}", node)
        if member is None or found.taints:
            return found
    if member is not None:
        return Value(None if not isinstance(member.shape, Ref | Instance | ClassRef) else member.shape, value.taints)
    return tainted(value.taints)


def _with(value: Value, holder: Value) -> Value:
    return Value(value.shape, united(value.taints, holder.taints)) if holder.taints else value


def _bound(frame: Frame, value: Value, callee: Callee, node: ast.AST) -> Value:
    kind = callee.function.kind
    if kind == "property":
        return frame.machine.call(Callee(callee.function, value, callee.closure), Arguments(), frame, node)
    if kind == "static" or callee.bound is not None:
        return Value(callee)
    if kind == "class" and isinstance(value.shape, Instance):
        return Value(Callee(callee.function, Value(ClassRef(value.shape.type)), callee.closure))
    return Value(Callee(callee.function, value, callee.closure))


def _of_class(frame: Frame, value: Value, shape: ClassRef, name: str, node: ast.AST) -> Value:
    member = shape.type.member(name)
    if member is None:
        base = next(shape.type.outside(), None)
        return UNKNOWN if base is None else named(frame, UNKNOWN, f"{base}.{name}", node)
    if isinstance(member.shape, Callee) and member.shape.function.kind == "class":
        return Value(Callee(member.shape.function, value, member.shape.closure))
    return member


def method(value: Value, name: str) -> Callee | None:
    """A method of an object of the project."""
    if not isinstance(value.shape, Instance):
        return None
    member = value.shape.type.member(name)
    if member is None or not isinstance(member.shape, Callee):
        return None
    return Callee(member.shape.function, value, member.shape.closure)
