"""Calls of what is not in the project: by the tables, and a few built-in functions that containers go through."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from omni.verify.dataflow import attributes, containers, guards, handlers, sinks
from omni.verify.dataflow.assignment import with_attribute, write_back
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.folding import call_method, is_container, opaque, truth, written
from omni.verify.dataflow.model import lookup
from omni.verify.dataflow.summary import Callee
from omni.verify.dataflow.value import (
    NONE,
    UNKNOWN,
    ClassRef,
    Const,
    Instance,
    Ref,
    Sequence,
    Step,
    Table,
    Taint,
    Text,
    Value,
    constant,
    join,
    tainted,
    taints_in,
    united,
)

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame


def call_named(
    frame: Frame, node: ast.Call, name: str, receiver: Value, arguments: Arguments, place: ast.expr | None = None
) -> Value:
    """`receiver` is the object whose method it is, or the function itself; `place` is where the object stands."""
    models = frame.machine.models
    name = models.canonical(name)
    if frame.module.library and name in STUB_FUNCTIONS:
        return STUB_FUNCTIONS[name](frame, *arguments.positional)
    special = BUILTINS.get(name)
    if special is not None:
        result = special(Built(frame, node, arguments))
        if result is not None:
            return result
    handlers.register_added(frame, name, arguments)
    sinks.check_call(frame, node, name, receiver, arguments, place)
    given = united(receiver.taints, *(taints_in(each) for each in arguments.all))
    if place is not None and _looks_up(frame, name):
        default = arguments.positional[1:2] if name == "*.get" else []
        given = united(receiver.taints, *(taints_in(each) for each in default))
    found = attributes.source(frame, f"{name}()", node)
    if found:
        return Value(_made(name), found)
    if _harmless(frame, name, arguments):
        return Value(_made(name))
    _put_in(frame, name, receiver, arguments, place)
    kept = _sanitized(frame, name, arguments, given)
    built = name.startswith("*.") and kept and not receiver.taints
    return Value(Ref("*()") if built else _made(name), kept)


def _made(name: str) -> Ref | None:
    """What the call gives, by name; of an unknown object's method nothing is known."""
    return None if name.startswith("*.") or len(name) > attributes.LONGEST_NAME else Ref(f"{name}()")


def _harmless(frame: Frame, name: str, arguments: Arguments) -> bool:
    harmless = frame.machine.models.harmless
    converted = arguments.named.get("type")
    if converted is not None and isinstance(converted.shape, Ref) and converted.shape.name in harmless:
        return True  # request.args.get("n", type=int)
    return name in harmless or ("." in name and f"*.{name.rpartition('.')[2]}" in harmless)


def _looks_up(frame: Frame, name: str) -> bool:
    """A method of an object that asks for something by its first argument: `users.get_one(name)`."""
    head, _, method = name.rpartition(".")
    return (head == "*" or "()" in head) and frame.machine.models.lookups.match(method) is not None


def _put_in(frame: Frame, name: str, receiver: Value, arguments: Arguments, place: ast.expr | None) -> None:
    """`buffer.write(data)`: the object holds the data from now on."""
    if place is None or name.rpartition(".")[2] not in frame.machine.models.mutators:
        return
    more = united(*(taints_in(each) for each in arguments.all))
    if more and isinstance(place, ast.Name) and place.id in frame.names:
        write_back(frame, place, Value(receiver.shape, united(receiver.taints, more)))


def _sanitized(frame: Frame, name: str, arguments: Arguments, given: tuple[Taint, ...]) -> tuple[Taint, ...]:
    """The data as the call leaves it."""
    if not given:
        return given
    texts = [each.text for each in arguments.positional]
    for entry in lookup(frame.machine.models.sanitizers, name):
        written = all(index < len(texts) and texts[index] is not None for index in entry.arguments)
        if not written or (entry.pattern and not guards.fits(entry.pattern, texts[0] if texts else None)):
            continue
        if entry.undoes:
            given = tuple(replace(taint, cleared=taint.cleared & guards.EVERYTHING) for taint in given)
        given = tuple(taint.without(*entry.clears) for taint in given)
    return given


def _sink(frame: Frame, weakness: Value, value: Value) -> Value:
    """`__sink__("weakness", value)` in a model of a library. The place is where the library is called."""
    frame.hit(weakness.text or "", value, Step("", 0, ""), frozenset({"remote", "local"}))
    return NONE


def _cleared(_frame: Frame, weakness: Value, value: Value) -> Value:
    """`__cleared__("weakness", value)`"""
    return Value(value.shape, tuple(taint.without(weakness.text or "") for taint in taints_in(value)))


def _constant(_frame: Frame, value: Value) -> Value:
    """`__constant__(value)`: whether it is written out."""
    return constant(isinstance(value.shape, Const))


def _page(frame: Frame, name: Value, *variables: Value) -> Value:
    """`__page__(name, variables, …)`: a template that escapes is rendered."""
    sinks.check_page(frame, name.text or "", variables, Step("", 0, ""))
    return NONE


STUB_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "__cleared__": _cleared,
    "__constant__": _constant,
    "__page__": _page,
    "__sink__": _sink,
}


# Built-in functions


@dataclass(frozen=True)
class Built:
    """A call of a built-in function."""

    frame: Frame
    node: ast.Call
    arguments: Arguments

    @property
    def given(self) -> list[Value]:
        return self.arguments.positional

    @property
    def first(self) -> Value:
        return self.given[0] if self.given else Value(Sequence())


Special = Callable[[Built], "Value | None"]


def _text(call: Built) -> Value | None:
    value = call.given[0] if call.given else constant("")
    text = written(value)
    if text is not None:
        return Value(constant(text).shape, value.taints)
    if isinstance(value.shape, Const | Text):
        if isinstance(value.shape, Const) and isinstance(value.shape.value, bytes) and call.arguments.named:
            return call_method(value.shape.value, "decode", [])
        return value
    writer = attributes.method(value, "__str__")
    if writer is not None:
        return call.frame.machine.call(writer, Arguments(), call.frame, call.node)
    return tainted(united(*(taints_in(each) for each in call.arguments.all)))


def _length(call: Built) -> Value | None:
    shape = call.first.shape
    if isinstance(shape, Const) and isinstance(shape.value, str | bytes):
        return constant(len(shape.value))
    if isinstance(shape, Sequence) and shape.rest is None:
        return constant(len(shape.items))
    return constant(len(shape.entries)) if isinstance(shape, Table) and shape.rest is None else UNKNOWN


def _listed(call: Built) -> Value | None:
    value = call.first
    if isinstance(value.shape, Sequence):
        return value
    iterator = attributes.method(value, "__iter__")
    if iterator is not None:
        return call.frame.machine.call(iterator, Arguments(), call.frame, call.node)
    if isinstance(value.shape, Const) and isinstance(value.shape.value, str) and len(value.shape.value) <= 64:
        return Value(Sequence(tuple(constant(each) for each in value.shape.value)))
    return Value(Sequence((), containers.element(value)))


def _loose(call: Built) -> Value | None:
    return Value(Sequence((), containers.element(call.first)))


def _dictionary(call: Built) -> Value | None:
    return containers.merged(Value(Table({})), [*call.given, *call.arguments.rest], call.arguments.named)


def _enumerated(call: Built) -> Value | None:
    return Value(Sequence((), Value(Sequence((UNKNOWN, containers.element(call.first))))))


def _zipped(call: Built) -> Value | None:
    return Value(Sequence((), Value(Sequence(tuple(containers.element(each) for each in call.given)))))


def _mapped(call: Built) -> Value | None:
    if len(call.given) < 2:
        return None
    function, *given = call.given
    elements = [containers.element(each) for each in given]
    return Value(Sequence((), _applied(call, function, elements)))


def _applied(call: Built, function: Value, given: list[Value]) -> Value:
    if isinstance(function.shape, Callee):
        return call.frame.machine.call(function.shape, Arguments(given), call.frame, call.node)
    if isinstance(function.shape, ClassRef):
        return call.frame.machine.instantiate(function.shape.type, Arguments(given), call.frame, call.node)
    if isinstance(function.shape, Ref):
        return call_named(call.frame, call.node, function.shape.name, function, Arguments(given))
    return tainted(united(*(taints_in(each) for each in given)))


def _filtered(call: Built) -> Value | None:
    if len(call.given) < 2:
        return None
    function, given = call.given[:2]
    element = containers.element(given)
    _applied(call, function, [element])
    return Value(Sequence((), element))


def _taken(call: Built) -> Value | None:
    value = call.first
    if isinstance(value.shape, Sequence) and value.shape.items and value.shape.rest is None:
        value = Value(value.shape.items[0].shape, united(value.taints, value.shape.items[0].taints))
    else:
        value = containers.element(value)
    return join(value, call.given[1]) if len(call.given) > 1 else value


def _same(call: Built) -> Value | None:
    return call.given[0] if len(call.given) == 1 and is_container(call.first) else None


def _gotten(call: Built) -> Value | None:
    if len(call.given) < 2:
        return None
    name = call.given[1].text
    if name is None:
        return opaque(Value(Sequence(tuple(call.given))))
    found = attributes.attribute(call.frame, call.given[0], name, call.node)
    return join(found, call.given[2]) if len(call.given) > 2 else found


def _set(call: Built) -> Value | None:
    if len(call.given) == len(call.node.args) == 3:
        holder, name, value = call.given
        if name.text is None and isinstance(holder.shape, Instance):
            held = Value(holder.shape, united(holder.taints, taints_in(value)))  # in one of its attributes
        else:
            held = with_attribute(holder, name.text or "", value)
        write_back(call.frame, call.node.args[0], held)
    return NONE


def _boolean(call: Built) -> Value | None:
    answer = truth(call.first) if call.given else False
    return UNKNOWN if answer is None else constant(answer)


def _number(call: Built) -> Value | None:
    value = call.first
    if len(call.given) == 1 and isinstance(value.shape, Const) and isinstance(value.shape.value, str | int | float):
        try:
            return constant(int(value.shape.value)) if len(str(value.shape.value)) < 100 else UNKNOWN
        except (ValueError, OverflowError):
            return UNKNOWN
    return UNKNOWN


def _sign(call: Built) -> Value | None:
    shape = call.first.shape
    if isinstance(shape, Const) and isinstance(shape.value, int) and 0 <= shape.value < 0x110000:
        return constant(chr(shape.value))
    return UNKNOWN


BUILTINS: Mapping[str, Special] = {
    "bool": _boolean,
    "chr": _sign,
    "collections.OrderedDict": _dictionary,
    "collections.deque": _listed,
    "copy.copy": _same,
    "copy.deepcopy": _same,
    "dict": _dictionary,
    "enumerate": _enumerated,
    "filter": _filtered,
    "frozenset": _listed,
    "getattr": _gotten,
    "int": _number,
    "iter": _listed,
    "len": _length,
    "list": _listed,
    "map": _mapped,
    "next": _taken,
    "reversed": _loose,
    "set": _listed,
    "setattr": _set,
    "sorted": _loose,
    "str": _text,
    "tuple": _listed,
    "zip": _zipped,
}
