"""Imports and exports, of both kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni.verify.dataflow_javascript import classes, members
from omni.verify.dataflow_javascript.program import FUNCTIONS
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import UNKNOWN, Func, KindRef, Obj, Value, made, string

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import End, Frame


def said(node: Node | None) -> str:
    """What is written between the quotes."""
    return node.text[1:-1] if node is not None and node.kind == "string" else ""


def default_of(module: Value) -> Value:
    """What `import x from` gives: of a CommonJS module all that it exports."""
    shape = module.shape
    if isinstance(shape, Obj):
        return shape.entries.get("default", module)
    return module


def require(frame: Frame, arguments: Node | None) -> Value | None:
    """`require("x")`, `import("x")`; None when it is not written out."""
    given = arguments.children[0] if arguments is not None and arguments.children else None
    if given is None or given.kind != "string":
        return None
    return frame.machine.imported(frame, said(given))


def run_import(frame: Frame, node: Node) -> End:
    by_require = node.child("import_require_clause")
    if by_require is not None:
        frame.declare(by_require.children[0].text, frame.machine.imported(frame, said(by_require.get("source"))))
        return ""
    clause = node.child("import_clause")
    if clause is None:
        frame.machine.imported(frame, said(node.get("source")))
        return ""
    module = frame.machine.imported(frame, said(node.get("source")))
    for child in clause.children:
        if child.kind == "identifier":
            frame.declare(child.text, default_of(module))
        elif child.kind == "namespace_import":
            frame.declare(child.children[0].text, module)
        elif child.kind == "named_imports":
            for each in child.children:
                name = each.get("name")
                if name is not None:
                    value = (
                        default_of(module) if name.text == "default" else members.read(frame, module, name.text, each)
                    )
                    frame.declare((each.get("alias") or name).text, value)
    return ""


def run_export(frame: Frame, node: Node) -> End:
    from omni.verify.dataflow_javascript import statements  # they need each other

    declaration, value, source = node.get("declaration"), node.get("value"), node.get("source")
    default = node.source[node.start : node.start + 200].decode("utf-8", "ignore").split()[1:2] == ["default"]
    if declaration is not None:
        statements.run(frame, declaration)
        for name in _declared(declaration):
            _export(frame, "default" if default else name, frame.scope.find(name) or UNKNOWN, node)
        if default and not _declared(declaration):
            _export(frame, "default", frame.evaluate(declaration), node)
    elif value is not None:
        given = classes.function(frame, value, "default") if value.kind in FUNCTIONS else frame.evaluate(value)
        _export(frame, "default", given, node)
    elif source is not None:
        _pass_on(frame, node, frame.machine.imported(frame, said(source)))
    else:
        for each in _specifiers(node):
            local = each.get("name")
            if local is not None:
                _export(frame, (each.get("alias") or local).text, frame.scope.find(local.text) or UNKNOWN, node)
        single = node.child("identifier")
        if single is not None:  # export = x
            frame.module.exports = frame.scope.find(single.text) or UNKNOWN
            _write_module(frame, frame.module.exports, node)
    return ""


def _pass_on(frame: Frame, node: Node, module: Value) -> None:
    specifiers = _specifiers(node)
    for each in specifiers:
        name = each.get("name")
        if name is not None:
            value = default_of(module) if name.text == "default" else members.read(frame, module, name.text, each)
            _export(frame, (each.get("alias") or name).text, value, node)
    if not specifiers and isinstance(module.shape, Obj):
        namespace = node.child("namespace_export")
        if namespace is not None and namespace.children:
            _export(frame, namespace.children[0].text, module, node)
            return
        for key, value in list(module.shape.entries.items()):
            if key != "default":
                _export(frame, key, value, node)


def _specifiers(node: Node) -> list[Node]:
    clause = node.child("export_clause")
    return [] if clause is None else [each for each in clause.children if each.kind == "export_specifier"]


def _declared(declaration: Node) -> list[str]:
    name = declaration.get("name")
    if name is not None:
        return [name.text]
    patterns = (each.get("name") for each in declaration.children if each.kind == "variable_declarator")
    kinds = {"identifier", "shorthand_property_identifier_pattern"}
    return [each.text for pattern in patterns if pattern is not None for each in pattern.walk() if each.kind in kinds]


def _export(frame: Frame, name: str, value: Value, node: Node) -> None:
    if isinstance(value.shape, Func | KindRef | Obj) or value.shape is not None or value.taints:
        members.write(frame, frame.module.exports, name, value, node)


def _write_module(frame: Frame, value: Value, node: Node) -> None:
    holder = frame.scope.find("module")
    if holder is not None:
        members.write(frame, holder, "exports", value, node)


def run_enum(frame: Frame, node: Node) -> End:
    name, body = node.get("name"), node.get("body")
    entries: list[tuple[str, Value]] = []
    for each in body.children if body is not None else []:
        key = each.get("name") or each
        given = each.get("value")
        entries.append((key.text, frame.evaluate(given) if given is not None else string(key.text)))
    if name is not None:
        frame.declare(name.text, made(entries))
    return ""
