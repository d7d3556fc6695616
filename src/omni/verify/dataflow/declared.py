"""What an annotation says of a value: that nothing can hide in it, or which class it is of."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from omni.verify.analysis.python import dotted
from omni.verify.dataflow.value import (
    ClassRef,
    Instance,
    ModuleRef,
    Ref,
    Sequence,
    Table,
    Taint,
    Value,
    tainted,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.machine import Machine
    from omni.verify.dataflow.project import Module

LISTS = frozenset({"list", "List", "Sequence", "Iterable", "set", "Set", "frozenset", "tuple", "Tuple", "Collection"})
TABLES = frozenset({"dict", "Dict", "Mapping"})
WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "Mapped"})
PLAIN = frozenset({"str", "bytes", "Any", "object", "dict", "list", "SecretStr", "EmailStr", "AnyUrl", "HttpUrl"})

HOLDERS = frozenset({"pathlib.Path", "typing.Any"})
"""Classes of libraries whose objects hold what they are made from; others are known by their attributes."""


def parsed(node: ast.expr) -> ast.expr:
    """An annotation that is written as a text is read."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
        return _read(node.value) or node
    return node


@lru_cache(maxsize=4096)
def _read(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def resolved(machine: Machine, module: Module, node: ast.expr) -> Value:
    """What the name in an annotation stands for."""
    name = dotted(node)
    first, *rest = name.split(".")
    value = module.names.get(first, Value(Ref(first)))
    for part in rest:
        if isinstance(value.shape, Ref):
            value = Value(Ref(machine.models.canonical(f"{value.shape.name}.{part}")))
        elif isinstance(value.shape, ModuleRef):
            value = value.shape.module.names.get(part, Value(None))
    return value


def typed(machine: Machine, module: Module, node: ast.expr, taints: tuple[Taint, ...], depth: int = 4) -> Value:
    """A value of this type, in which untrusted data can be."""
    node = parsed(node)
    if depth == 0:
        return tainted(taints)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [side for side in (node.left, node.right) if not _is_none(side)]
        found = [typed(machine, module, side, taints, depth - 1) for side in sides]
        if len(found) == 1:
            return found[0]
        return tainted(taints) if any(each.taints for each in found) else Value()
    if isinstance(node, ast.Subscript):
        return _generic(machine, module, node, taints, depth)
    what = resolved(machine, module, node).shape
    if isinstance(what, Ref):
        if what.name in machine.models.harmless_types:
            return Value()
        if what.name.rpartition(".")[2] in PLAIN:
            return tainted(taints)
        return Value(Ref(f"{what.name}()"), taints if what.name in HOLDERS else ())
    if isinstance(what, ClassRef):
        if any(base.rpartition(".")[2] in machine.models.harmless_types for base in what.type.outside()):
            return Value()
        return Value(Instance(what.type, {}), taints)
    return tainted(taints)


def _generic(machine: Machine, module: Module, node: ast.Subscript, taints: tuple[Taint, ...], depth: int) -> Value:
    name = dotted(node.value).rpartition(".")[2]
    inner = node.slice
    elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        return Value()
    if name in WRAPPERS and elements:
        return typed(machine, module, elements[0], taints, depth - 1)
    if name in LISTS and elements:
        return Value(Sequence((), typed(machine, module, elements[0], taints, depth - 1)))
    if name in TABLES and len(elements) == 2:
        return Value(Table({}, typed(machine, module, elements[1], taints, depth - 1)), taints)
    if name == "Union":
        found = [typed(machine, module, each, taints, depth - 1) for each in elements if not _is_none(each)]
        return found[0] if len(found) == 1 else tainted(taints) if any(each.taints for each in found) else Value()
    return typed(machine, module, node.value, taints, depth - 1)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
