"""Functions that a framework calls with data from outside: by how they are registered, exported, declared or named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from omni.verify.dataflow_javascript import members, patterns
from omni.verify.dataflow_javascript.model import Handlers
from omni.verify.dataflow_javascript.program import parameter_name, pattern_of
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import Func, Obj, Value, ref

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame
    from omni.verify.dataflow_javascript.machine import Machine


@lru_cache(maxsize=256)
def _fits(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def register(frame: Frame, name: str, arguments: list[Value]) -> bool:
    """`app.get("/", f)`: whether the framework keeps the functions for later. What it calls them with is noted."""
    machine = frame.machine
    anyone = f"*.{name.rpartition('.')[2]}"
    found = machine.models.adders.get(name, [])
    if not found:
        imports = machine.links.packages.get(frame.module.path, frozenset())
        near = machine.models.adders.get(anyone, ())
        found = [each for each in near if not each.imports or imports & set(each.imports)]
    for each in found:
        text = arguments[0].text if arguments else None
        if each.event and not (text is not None and _fits(each.event, text)):
            continue
        functions = [func for given in arguments for func in _functions(given)]
        functions = [func for func in functions if func.code.parameters or each.page]
        for func in functions:
            machine.waiting.append((func, _given(machine, each, func), each.page))
        if functions:
            return True
    return False


def _functions(value: Value, depth: int = 3) -> Iterator[Func]:
    shape = value.shape
    if isinstance(shape, Func):
        yield shape
    elif isinstance(shape, Obj) and depth:
        for each in shape.entries.values():
            yield from _functions(each, depth - 1)


def _given(machine: Machine, handlers: Handlers, func: Func) -> list[Value]:
    parameters = func.code.parameters
    kinds = list(handlers.gives)
    if len(parameters) == 4 and len(kinds) == 3:  # Express tells by their number that the first one is an error
        kinds.insert(0, "")
    found = unknown_arguments(machine, func)
    for index, kind in enumerate(kinds[: len(parameters)]):
        if kind:
            found[index] = _thing(machine, kind, parameters[index], func)
    return found


def _thing(machine: Machine, kind: str, parameter: Node, func: Func) -> Value:
    shown = parameter_name(parameter) or kind
    return ref(kind, members.source_taints(machine, kind, func.code.module.path, parameter.line, shown))


def unknown_arguments(machine: Machine, func: Func) -> list[Value]:
    """What is known of the parameters from their annotations and decorators."""
    path = func.code.module.path
    return [patterns.unknown_argument(machine, each, path) for each in func.code.parameters]


def arguments_of(machine: Machine, func: Func) -> list[Value] | None:
    """What a framework would give to a function that looks like a handler; None: it does not."""
    named = _by_names(machine, func)
    if named is not None:
        return _given(machine, named, func)
    known = unknown_arguments(machine, func)
    return known if any(value.taints or value.shape is not None for value in known) else None


def page_of(machine: Machine, func: Func) -> str:
    named = _by_names(machine, func)
    return named.page if named is not None else ""


def _by_names(machine: Machine, func: Func) -> Handlers | None:
    names = [parameter_name(each) or pattern_of(each).kind for each in func.code.parameters]
    if len(names) == 4 and _fits("^_?(e|err|error|ex)$", names[0]):
        names = names[1:]
    imports = machine.links.packages.get(func.code.module.path, frozenset())
    for each in machine.models.handlers:
        if not each.parameters or (each.imports and not imports & set(each.imports)):
            continue
        if len(names) >= len(each.parameters) and all(
            _fits(pattern, name) for pattern, name in zip(each.parameters, names, strict=False)
        ):
            return each
    return None


def exported(frame: Frame) -> None:
    """`export default` of a page, `exports.handler` of a cloud function."""
    machine, path, shape = frame.machine, frame.module.path, frame.module.exports.shape
    entries = dict(shape.entries) if isinstance(shape, Obj) else {"default": frame.module.exports}
    imports = machine.links.packages.get(path, frozenset())
    for each in machine.models.handlers:
        if not each.exports or not _fits(each.paths, path) or (each.imports and not imports & set(each.imports)):
            continue
        for name, value in entries.items():
            if _fits(each.exports, name):
                for func in _functions(value, 1):
                    machine.waiting.append((func, _given(machine, each, func), each.page))
