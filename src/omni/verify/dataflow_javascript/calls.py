"""Calls: of functions of the program, of libraries, of what is not known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from omni.verify.dataflow.model import lookup
from omni.verify.dataflow.value import Taint, united
from omni.verify.dataflow_javascript import classes, handlers, library, members, modules, sinks
from omni.verify.dataflow_javascript.frame import End, Frame, shown
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    REST,
    UNKNOWN,
    Func,
    KindRef,
    Native,
    Obj,
    Ref,
    Value,
    cleared,
    join,
    made,
    ref,
    tainted,
    taints_in,
)

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.model import Sanitizer

UNDONE = frozenset({"xss", "path", "ssrf", "redirect", "header", "log", "sql", "command", "nosql", "prototype"})


def call(frame: Frame, node: Node) -> Value:
    function, given = node.get("function"), node.get("arguments")
    if function is None or given is None:
        return UNKNOWN
    if given.kind == "template_string":
        return _tagged(frame, node, function, given)
    if function.kind == "import" or (function.kind == "identifier" and function.text == "require"):
        module = modules.require(frame, given)
        if module is not None:
            return module
    if function.kind == "super":
        return _super(frame, node, given)
    receiver, target, method = callee(frame, function)
    return invoke(frame, node, target, receiver, method, evaluated(frame, given))


def new(frame: Frame, node: Node) -> Value:
    constructor, given = node.get("constructor"), node.get("arguments")
    if constructor is None:
        return UNKNOWN
    _, target, name = callee(frame, constructor)
    arguments = evaluated(frame, given)
    shape = target.shape
    if isinstance(shape, KindRef):
        return classes.construct(frame, shape.type, arguments, node)
    if isinstance(shape, Func):
        prototype = shape.code.statics.get("prototype", UNKNOWN).shape
        this = made(prototype.entries.items() if isinstance(prototype, Obj) else (), kind="instance")
        result = frame.machine.call(shape, arguments, this, frame, node)
        return join(this, result) if isinstance(result.shape, Obj) else this
    made_here = library.construct(frame, node, shape.name if isinstance(shape, Ref) else name, arguments)
    if made_here is not None:
        sinks.check_call(frame, node, name, UNKNOWN, arguments)
        return made_here
    return invoke(frame, node, target, UNKNOWN, name, arguments)


def callee(frame: Frame, function: Node) -> tuple[Value, Value, str]:
    """The object whose method it is, the function, its name."""
    while function.kind in {"parenthesized_expression", "non_null_expression", "as_expression"} and function.children:
        function = function.children[0]
    holder = function.get("object")
    if function.kind == "member_expression" and holder is not None and holder.kind != "super":
        named = function.get("property")
        method = named.text if named is not None else ""
        receiver = frame.evaluate(holder)
        return receiver, members.read(frame, receiver, method, function), method
    if function.kind == "subscript_expression" and holder is not None:
        receiver = frame.evaluate(holder)
        key = frame.evaluate(function.get("index"))
        target = members.item(frame, receiver, key, function)
        return receiver, target, members.key_of(key) or ""
    target = frame.evaluate(function)
    receiver = frame.this if holder is not None else UNKNOWN
    return receiver, target, function.text if function.kind == "identifier" else ""


def evaluated(frame: Frame, given: Node | None) -> list[Value]:
    found: list[Value] = []
    for child in given.children if given is not None else []:
        value = frame.evaluate(child)
        if child.kind == "spread_element":
            shape = value.shape
            if isinstance(shape, Obj):
                found += [*shape.items(), *([shape.entries[REST]] if REST in shape.entries else [])]
            else:
                found.append(tainted(value.taints))
        else:
            found.append(value)
    return found


def invoke(frame: Frame, node: Node, target: Value, receiver: Value, method: str, arguments: list[Value]) -> Value:
    """The result of the call, whoever is called."""
    shape = target.shape
    if isinstance(shape, Func):
        result = frame.machine.call(shape, arguments, receiver, frame, node)
        if result.taints and frame.machine.models.escapes.search(shape.code.name):
            return Value(result.shape, sanitised_by_name(shape.code.name, result.taints))
        return result
    if isinstance(shape, Native):
        return shape.run(arguments)
    if isinstance(shape, KindRef):
        return UNKNOWN
    certain = shape.name if isinstance(shape, Ref) else ""
    name = certain or f"*.{method}"
    sinks.check_call(frame, node, name, receiver, arguments)
    if handlers.register(frame, name, arguments):
        return ref(f"{name}()") if certain else receiver
    known = library.call(frame, node, name, method, receiver, arguments)
    if known is not None:
        return known
    _call_back(frame, node, name, receiver, arguments)
    return _result(frame, node, name, certain, method, receiver, arguments)


def _call_back(frame: Frame, node: Node, name: str, receiver: Value, arguments: list[Value]) -> None:
    """What is not known may call the functions that it is given, with what comes from it."""
    machine = frame.machine
    taints = members.source_taints(machine, f"{name}()", frame.module.path, node.line, shown(node))
    if isinstance(receiver.shape, Ref):
        taints = united(taints, receiver.taints)
    for given in arguments:
        func = given.shape
        if not isinstance(func, Func):
            continue
        known = handlers.unknown_arguments(machine, func)
        values = [value if value.shape is not None else tainted(taints) for value in known]

        def way(func: Func, values: list[Value]) -> End:
            machine.call(func, values, UNKNOWN, frame, node)
            return ""

        frame.ways(lambda: "", partial(way, func, values))


def _result(
    frame: Frame, node: Node, name: str, certain: str, method: str, receiver: Value, arguments: list[Value]
) -> Value:
    models = frame.machine.models
    full = f"{certain}()" if certain else ""
    given = members.source_taints(frame.machine, full, frame.module.path, node.line, shown(node)) if full else ()
    anyone = f"*.{method}"
    if name in models.harmless or (name not in models.sanitizers and anyone in models.harmless):
        return ref(full, given) if full else tainted(given)
    if name in models.same and arguments:
        return arguments[0]
    brought = united(*(taints_in(each) for each in arguments))
    found = lookup(models.sanitizers, name)
    if found:
        held = sanitised(found, united(receiver.taints, brought))
        return ref(full, united(given, held)) if full else tainted(held)
    if models.escapes.search(method):
        brought = sanitised_by_name(method, brought)
    if models.lookups.search(method) and not given and name not in models.sources:
        brought = ()
    if isinstance(receiver.shape, Obj) and method in models.mutators:
        for each in arguments:
            members.write(frame, receiver, None, each, node)
    taints = united(given, receiver.taints, brought)
    return ref(full, taints) if full else tainted(taints)


def sanitised(found: tuple[Sanitizer, ...], taints: tuple[Taint, ...]) -> tuple[Taint, ...]:
    """What is left of the danger."""
    for each in found:
        if each.undoes:
            taints = tuple(Taint(taint.kind, taint.origin, taint.cleared - UNDONE, taint.steps) for taint in taints)
        if "*" in each.clears:
            return ()
        taints = tuple(taint.without(*each.clears) for taint in taints)
    return taints


def sanitised_by_name(method: str, taints: tuple[Taint, ...]) -> tuple[Taint, ...]:
    """`escapeHtml`, `sanitize`, `encodePath`: of a function that can't be seen its name is believed."""
    clears = {"xss", "nosql", "log", "header"}
    low = method.lower()
    clears |= {
        each
        for word, each in (
            ("path", "path"),
            ("file", "path"),
            ("shell", "command"),
            ("sql", "sql"),
            ("url", "redirect"),
            ("regex", "regex"),
        )
        if word in low
    }
    if low in {"escape", "sanitize", "clean"}:
        clears |= {"path", "sql", "command", "regex"}
    if "regexp" in low:
        clears.add("regex")
    return tuple(taint.without(*clears) for taint in taints)


def _tagged(frame: Frame, node: Node, function: Node, given: Node) -> Value:
    """A template that a function puts together: of one that is not known, the parts stay apart from the text."""
    receiver, target, method = callee(frame, function)
    text = frame.evaluate(given)
    values = [
        frame.evaluate(child.children[0])
        for child in given.children
        if child.kind == "template_substitution" and child.children
    ]
    if isinstance(target.shape, Func):
        return frame.machine.call(target.shape, [UNKNOWN, *values], receiver, frame, node)
    name = target.shape.name if isinstance(target.shape, Ref) else f"*.{method}"
    if name.endswith(("raw", "html", "css")) or name in frame.machine.models.same:
        sinks.check_call(frame, node, name, receiver, [text])
        return text if not name.endswith(("html", "css")) else cleared(text, frozenset({"xss"}))
    return UNKNOWN


def _super(frame: Frame, node: Node, given: Node) -> Value:
    arguments = evaluated(frame, given)
    base = list(frame.home.lineage())[1:2] if frame.home is not None else []
    init = base[0].method("constructor") if base else None
    if init is not None:
        frame.machine.call(init, arguments, frame.this, frame, node)
    return UNKNOWN
