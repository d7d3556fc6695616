"""Whether a call, an assignment or a returned value is dangerous with what it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from omni.verify.dataflow.model import lookup
from omni.verify.dataflow.sinks import COMMAND_FOLLOWS, DATABASE, HOST_IS_FIXED, PLAIN_PAGES, SHELLS, STATEMENT
from omni.verify.dataflow.value import Taint, united
from omni.verify.dataflow_javascript.model import Misuse, Sink
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    GAP,
    REST,
    TRUE,
    Const,
    Func,
    KindRef,
    Obj,
    Ref,
    Value,
    is_nothing,
    prefix,
    tainted,
    taints_in,
)

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame

OTHER_QUERIES = frozenset({"where", "include", "attributes", "select", "relations"})
"""Keys of queries whose library takes no operators from data."""
PLAIN_TYPE = re.compile(r"(?i)^\.?(json|txt|text|csv|plain|pdf|png|jpe?g|gif|xml|js|css|bin)$")
TYPED = frozenset({"setHeader", "set", "header", "type", "contentType", "writeHead", "append"})
BELOW = re.compile(r"[\w.-]+/")
"""The beginning of an address that is seen from the page's own."""
PLAIN_TEXTS = re.compile(r"(?i)text/(json|javascript|markdown|x-)")
PLAIN_NOTE = "Response#plain"
SCRIPT_ATTRIBUTES = frozenset({"dangerouslySetInnerHTML"})
WHOLE_DATA = re.compile(r"^(Request|Context)(\.request)?\.(body|query|params|headers|cookies)$")
"""Objects: a page of one is JSON."""
CODE = frozenset({"code"})


def check_call(frame: Frame, node: Node, name: str, receiver: Value, arguments: list[Value]) -> None:
    models = frame.machine.models
    method = name.rpartition(".")[2]
    if method in TYPED:
        _typed(frame, method, arguments)
    for misuse in lookup(models.misuses, name):
        _misused(frame, node, misuse, arguments)
    for sink in lookup(models.sinks, name):
        if len(arguments) >= sink.least and _applies(sink, arguments):
            if sink.form == "argv":
                check_arguments(frame, node, sink, arguments)
            else:
                _given(frame, node, name, sink, receiver, arguments)


def _typed(frame: Frame, method: str, arguments: list[Value]) -> None:
    """What the answer is was said: no page."""
    said = [each.text for each in arguments if each.text]
    headers = [each.shape for each in arguments if isinstance(each.shape, Obj)]
    for shape in headers:
        said += [value.text or "" for key, value in shape.entries.items() if key.lower() == "content-type"]
    kinds = {"type", "contentType"}
    if any(
        PLAIN_PAGES.match(text) or PLAIN_TEXTS.match(text) or (method in kinds and PLAIN_TYPE.match(text))
        for text in said
    ):
        frame.machine.journal.write(frame.machine.notes, PLAIN_NOTE, frozenset({"xss"}))


def _applies(sink: Sink, arguments: list[Value]) -> bool:
    """Whether the other arguments are as they have to be."""
    options = {
        key: value
        for each in arguments
        if isinstance(each.shape, Obj) and each.shape.kind == "object"
        for key, value in each.shape.entries.items()
    }
    return (
        (not sink.when or any(each.text is not None and re.search(sink.when, each.text) for each in arguments))
        and all(key in options and not _off(options[key]) for key in sink.options)
        and not any(key in options for key in sink.without)
        and (not sink.first or arguments[0] == TRUE)
    )


def _given(frame: Frame, node: Node, name: str, sink: Sink, receiver: Value, arguments: list[Value]) -> None:
    values = [receiver] if sink.receiver else []
    for index in sink.arguments:
        values += arguments if index < 0 else arguments[index : index + 1]
    certain = name in sink.names and not name.startswith("*.")
    if sink.form == "filter":
        _check_where(frame, node, values)
    for value in values:
        for part in _parts(sink, value):
            if taints_in(part) and _matters(frame, sink, certain, part, node):
                dangerous = _filtered(part) if sink.form == "filter" else part
                what = f"{_called(node)}(…)"
                frame.hit(sink.weakness, dangerous, node, what, frozenset(sink.kinds))


def _check_where(frame: Frame, node: Node, values: list[Value]) -> None:
    """`{ $where: "this.a == " + b }` is a program."""
    for value in values:
        where = value.shape.entries.get("$where") if isinstance(value.shape, Obj) else None
        if where is not None:
            frame.hit("code", where, node, f"{_called(node)}(…)", frozenset({"remote"}))


def _called(node: Node) -> str:
    called = node.get("function") or node.get("constructor") or node
    return " ".join(called.text.split())[-50:]


def _parts(sink: Sink, value: Value) -> Iterator[Value]:
    """The value, or the entries that matter of one that is an object."""
    if sink.keys and isinstance(value.shape, Obj):
        yield from (value.shape.entries[key] for key in sink.keys if key in value.shape.entries)
    elif not isinstance(value.shape, Func | KindRef):
        yield value


def _matters(frame: Frame, sink: Sink, certain: bool, value: Value, node: Node) -> bool:
    """`certain`: it is known whose method it is."""
    start = prefix(value.shape) or ""
    if sink.form == "location":
        return not host_is_fixed(start)
    if sink.form == "page":
        whole = isinstance(value.shape, Ref) and WHOLE_DATA.match(value.shape.name)
        return not isinstance(value.shape, Obj) and not whole and PLAIN_NOTE not in frame.machine.notes
    if sink.form == "statement":
        if start.strip(GAP + " \n"):
            return bool(STATEMENT.match(start.lstrip(GAP)))
        return not isinstance(value.shape, Obj) and (certain or _is_database(node))
    if sink.form == "sent":  # with .. in it, it is refused, unless that was resolved before
        return not start or any("dots" in taint.cleared for taint in value.taints)
    if sink.form == "object":
        return isinstance(value.shape, Obj) or any("object" not in taint.cleared for taint in taints_in(value))
    if sink.form == "markup":
        return start.lstrip().startswith("<")
    if sink.form == "filter":
        return bool(_filtered(value).taints)
    return True


def host_is_fixed(start: str) -> bool:
    """Whether an address that begins so leads to a machine that data can't choose."""
    if start.startswith(GAP):
        rest = start.strip(GAP)
        return rest != "://" and not start.endswith(("://", "://" + GAP))
    return bool(HOST_IS_FIXED.match(start) or BELOW.match(start))


def _is_database(node: Node) -> bool:
    function = node.get("function")
    holder = function.get("object") if function is not None else None
    while holder is not None and holder.kind in {"call_expression", "await_expression"}:
        inner = holder.get("function")
        holder = inner if inner is not None else holder.children[0] if holder.children else None
    named = holder.get("property") if holder is not None and holder.kind == "member_expression" else holder
    return named is not None and bool(DATABASE.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", named.text)))


def _filtered(value: Value, depth: int = 4) -> Value:
    """The data that may be an operator: not what stands below `$eq`."""
    shape = value.shape
    if not isinstance(shape, Obj) or not depth:
        return value
    if depth == 4 and OTHER_QUERIES & shape.entries.keys():
        return tainted(())
    inner = [_filtered(each, depth - 1) for key, each in shape.entries.items() if key not in {"$eq", "$ne"}]
    return tainted(united(value.taints, *(each.taints for each in inner)))


def check_arguments(frame: Frame, node: Node, sink: Sink, arguments: list[Value]) -> None:
    """`spawn(program, arguments, options)`: the program, and all of it with a shell."""
    if not arguments:
        return
    program = arguments[0]
    listed = next((each for each in arguments[1:] if isinstance(each.shape, Obj) and each.shape.kind == "array"), None)
    options = arguments[-1].shape if len(arguments) > 1 else None
    shell = options.entries.get("shell") if isinstance(options, Obj) and options.kind == "object" else None
    dangerous = [program]
    words = listed.shape.items() if listed is not None and isinstance(listed.shape, Obj) else []
    through = (program.text or "").rpartition("/")[2].lower() in SHELLS and words and words[0].text in COMMAND_FOLLOWS
    if listed is not None and ((shell is not None and not _off(shell)) or through):
        dangerous.append(listed)
    for value in dangerous:
        frame.hit(sink.weakness, value, node, f"{_called(node)}(…)", frozenset(sink.kinds))


def _off(value: Value) -> bool:
    return isinstance(value.shape, Const) and not value.shape.value


def _misused(frame: Frame, node: Node, misuse: Misuse, arguments: list[Value]) -> None:
    if len(arguments) < misuse.least:
        return
    value = arguments[misuse.argument] if misuse.argument < len(arguments) else None
    if misuse.key and value is not None:
        shape = value.shape
        if not isinstance(shape, Obj) or (REST in shape.entries and misuse.key not in shape.entries):
            return
        value = shape.entries.get(misuse.key)
    if value is None:
        bad = misuse.missing
    elif not misuse.values:
        bad = True
    else:
        said = _said(value)
        bad = said is not None and any(said.startswith(each) for each in misuse.values)
    if bad:
        what = f"{_called(node)}(…)"
        taint = Taint("code", frame.step(node, what))
        frame.hit(misuse.weakness, Value(None, (taint,)), node, what, CODE)


def _said(value: Value) -> str | None:
    if not isinstance(value.shape, Const):
        return None
    return "false" if value.shape.value is False else "none" if is_nothing(value) else str(value.shape.value).lower()


def named_value(frame: Frame, name: str, value: Value, node: Node) -> None:
    """What must not be guessed is kept under a name that says so."""
    if any(taint.kind == "random" for taint in value.taints) and frame.machine.models.sensitive.search(name):
        frame.hit("weak-randomness", value, node, name, frozenset({"random"}))


def assigned(frame: Frame, holder: Value, name: str, value: Value, node: Node) -> None:
    """`element.innerHTML = value`, `location = value`"""
    if not taints_in(value) or (isinstance(holder.shape, Obj) and holder.shape.kind == "object"):
        return
    full = f"{holder.shape.name}.{name}" if isinstance(holder.shape, Ref) else f"*.{name}"
    full = frame.machine.models.canonical(full.removesuffix("."))
    for sink in lookup(frame.machine.models.sinks, f"{full}="):
        if _matters(frame, sink, True, value, node):
            frame.hit(sink.weakness, value, node, kinds=frozenset(sink.kinds))


def attribute(frame: Frame, name: str, value: Value, node: Node) -> None:
    """Of an element of React."""
    if name in SCRIPT_ATTRIBUTES and isinstance(value.shape, Obj):
        frame.hit("xss", value.shape.entries.get("__html", value), node, name, frozenset({"remote"}))


def returned(frame: Frame, value: Value, node: Node) -> None:
    """What a handler of a web framework gives back is a page, unless it is an object."""
    shape = value.shape
    if isinstance(shape, Obj | Func | KindRef) or PLAIN_NOTE in frame.machine.notes:
        return
    if isinstance(shape, Ref) and WHOLE_DATA.match(shape.name):
        return
    frame.hit(frame.page, value, node, "what is returned", frozenset({"remote"}))
