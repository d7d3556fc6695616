"""What a condition says of the data in it: in one of its branches it may be harmless."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from omni.verify.dataflow.guards import WIDE
from omni.verify.dataflow.model import lookup
from omni.verify.dataflow.sinks import HOST_IS_FIXED
from omni.verify.dataflow_javascript import calls
from omni.verify.dataflow_javascript.frame import End
from omni.verify.dataflow_javascript.harmless import ADDRESS, EVERYTHING, bare, clear, clear_origins
from omni.verify.dataflow_javascript.library import taken_away
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import (
    Const,
    Func,
    Obj,
    Question,
    Ref,
    Value,
    prefix,
    taints_in,
)

if TYPE_CHECKING:
    from omni.verify.dataflow_javascript.frame import Frame

EQUAL = frozenset({"===", "=="})
UNEQUAL = frozenset({"!==", "!="})
ASKS = re.compile(
    r"(^|\.)(includes|has|hasOwn|hasOwnProperty|test|startsWith|endsWith|some|every|(is|has|check|valid)[A-Z]\w*)$"
)
PLAIN_TYPES = frozenset({"number", "boolean", "bigint", "undefined", "symbol"})


def question(node: Node) -> bool:
    """Whether it is answered by true or false."""
    node = bare(node)
    if node.kind == "binary_expression":
        return True
    if node.kind == "unary_expression":
        return _operator(node) == "!"
    return node.kind == "call_expression" and bool(ASKS.search(node.text.partition("(")[0]))


def _operator(node: Node) -> str:
    operator = node.get("operator")
    return operator.text if operator is not None else ""


def refine(frame: Frame, node: Node, outcome: bool) -> None:
    """Note what is known when the condition came out so."""
    node = bare(node)
    if node.kind == "unary_expression" and _operator(node) == "!":
        inner = node.get("argument")
        if inner is not None:
            refine(frame, inner, not outcome)
    elif node.kind == "binary_expression":
        _of_two(frame, node, outcome)
    elif node.kind == "call_expression":
        _asked(frame, node, outcome)
    elif node.kind == "subscript_expression" and outcome:
        holder, index = node.get("object"), node.get("index")
        if holder is not None and index is not None and not taints_in(frame.evaluate(holder)):
            clear(frame, index, _all_but_prototype(frame))
    elif node.kind == "identifier":
        held = frame.scope.find(node.text)
        if held is not None and isinstance(held.shape, Question):
            refine(frame, held.shape.node, outcome)


def _all_but_prototype(frame: Frame) -> frozenset[str]:
    return frozenset(frame.machine.models.weaknesses) - {"prototype"}


def _of_two(frame: Frame, node: Node, outcome: bool) -> None:
    left, right, operator = node.get("left"), node.get("right"), _operator(node)
    if left is None or right is None:
        return
    if operator in {"&&", "||"}:
        if (operator == "&&") is outcome:
            refine(frame, left, outcome)
            refine(frame, right, outcome)
        else:
            _either(frame, left, right, outcome)
    elif operator in EQUAL or operator in UNEQUAL:
        _compared(frame, left, right, (operator in EQUAL) is outcome)
    elif operator == "in" and outcome and not taints_in(frame.evaluate(right)):
        clear(frame, left, _all_but_prototype(frame))
    elif operator in {">", ">=", "<", "<="}:
        _position(frame, left, operator, right, outcome)


def _either(frame: Frame, left: Node, right: Node, outcome: bool) -> None:
    """One of them came out so; the second is asked only if the first did not."""

    def first() -> End:
        refine(frame, left, outcome)
        return ""

    def second() -> End:
        refine(frame, left, not outcome)
        refine(frame, right, outcome)
        return ""

    frame.ways(first, second)


def _compared(frame: Frame, left: Node, right: Node, same: bool) -> None:
    for one, other in ((bare(left), right), (bare(right), left)):
        said = frame.evaluate(other)
        if one.kind == "unary_expression" and _operator(one) == "typeof":
            inner = one.get("argument")
            if same and said.text is not None and inner is not None:
                text_only = frozenset({"nosql", "object"}) if said.text == "string" else frozenset()
                clear(frame, inner, EVERYTHING if said.text in PLAIN_TYPES else text_only)
            return
        if one.kind == "call_expression" and isinstance(said.shape, Const) and said.shape.type in {"number", "boolean"}:
            _by_number(frame, one, said, same)
            return
        if same and _is_beginning(one) and not taints_in(said):
            clear(frame, one.children[0].children[0], frozenset({"below"}))
            return
    equal(frame, left, right) if same else _unequal(frame, left, right)


def _is_beginning(node: Node) -> bool:
    """`x.slice(0, folder.length)`"""
    method = node.children[0].get("property") if node.kind == "call_expression" and node.children else None
    return method is not None and method.text in {"slice", "substring", "substr"}


def _by_number(frame: Frame, call: Node, said: Value, same: bool) -> None:
    """`x.indexOf(y) === -1`, `f(x) === true`"""
    function = call.get("function")
    method = function.get("property") if function is not None else None
    value = said.shape.value if isinstance(said.shape, Const) else None
    if isinstance(value, bool):
        _asked(frame, call, value is same)
    elif method is not None and method.text in {"indexOf", "search", "findIndex", "lastIndexOf"}:
        if value == -1:
            _asked(frame, call, not same)
        elif value == 0:
            _begins(frame, call, same)


def _position(frame: Frame, left: Node, operator: str, right: Node, outcome: bool) -> None:
    """`list.indexOf(x) >= 0`, `> -1`, `< 0`"""
    call = bare(left)
    said = frame.evaluate(right).shape
    if call.kind != "call_expression" or not isinstance(said, Const):
        return
    if (operator, said.value) in {(">=", 0.0), (">", -1.0)}:
        _asked(frame, call, outcome)
    elif (operator, said.value) in {("<", 0.0), ("<=", -1.0)}:
        _asked(frame, call, not outcome)


def equal(frame: Frame, left: Node, right: Node) -> None:
    """Both are the same: what is compared with something harmless is harmless."""
    one, other = frame.evaluate(left), frame.evaluate(right)
    if taints_in(one) and not taints_in(other):
        clear(frame, left, EVERYTHING)
    elif taints_in(other) and not taints_in(one):
        clear(frame, right, EVERYTHING)


def _unequal(frame: Frame, left: Node, right: Node) -> None:
    for one, other in ((left, right), (right, left)):
        if frame.evaluate(other).text == "__proto__":
            clear(frame, one, frozenset({"prototype"}))


def _asked(frame: Frame, node: Node, outcome: bool) -> None:
    function, given = node.get("function"), node.get("arguments")
    if function is None or given is None:
        return
    method_node = function.get("property")
    if outcome and method_node is not None and method_node.text in {"some", "every", "find"}:
        _some(frame, frame.evaluate(function.children[0]), given.children)
        return
    inputs = [*([function.children[0]] if function.kind == "member_expression" else []), *given.children]
    if not any(taints_in(frame.evaluate(each)) for each in inputs):
        return
    receiver, target, method = calls.callee(frame, function)
    subject = function.get("object")
    if isinstance(target.shape, Func):
        _by_function(frame, target.shape, given.children, outcome)
        return
    argument = given.children[0] if given.children else None
    if method in {"includes", "indexOf", "has", "hasOwnProperty", "hasOwn", "contains"} and subject and argument:
        _member(frame, subject, receiver, given.children, outcome)
    elif method in {"test", "match", "exec", "search"} and subject is not None and argument is not None:
        _matched(frame, subject, receiver, argument, outcome)
    elif method in {"startsWith", "endsWith"} and subject is not None and argument is not None:
        _started(frame, method, subject, frame.evaluate(argument), outcome)
    else:
        _by_table(frame, target, method, subject, given.children, outcome)


def _by_table(frame: Frame, target: Value, method: str, subject: Node | None, given: list[Node], outcome: bool) -> None:
    models = frame.machine.models
    name = target.shape.name if isinstance(target.shape, Ref) else f"*.{method}"
    for guard in lookup(models.guards, name):
        about = subject if guard.argument < 0 else given[guard.argument] if guard.argument < len(given) else None
        if guard.answer is outcome and about is not None:
            clear(frame, about, frozenset(guard.clears))
    if outcome and models.predicates.search(method):
        for each in given[:1]:
            clear(frame, each, EVERYTHING)


def _by_function(frame: Frame, func: Func, given: list[Node], outcome: bool) -> None:
    """A function of the program that gives one answer: what it asks is asked here."""
    body = func.code.body
    if body is not None and body.kind == "statement_block":
        first = body.children[-1] if len(body.children) == 1 else None
        body = first.children[0] if first is not None and first.kind == "return_statement" and first.children else None
    if body is None or not question(body):
        return
    machine = frame.machine
    from omni.verify.dataflow_javascript.program import Scope, parameter_name

    inner = type(frame)(machine, func.code.module, Scope(func.scope, function=True), frame.this, func.home, func.code)
    values = [frame.evaluate(each) for each in given]
    names = [parameter_name(each) for each in func.code.parameters]
    for name, value in zip(names, values, strict=False):
        inner.declare(name, value)
    refine(inner, body, outcome)
    for name, value, node in zip(names, values, given, strict=False):
        after = inner.scope.values.get(name)
        if after is not None and after is not value:
            known = [taint.cleared for taint in taints_in(after)]
            clear(frame, node, frozenset.intersection(*known) if known else EVERYTHING)


def _holds(shape: Obj, text: str) -> bool:
    return any(each.text == text for each in shape.entries.values())


def _member(frame: Frame, subject: Node, receiver: Value, given: list[Node], outcome: bool) -> None:
    """`list.includes(x)`, or `text.includes("..")`"""
    argument = given[-1]
    asked = frame.evaluate(argument)
    if taints_in(receiver):
        if not outcome and asked.text is not None:
            clear(frame, subject, taken_away(f"/{re.escape(asked.text)}/"))
        return
    if outcome and taints_in(asked) and not isinstance(receiver.shape, Const):
        own = isinstance(receiver.shape, Obj) and receiver.shape.kind == "object"
        clear(frame, argument, _all_but_prototype(frame) if own else EVERYTHING)
    elif not outcome and isinstance(receiver.shape, Obj) and _holds(receiver.shape, "__proto__"):
        clear(frame, argument, frozenset({"prototype"}))


def _matched(frame: Frame, subject: Node, receiver: Value, argument: Node, outcome: bool) -> None:
    """`/^\\d+$/.test(x)`, `x.match(/…/)`"""
    pattern, about = (receiver, argument)
    if taints_in(receiver):
        pattern, about = frame.evaluate(argument), subject
    if not isinstance(pattern.shape, Const) or pattern.shape.type != "regex":
        if outcome and pattern.shape is None and not pattern.taints:
            clear(frame, about, EVERYTHING)  # an expression that is kept elsewhere
        return
    text = str(pattern.shape.value)
    body, _, flags = text[1:].rpartition("/")
    if outcome and body.startswith("^") and body.endswith("$") and "m" not in flags and not WIDE.search(body):
        clear(frame, about, EVERYTHING)
    elif outcome and HOST_IS_FIXED.match(body.lstrip("^").replace("\\", "")) and body.startswith("^"):
        clear(frame, about, ADDRESS)
    elif not outcome:
        clear(frame, about, taken_away(text))


def _started(frame: Frame, method: str, subject: Node, asked: Value, outcome: bool) -> None:
    if taints_in(asked):
        return
    text = prefix(asked.shape)
    if not outcome:
        if method == "startsWith" and text is not None and text.startswith("."):
            _undotted(frame, subject)
        elif text == "//":
            clear(frame, subject, frozenset({"one-slash"}))
        return
    if method == "endsWith":
        return
    if text is None or text not in {"/", ".", "http", "https://", "http://", "//", ""}:
        clear(frame, subject, frozenset({"below"}))
    if text is None or (HOST_IS_FIXED.match(text) and text != "/"):
        clear(frame, subject, ADDRESS)
    if text == "/":
        clear(frame, subject, frozenset({"slash"}))


def _undotted(frame: Frame, subject: Node) -> None:
    """It does not begin with `..`: as seen from a folder, the path itself is below that."""
    value = frame.evaluate(subject)
    if any("seen-from" in taint.cleared for taint in taints_in(value)):
        clear_origins(frame, value, frozenset({"path"}))
    clear(frame, subject, frozenset({"undotted"}))


def _begins(frame: Frame, call: Node, outcome: bool) -> None:
    """`path.indexOf(root) === 0`"""
    function, given = call.get("function"), call.get("arguments")
    subject = function.get("object") if function is not None else None
    if subject is not None and given is not None and given.children:
        _started(frame, "startsWith", subject, frame.evaluate(given.children[0]), outcome)


def _some(frame: Frame, receiver: Value, given: list[Node]) -> None:
    """`allowed.some(each => each === x)`: one of them is like it."""
    func = frame.evaluate(given[0]).shape if given else None
    if not isinstance(func, Func) or taints_in(receiver):
        return
    body = func.code.body
    if body is None:
        return
    for each in body.walk():
        if each.kind == "binary_expression" and _operator(each) in EQUAL:
            for side in (each.get("left"), each.get("right")):
                if side is not None and _root(side) is not None and taints_in(frame.evaluate(side)):
                    clear(frame, side, EVERYTHING)


def _root(node: Node) -> Node | None:
    node = bare(node)
    return node if node.kind in {"identifier", "member_expression"} else None
