"""What each kind of expression gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from omni.verify.dataflow.value import united
from omni.verify.dataflow_javascript import calls, classes, guards, members, patterns, sinks
from omni.verify.dataflow_javascript.frame import End, Frame
from omni.verify.dataflow_javascript.program import FUNCTIONS
from omni.verify.dataflow_javascript.tree import Node, unescaped
from omni.verify.dataflow_javascript.value import (
    FALSE,
    GAP,
    NULL,
    REST,
    TRUE,
    UNDEFINED,
    UNKNOWN,
    Const,
    Obj,
    Ref,
    Text,
    Value,
    array,
    elements,
    is_nothing,
    join,
    join_all,
    made,
    number,
    prefix,
    ref,
    string,
    tainted,
    taints_in,
)

HARMLESS = frozenset(
    {
        "===", "!==", "==", "!=", "<", ">", "<=", ">=", "in", "instanceof", "-", "*", "/", "%", "**", "<<", ">>", ">>>",
        "&", "|", "^",
    }
)  # fmt: skip
"""What they give is a number, or true or false."""
OBJECTS = frozenset({"nosql", "object"})
"""What only an object can do, a text can't."""


def other(frame: Frame, node: Node) -> Value:
    """Of a kind that has no meaning of its own: that of its only part."""
    return frame.evaluate(node.children[0]) if len(node.children) == 1 else _all(frame, node)


def _all(frame: Frame, node: Node) -> Value:
    for child in node.children:
        frame.evaluate(child)
    return UNKNOWN


def _nothing(_frame: Frame, _node: Node) -> Value:
    return UNKNOWN


def _first(frame: Frame, node: Node) -> Value:
    return frame.evaluate(node.children[0]) if node.children else UNKNOWN


def _identifier(frame: Frame, node: Node) -> Value:
    name = node.text
    found = frame.scope.find(name)
    if found is not None:
        return found
    if name == "undefined":
        return UNDEFINED
    return global_value(frame, name, node)


def global_value(frame: Frame, name: str, node: Node) -> Value:
    full = frame.machine.models.canonical(name)
    held = frame.machine.attached.get(full)
    if held is not None:
        return held
    return ref(full, members.source_taints(frame.machine, full, frame.module.path, node.line, name))


def _string(_frame: Frame, node: Node) -> Value:
    return string(unescaped(node.text[1:-1]))


def _number(_frame: Frame, node: Node) -> Value:
    try:
        return number(float(node.text.replace("_", "")))
    except ValueError:  # hexadecimal, a large integer: its value does not matter
        return Value(Const(0.5, "number"))


def _regex(_frame: Frame, node: Node) -> Value:
    pattern, flags = node.get("pattern"), node.get("flags")
    return Value(Const(f"/{pattern.text if pattern else ''}/{flags.text if flags else ''}", "regex"))


def _template(frame: Frame, node: Node) -> Value:
    parts: list[Value] = []
    for child in node.children:
        if child.kind == "template_substitution":
            parts.append(_first(frame, child))
        else:
            parts.append(string(unescaped(child.text)))
    return joined_text(parts)


def joined_text(parts: list[Value]) -> Value:
    """Texts, one after the other."""
    start = ""
    taints = united(*(taints_in(part) for part in parts))
    for part in parts:
        start += prefix(part.shape) or _as_text(part) or ("" if taints_in(part) else GAP)
        if taints_in(part):
            break
    if not taints and GAP not in start:
        return string(start)
    return Value(Text(start), tuple(taint.without(*OBJECTS) for taint in taints))


def _as_text(value: Value) -> str | None:
    shape = value.shape
    if isinstance(shape, Const) and shape.type in {"string", "number"} and not value.taints:
        return members.key_of(value)
    return None


def _binary(frame: Frame, node: Node) -> Value:
    operators: list[tuple[str, Node]] = []
    while node.kind == "binary_expression" and _operator(node) == "+":  # a + b + c + …, as deep as it is long
        right, left = node.get("right"), node.get("left")
        if right is None or left is None:
            break
        operators.append(("+", right))
        node = left
        frame.machine.tick()
    if not operators:
        return _compared(frame, node)
    parts = [frame.evaluate(node), *(frame.evaluate(right) for _, right in reversed(operators))]
    if all(isinstance(part.shape, Const) and part.shape.type == "number" for part in parts):
        return UNKNOWN
    return joined_text(parts)


def _operator(node: Node) -> str:
    operator = node.get("operator")
    return operator.text if operator is not None else ""


def _compared(frame: Frame, node: Node) -> Value:
    left, right, operator = node.get("left"), node.get("right"), _operator(node)
    if operator in {"&&", "||", "??"} and left is not None and right is not None:
        return _either(frame, left, right, operator)
    one, other_one = frame.evaluate(left), frame.evaluate(right)
    if operator in HARMLESS:
        kinds = tuple(taint for taint in one.taints + other_one.taints if taint.kind == "random")
        return tainted(kinds) if operator in {"-", "*", "/", "%", "|", "&", "^", ">>", ">>>", "<<"} else UNKNOWN
    return tainted(united(taints_in(one), taints_in(other_one)))


def _either(frame: Frame, left: Node, right: Node, operator: str) -> Value:
    first = frame.evaluate(left)
    if operator == "??" and isinstance(first.shape, Const) and not is_nothing(first):
        return first
    found: list[Value] = [first]

    def way() -> End:
        if operator != "??":
            guards.refine(frame, left, operator == "&&")
        found.append(frame.evaluate(right))
        return ""

    frame.ways(lambda: "", way)
    if operator == "&&":
        return found[1] if not taints_in(first) or guards.question(left) else join(first, found[1])
    return join(first, found[1])


def _unary(frame: Frame, node: Node) -> Value:
    value = frame.evaluate(node.get("argument"))
    operator = _operator(node)
    if operator == "!" and isinstance(value.shape, Const) and value.shape.type == "boolean":
        return FALSE if value.shape.value else TRUE
    if operator in {"-", "+", "~"}:
        shape = value.shape
        if operator == "-" and isinstance(shape, Const) and isinstance(shape.value, float):
            return number(-shape.value)
        return tainted(tuple(taint for taint in value.taints if taint.kind == "random"))
    return UNKNOWN


def _ternary(frame: Frame, node: Node) -> Value:
    condition = node.get("condition")
    frame.evaluate(condition)
    found: list[Value] = []

    def way(branch: Node | None, outcome: bool) -> End:
        if condition is not None:
            guards.refine(frame, condition, outcome)
        found.append(frame.evaluate(branch))
        return ""

    frame.ways(partial(way, node.get("consequence"), True), partial(way, node.get("alternative"), False))
    return join_all(found)


def _assignment(frame: Frame, node: Node) -> Value:
    left, right = node.get("left"), node.get("right")
    if left is None or right is None:
        return UNKNOWN
    value = frame.evaluate(right)
    patterns.take_apart(frame, left, value)
    return value


def _augmented(frame: Frame, node: Node) -> Value:
    left, right, operator = node.get("left"), node.get("right"), _operator(node)
    if left is None or right is None:
        return UNKNOWN
    before, given = frame.evaluate(left), frame.evaluate(right)
    if operator == "+=":
        value = joined_text([before, given])
    elif operator in {"||=", "&&=", "??="}:
        value = join(before, given)
    else:
        value = UNKNOWN
    patterns.take_apart(frame, left, value)
    return value


def _member(frame: Frame, node: Node) -> Value:
    holder, name = node.get("object"), node.get("property")
    if holder is None or name is None:
        return UNKNOWN
    if holder.kind == "super":
        return _of_super(frame, name.text)
    return members.read(frame, frame.evaluate(holder), name.text, node)


def _of_super(frame: Frame, name: str) -> Value:
    base = list(frame.home.lineage())[1:2] if frame.home is not None else []
    method = base[0].method(name) if base else None
    return UNKNOWN if method is None else Value(type(method)(method.code, method.scope, frame.this, method.home))


def _subscript(frame: Frame, node: Node) -> Value:
    return members.item(frame, frame.evaluate(node.get("object")), frame.evaluate(node.get("index")), node)


def _object(frame: Frame, node: Node) -> Value:
    entries: dict[str, Value] = {}
    for child in node.children:
        if child.kind == "spread_element":
            _spread(entries, _first(frame, child))
            continue
        key, given = child.get("key") or child.get("name"), child.get("value")
        if child.kind == "shorthand_property_identifier":
            name: str | None = child.text
            value = _identifier(frame, child)
        elif child.kind == "method_definition":
            name = members.key_text(frame, key) if key is not None else None
            value = classes.function(frame, child, name or "")
        else:
            name = members.key_text(frame, key) if key is not None else None
            value = (
                classes.function(frame, given, name or "")
                if given and given.kind in FUNCTIONS
                else frame.evaluate(given)
            )
        if name is not None:
            sinks.named_value(frame, name, value, child)
        _put(entries, REST if name is None else name, value)
    return made(entries.items())


def _put(entries: dict[str, Value], name: str, value: Value) -> None:
    entries[name] = join(entries[REST], value) if name == REST and REST in entries else value


def _spread(entries: dict[str, Value], value: Value) -> None:
    if isinstance(value.shape, Obj):
        for key, each in value.shape.entries.items():
            _put(entries, key, each)
    elif isinstance(value.shape, Ref) or value.taints:
        _put(entries, REST, tainted(taints_in(value)))


def _array(frame: Frame, node: Node) -> Value:
    items: list[Value] = []
    rest: Value | None = None
    for child in node.children:
        if child.kind == "spread_element":
            given = _first(frame, child)
            if isinstance(given.shape, Obj) and REST not in given.shape.entries and given.shape.kind == "array":
                items += given.shape.items()
            else:
                inner = elements(given)
                rest = inner if rest is None else join(rest, inner)
        else:
            items.append(frame.evaluate(child))
    return array(items, rest)


def _function(frame: Frame, node: Node) -> Value:
    return classes.function(frame, node)


def _class(frame: Frame, node: Node) -> Value:
    return classes.define(frame, node)


def _this(frame: Frame, _node: Node) -> Value:
    return frame.this


def _sequence(frame: Frame, node: Node) -> Value:
    value = UNKNOWN
    for child in node.children:
        value = frame.evaluate(child)
    return value


def _yield(frame: Frame, node: Node) -> Value:
    value = _first(frame, node)
    frame.returned.append(array((), value))
    return UNKNOWN


def _attribute(frame: Frame, node: Node) -> Value:
    """Of an element: `dangerouslySetInnerHTML={{__html: x}}`, `href={x}`"""
    value = _first(frame, node.children[1]) if len(node.children) > 1 and node.children[1].children else UNKNOWN
    if node.children:
        sinks.attribute(frame, node.children[0].text, value, node)
    return UNKNOWN


HANDLERS: dict[str, Callable[[Frame, Node], Value]] = {
    "identifier": _identifier,
    "shorthand_property_identifier": _identifier,
    "undefined": lambda _frame, _node: UNDEFINED,
    "null": lambda _frame, _node: NULL,
    "true": lambda _frame, _node: TRUE,
    "false": lambda _frame, _node: FALSE,
    "string": _string,
    "number": _number,
    "regex": _regex,
    "template_string": _template,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "update_expression": lambda frame, node: Value(None, ()) if frame.evaluate(node.get("argument")) else UNKNOWN,
    "ternary_expression": _ternary,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _augmented,
    "member_expression": _member,
    "subscript_expression": _subscript,
    "object": _object,
    "array": _array,
    "function_expression": _function,
    "generator_function": _function,
    "arrow_function": _function,
    "class": _class,
    "this": _this,
    "super": _this,
    "call_expression": calls.call,
    "new_expression": calls.new,
    "await_expression": _first,
    "parenthesized_expression": _first,
    "as_expression": _first,
    "satisfies_expression": _first,
    "non_null_expression": _first,
    "type_assertion": lambda frame, node: frame.evaluate(node.children[-1]) if node.children else UNKNOWN,
    "sequence_expression": _sequence,
    "yield_expression": _yield,
    "spread_element": _first,
    "jsx_attribute": _attribute,
    "type_alias_declaration": _nothing,
    "interface_declaration": _nothing,
    "ambient_declaration": _nothing,
    "type_annotation": _nothing,
    "ERROR": _nothing,
}
