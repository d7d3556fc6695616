"""Which functions a framework calls, with what: handlers of routes, methods of views, commands, Lambda functions."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from omni.verify.analysis.python import text_of
from omni.verify.dataflow import binding, declared
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.model import Handlers
from omni.verify.dataflow.project import Class, FunctionNode
from omni.verify.dataflow.summary import Callee
from omni.verify.dataflow.value import (
    UNKNOWN,
    Instance,
    Ref,
    Sequence,
    Taint,
    Value,
    tainted,
    transform,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame

NUMBER = frozenset({"int", "float", "uuid"})
"""Converters in the path of a Flask or Django route."""


def register(frame: Frame, callee: Callee, decorators: list[tuple[ast.expr, Value]]) -> None:
    """Note the function if a framework calls it."""
    node = callee.function.node
    if isinstance(node, ast.Lambda):
        return
    for each in frame.machine.models.handlers:
        for written, value in decorators:
            if isinstance(written, ast.Call) and _decorates(frame, each, written, value):
                _note(frame, each, callee, written)
                return
        if _looks_so(frame, each, callee):
            _note(frame, each, callee, None)
            return


def _decorates(frame: Frame, handlers: Handlers, written: ast.Call, value: Value) -> bool:
    name = ""
    if isinstance(value.shape, Ref):
        name = value.shape.name.removesuffix("()")
    if name in handlers.decorators:
        return True
    if not isinstance(written.func, ast.Attribute) or f"*.{written.func.attr}" not in handlers.decorators:
        return False
    return uses(frame, handlers.framework) and not (
        isinstance(value.shape, Ref) and name.split(".")[0] not in {handlers.framework, "", name}
    )


def uses(frame: Frame, framework: str) -> bool:
    """Whether the module imports the framework."""
    return not framework or framework in frame.machine.imports(frame.module)


def _looks_so(frame: Frame, handlers: Handlers, callee: Callee) -> bool:
    """By the names or types of its first parameters, of a function at the top of a module."""
    if not handlers.first or frame.function is not None or frame.owner is not None:
        return False
    given = callee.function.parameters
    if not given or given[0].arg not in handlers.first or not uses(frame, handlers.framework):
        return False
    return not handlers.second or (len(given) > 1 and given[1].arg in handlers.second)


def register_added(frame: Frame, name: str, arguments: Arguments) -> None:
    """`path("users/<name>/", views.user)`: note the function that is given."""
    adders = frame.machine.models.adders
    handlers = adders.get(name) or adders.get(f"*.{name.rpartition('.')[2]}")
    if handlers is None or handlers.added >= len(arguments.positional):
        return
    given = arguments.positional[handlers.added]
    if isinstance(given.shape, Callee) and not isinstance(given.shape.function.node, ast.Lambda):
        path = arguments.positional[0].text if handlers.added else None
        _note(frame, handlers, given.shape, None, path or "")


def register_class(frame: Frame, kind: Class) -> None:
    """Note the methods that a framework calls."""
    bases = set(kind.outside())
    if not bases:
        return
    for each in frame.machine.models.handlers:
        if not bases & set(each.bases):
            continue
        for name in each.methods:
            member = kind.members.get(name)
            if member is not None and isinstance(member.shape, Callee):
                bound = Callee(member.shape.function, Value(Instance(kind, {})), member.shape.closure)
                _note(frame, each, bound, None)


def _note(frame: Frame, handlers: Handlers, callee: Callee, written: ast.Call | None, path: str = "") -> None:
    machine, function = frame.machine, callee.function
    if handlers.page and not _other_page(written):
        machine.pages.add(function)
    machine.handlers[function] = callee
    if handlers.fixed and _written_out(function.node):
        machine.fixed[function] = handlers.fixed
    names = binding.names(function)
    ordinary = [*function.parameters, *function.node.args.kwonlyargs]
    converters = _converters(path or (text_of(written.args[0]) if written is not None and written.args else None) or "")
    values: dict[str, Value] = {}
    own = callee.bound
    if own is None and function.owner is not None and not function.kind:  # a route of a class of routes
        own = Value(Instance(function.owner, {}))
    for index, parameter in enumerate(ordinary):
        if index == 0 and own is not None:
            values[parameter.arg] = own
            continue
        first = index == (0 if own is None else 1)
        if first and handlers.request:
            values[parameter.arg] = Value(Ref(handlers.request))
        elif converters.get(parameter.arg) in NUMBER or (handlers.parameters == "first" and not first):
            values[parameter.arg] = UNKNOWN
        else:
            given = _parameter(frame, handlers, callee, parameter)
            if converters.get(parameter.arg, "path") != "path":  # a part of a path has no slash in it
                given = transform(given, lambda taints: tuple(taint.without("path") for taint in taints))
            values[parameter.arg] = given
    extra = function.node.args.vararg, function.node.args.kwarg
    for each in extra:
        if each is not None:
            loose = tainted((_taint(frame, handlers, each),)) if handlers.parameters in {"all", "rest"} else UNKNOWN
            values[each.arg] = Value(Sequence((), loose)) if each is extra[0] else loose
    machine.arguments[function] = tuple(values[name] for name in names)


def _taint(frame: Frame, handlers: Handlers, parameter: ast.arg) -> Taint:
    return Taint(handlers.kind, frame.step(parameter, f"parameter {parameter.arg}"))


def _parameter(frame: Frame, handlers: Handlers, callee: Callee, parameter: ast.arg) -> Value:
    if handlers.parameters == "none":
        return UNKNOWN
    taint = _taint(frame, handlers, parameter)
    default = _default(callee, parameter.arg)
    if handlers.parameters == "typed" and isinstance(default, ast.Call):
        name = frame.evaluate(default.func).shape
        if isinstance(name, Ref) and name.name.rpartition(".")[2] in {"Depends", "Security"}:
            return _dependency(frame, handlers, default)
    if parameter.annotation is None:
        return tainted((taint,))
    annotation = declared.parsed(parameter.annotation)
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        for each in annotation.slice.elts[1:]:
            if (
                isinstance(each, ast.Call)
                and isinstance(each.func, ast.Name)
                and each.func.id in {"Depends", "Security"}
            ):
                return _dependency(frame, handlers, each)
    value = declared.typed(frame.machine, frame.module, parameter.annotation, (taint,))
    if isinstance(value.shape, Instance) and handlers.parameters == "typed" and not _is_data(value.shape.type):
        return Value(value.shape)
    return value


def _is_data(kind: Class) -> bool:
    """A model of what is sent: it is made from pydantic's, or has annotated fields."""
    return bool(kind.fields) or any(
        base.rpartition(".")[2] in {"BaseModel", "SQLModel", "TypedDict"} for base in kind.outside()
    )


def _dependency(frame: Frame, handlers: Handlers, node: ast.Call) -> Value:
    """`Depends(f)`: f is called as a handler is, and gives the value."""
    if not node.args:
        return UNKNOWN
    value = frame.evaluate(node.args[0])
    if not isinstance(value.shape, Callee):
        return UNKNOWN
    function = value.shape.function
    if function not in frame.machine.arguments:
        frame.machine.arguments[function] = tuple(UNKNOWN for _ in binding.names(function))  # it may depend on itself
        _note(frame, handlers.model_copy(update={"page": False}), value.shape, None)
    result = frame.machine.run_on(value.shape, frame.machine.arguments[function], frame, node)
    if isinstance(result.shape, Sequence) and function.generator:
        return result.shape.rest or UNKNOWN
    return result


def _default(callee: Callee, name: str) -> ast.expr | None:
    return dict(binding.defaults(callee.function)).get(name)


def _converters(path: str) -> dict[str, str]:
    """The parameters in the path of a route, each with what it says of them.

    `/users/<int:key>`, `/users/{key:int}` → `{"key": "int"}`; `str` where it says nothing.
    """
    found: dict[str, str] = {}
    for part in re.findall(r"<([^<>]*)>", path):
        converter, colon, name = part.rpartition(":")
        found[name] = converter.split("(")[0] if colon else "str"
    for part in re.findall(r"\{([^{}]*)\}", path):
        name, colon, converter = part.partition(":")
        found[name] = converter if colon else "str"
    return found


def _written_out(node: FunctionNode) -> bool:
    """Whether no part of the paths of its routes varies."""
    if isinstance(node, ast.Lambda):
        return False
    routes = [each for each in node.decorator_list if isinstance(each, ast.Call) and each.args]
    paths = [text_of(each.args[0]) for each in routes]
    return bool(paths) and all(path is not None and "<" not in path for path in paths)


def _other_page(written: ast.Call | None) -> bool:
    """`response_class=PlainTextResponse`"""
    if written is None:
        return False
    return any(each.arg == "response_class" and "HTML" not in ast.unparse(each.value) for each in written.keywords)
