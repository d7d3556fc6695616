"""What the language brings: arrays, texts, objects, promises, maps."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from omni.verify.dataflow.value import Taint, united
from omni.verify.dataflow_javascript import members
from omni.verify.dataflow_javascript.arrays import METHODS, TEXT_ONLY, run
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    REST,
    UNKNOWN,
    Const,
    Func,
    Native,
    Obj,
    Ref,
    Text,
    Value,
    array,
    cleared,
    elements,
    join,
    join_all,
    keys,
    made,
    prefix,
    ref,
    tainted,
    taints_in,
)

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame

ALIKE = frozenset(
    {
        "toString",
        "trim",
        "trimStart",
        "trimEnd",
        "toLowerCase",
        "toUpperCase",
        "normalize",
        "valueOf",
        "toLocaleLowerCase",
    }
)
"""Methods of texts that leave the beginning as it is."""
TEXTS = frozenset(
    {"substring", "substr", "slice", "concat", "padStart", "padEnd", "repeat", "charAt", "at", "replaceAll", "replace"}
)
NEGATED = re.compile(r"^\(?\[\^((?:\\.|[^\]\\])+)\][+*]?\)?[+*]?$")
SIGNS = (
    ("<", ("xss",)), ("'", ("sql",)), ("\\n", ("log", "header")), ("\\r", ("log", "header")),
    ("\\s", ("log", "header")),
    ("\\/", ("path",)), ("\\.\\.", ("path",)),
)  # fmt: skip
"""What a pattern that takes this sign away, or refuses it, makes harmless."""


UPWARDS = re.compile(r"/\^?\(*\\\.\\\.")
"""Takes away the way up at the beginning of a path: there is none elsewhere in one that is normal."""
DOTS = re.compile(r"^(\\\.|\[[^\]^]*[./][^\]]*\])[+*]?$")


@lru_cache(maxsize=512)
def taken_away(pattern: str) -> frozenset[str]:
    """Weaknesses that data can't cause once nothing in it fits this expression (`/…/flags`); `*`: all."""
    body, _, _flags = pattern[1:].rpartition("/")
    negated = NEGATED.match(body)
    if negated:
        kept = negated[1].replace("\\/", "/")
        risky = {
            "/": ("path", "ssrf", "redirect"),
            ".": ("path",),
            "<": ("xss",),
            "'": ("sql",),
            "$": ("nosql",),
            ";": ("command",),
        }
        if "\\S" in kept or "\\W" in kept or "\\D" in kept:
            return frozenset()
        everything = {
            "xss",
            "sql",
            "command",
            "code",
            "header",
            "log",
            "nosql",
            "regex",
            "ssrf",
            "redirect",
            "template",
            "path",
            "prototype",
        }
        for sign, weaknesses in risky.items():
            if sign in kept.replace("\\.", "."):
                everything -= set(weaknesses) if sign != "." or "/" in kept else set()
        return frozenset(everything)
    if body.startswith("^") or body.endswith("$"):
        return frozenset()
    dots = {"path"} if DOTS.match(body) else set[str]()
    return frozenset({each for sign, weaknesses in SIGNS if sign in body for each in weaknesses} | dots)


def call(frame: Frame, node: Node, name: str, method: str, receiver: Value, arguments: list[Value]) -> Value | None:
    """The result of a function of the language; None: it is none."""
    known = FUNCTIONS.get(name)
    if known is not None:
        return known(frame, node, arguments)
    shape = receiver.shape
    if isinstance(shape, Func):
        return _of_function(frame, node, method, shape, arguments)
    if isinstance(shape, Obj) and shape.kind == "map" and method in {"get", "set", "has", "add", "delete"}:
        return _of_map(frame, node, method, receiver, arguments)
    if method in {"then", "catch", "finally"} and arguments and (method != "catch" or not receiver.taints):
        return _then(frame, node, method, receiver, arguments)
    handler = METHODS.get(method)
    if handler is not None and _is_list(receiver, arguments):
        return handler(frame, node, receiver, arguments)
    if isinstance(shape, Obj):
        return parsed(shape, arguments) if shape.kind == "schema" and method in PARSES else None
    if method in PARSES and isinstance(shape, Ref) and shape.name.startswith("zod.") and arguments:
        return checked(receiver, arguments[0])
    if method == "split" and arguments:
        return array((), cleared(tainted(receiver.taints), TEXT_ONLY))
    if method == "match" and receiver.taints and arguments:
        return array((), cleared(tainted(receiver.taints), TEXT_ONLY))
    if method in ALIKE and (receiver.taints or isinstance(shape, Const | Text)):
        kept = Value(Text(text), receiver.taints) if (text := prefix(shape)) is not None else tainted(receiver.taints)
        return cleared(kept, TEXT_ONLY)
    if method in {"replace", "replaceAll"} and arguments:
        return _replaced(frame, node, receiver, arguments)
    if method in TEXTS and (receiver.taints or isinstance(shape, Const | Text)) and not isinstance(shape, Ref):
        parts = united(receiver.taints, *((taints_in(each) for each in arguments) if method == "concat" else ()))
        return cleared(tainted(parts), TEXT_ONLY)
    return None


PARSES = frozenset({"parse", "parseAsync", "safeParse", "safeParseAsync"})
CHECKED = re.compile(
    r"^zod\.(coerce\.)?(number|bigint|boolean|date|enum|nativeEnum|literal)\b|\.(uuid|cuid|cuid2|ulid|datetime)\(\)"
)


def parsed(schema: Obj, arguments: list[Value]) -> Value:
    """What zod gives for an object: each entry is what its own schema says."""
    given = tainted(taints_in(arguments[0])) if arguments else UNKNOWN
    entries = [(key, checked(each, given)) for key, each in schema.entries.items()]
    return made([*entries, ("data", made(entries))])


def checked(schema: Value, given: Value) -> Value:
    """Data that fits a schema: a number holds no text."""
    shape = schema.shape
    if isinstance(shape, Obj) and shape.kind == "schema":
        return parsed(shape, [given])
    if isinstance(shape, Ref) and CHECKED.search(shape.name):
        return UNKNOWN
    return cleared(tainted(taints_in(given)), TEXT_ONLY)


def _state(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    """Of a React component: what it is at first, and the function that sets it."""
    return array([arguments[0] if arguments else UNKNOWN, UNKNOWN])


def _schema(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    shape = arguments[0].shape if arguments else None
    return made(shape.entries.items() if isinstance(shape, Obj) else (), "schema")


def _is_list(receiver: Value, arguments: list[Value]) -> bool:
    """Whether it may be an array: it is one, or it is not known and given a function."""
    shape = receiver.shape
    if isinstance(shape, Obj):
        return shape.kind in {"array", "map"} or REST in shape.entries
    return shape is None or (isinstance(shape, Ref) and any(isinstance(each.shape, Func) for each in arguments))


def _replaced(frame: Frame, node: Node, receiver: Value, arguments: list[Value]) -> Value:
    what = arguments[0]
    given = [
        run(frame, node, each, tainted(receiver.taints)) if isinstance(each.shape, Func) else each
        for each in arguments[1:2]
    ]
    clears: frozenset[str] = frozenset(TEXT_ONLY)
    everywhere = node.text.rpartition("replaceAll")[1] != ""
    if isinstance(what.shape, Const) and what.shape.type == "regex":
        pattern = str(what.shape.value)
        if "g" in pattern.rpartition("/")[2] or everywhere or pattern.startswith("/^"):
            clears |= taken_away(pattern)
    elif what.text is not None and everywhere:
        clears |= taken_away(f"/{re.escape(what.text)}/")
    if any("dots" in taint.cleared for taint in receiver.taints) and UPWARDS.match(
        str(getattr(what.shape, "value", ""))
    ):
        clears |= {"path"}
    safe = given[0].text if given else None
    if safe is not None and ("<" in safe or safe == "'"):
        clears = frozenset(TEXT_ONLY)
    taints = united(*(taints_in(each) for each in given if not isinstance(arguments[1].shape, Func)))
    return Value(None, united(cleared(tainted(receiver.taints), clears).taints, taints))


def _then(frame: Frame, node: Node, method: str, receiver: Value, arguments: list[Value]) -> Value:
    """A promise is what it will give."""
    if method == "then":
        results = [run(frame, node, each, receiver if index == 0 else UNKNOWN) for index, each in enumerate(arguments)]
        return results[0] if isinstance(arguments[0].shape, Func | Native) else receiver
    result = run(frame, node, arguments[0], UNKNOWN)
    return join(receiver, result) if method == "catch" else receiver


def _of_function(frame: Frame, node: Node, method: str, func: Func, arguments: list[Value]) -> Value | None:
    if method == "call":
        return frame.machine.call(func, arguments[1:], arguments[0] if arguments else UNKNOWN, frame, node)
    if method == "apply":
        given = arguments[1].shape if len(arguments) > 1 else None
        values = given.items() if isinstance(given, Obj) else []
        return frame.machine.call(func, values, arguments[0] if arguments else UNKNOWN, frame, node)
    if method == "bind":
        return Value(Func(func.code, func.scope, arguments[0] if arguments else None, func.home, tuple(arguments[1:])))
    return None


def _of_map(frame: Frame, node: Node, method: str, receiver: Value, arguments: list[Value]) -> Value | None:
    if method == "get" and arguments:
        return members.item(frame, receiver, arguments[0], node)
    if method == "set" and len(arguments) > 1:
        members.write(frame, receiver, members.key_of(arguments[0]), arguments[1], node)
        return receiver
    if method == "add" and arguments:
        members.write(frame, receiver, None, arguments[0], node)
        return receiver
    return UNKNOWN


# Functions


def _assign(frame: Frame, node: Node, arguments: list[Value]) -> Value:
    if not arguments:
        return UNKNOWN
    target = arguments[0]
    for given in arguments[1:]:
        if isinstance(target.shape, Obj):
            entries = given.shape.entries.items() if isinstance(given.shape, Obj) else []
            for key, value in list(entries):
                members.write(frame, target, None if key == REST else key, value, node)
            if given.taints:
                members.write(frame, target, None, tainted(given.taints), node)
        else:
            target = Value(target.shape, united(target.taints, taints_in(given)))
    return target


def _keys(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    return array((), keys(arguments[0])) if arguments else UNKNOWN


def _values(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    return array((), elements(arguments[0])) if arguments else UNKNOWN


def _entries(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    return array((), array([keys(arguments[0]), elements(arguments[0])])) if arguments else UNKNOWN


def _from_entries(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    return made([(REST, tainted(taints_in(arguments[0])))]) if arguments else UNKNOWN


def _create(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    bare = bool(arguments) and isinstance(arguments[0].shape, Const)
    return made(kind="bare" if bare else "object")


def _parse_json(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    """A text becomes an object again."""
    taints = arguments[0].taints if arguments else ()
    return tainted(tuple(Taint(each.kind, each.origin, each.cleared - TEXT_ONLY, each.steps) for each in taints))


def _to_text(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    if not arguments:
        return UNKNOWN
    text = prefix(arguments[0].shape)
    shape = arguments[0].shape if isinstance(arguments[0].shape, Const) else Text(text) if text is not None else None
    return cleared(Value(shape, taints_in(arguments[0])), TEXT_ONLY)


def _to_json(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    """A text, in which line breaks are no line breaks any more."""
    return (
        tainted(tuple(taint.without("log", "header", *TEXT_ONLY) for taint in taints_in(arguments[0])))
        if arguments
        else UNKNOWN
    )


def _list_from(frame: Frame, node: Node, arguments: list[Value]) -> Value:
    if not arguments:
        return UNKNOWN
    if len(arguments) > 1:
        return array((), run(frame, node, arguments[1], elements(arguments[0])))
    return array((), elements(arguments[0]))


def _all(_frame: Frame, _node: Node, arguments: list[Value]) -> Value:
    return arguments[0] if arguments else UNKNOWN


def _later(frame: Frame, node: Node, arguments: list[Value]) -> Value:
    """`setTimeout(f, time, …)`"""
    if arguments and isinstance(arguments[0].shape, Func):
        run(frame, node, arguments[0], *arguments[2:])
    return UNKNOWN


FUNCTIONS: dict[str, Callable[[Frame, Node, list[Value]], Value]] = {
    "Object.assign": _assign, "Object.keys": _keys, "Object.getOwnPropertyNames": _keys, "Object.values": _values,
    "Object.entries": _entries, "Object.fromEntries": _from_entries, "Object.create": _create,
    "react.useState": _state,
    "zod.object": _schema, "zod.strictObject": _schema,
    "JSON.parse": _parse_json, "JSON.stringify": _to_json, "String": _to_text, "Array.from": _list_from,
    "Promise.all": _all, "Promise.resolve": _all, "Promise.race": _all, "Promise.any": _all, "Object.freeze": _all,
    "structuredClone": _all, "setTimeout": _later, "setInterval": _later, "setImmediate": _later,
    "queueMicrotask": _later, "process.nextTick": _later,
}  # fmt: skip


def construct(frame: Frame, node: Node, name: str, arguments: list[Value]) -> Value | None:
    """`new Map()`, `new Promise(f)`, `new URL(x, base)`; None: it is nothing of the language."""
    if name in {"Map", "Set", "WeakMap", "WeakSet"}:
        held = elements(elements(arguments[0]) if "Map" in name else arguments[0]) if arguments else None
        return made([(REST, held)] if held is not None else [], "map")
    if name == "Promise" and arguments:
        found: list[Value] = []

        def resolve(values: list[Value]) -> Value:
            found.extend(values[:1])
            return UNKNOWN

        run(frame, node, arguments[0], Value(Native(resolve)), Value(Native(lambda _values: UNKNOWN)))
        return join_all(found)
    if name == "Array":
        return array((), join_all(arguments)) if arguments else array()
    if name == "URL" and arguments:
        start = prefix(arguments[0].shape)
        taints = united(*(taints_in(each) for each in arguments))
        return Value(Text(start), taints) if start else ref("URL()", taints)
    if name in {"Error", "TypeError", "RangeError"}:
        return made([("message", tainted(united(*(taints_in(each) for each in arguments))))], "instance")
    return None
