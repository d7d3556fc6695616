"""What each kind of statement does. A handler says how it ended; empty: the next one is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from omni.verify.dataflow_javascript import classes, guards, modules, patterns, sinks
from omni.verify.dataflow_javascript.frame import End, Frame, merged
from omni.verify.dataflow_javascript.program import Scope
from omni.verify.dataflow_javascript.tree import Node
from omni.verify.dataflow_javascript.value import UNDEFINED, UNKNOWN, Const, Question, Value, elements, keys

DECLARES = frozenset(
    {"lexical_declaration", "class_declaration", "function_declaration", "generator_function_declaration"}
)
HOISTED = frozenset({"function_declaration", "generator_function_declaration"})
ROUNDS = 2
"""Times that a loop is run: what one round leaves, the next one finds."""


def run_all(frame: Frame, body: Sequence[Node]) -> End:
    for each in body:
        inner = each.get("declaration") if each.kind == "export_statement" else each
        if inner is not None and inner.kind in HOISTED:
            _function(frame, inner)
    for statement in body:
        end = run(frame, statement)
        if end:
            return end
    return ""


def run(frame: Frame, node: Node) -> End:
    frame.machine.tick()
    handler = HANDLERS.get(node.kind)
    if handler is not None:
        return handler(frame, node)
    frame.evaluate(node)
    return ""


def give(frame: Frame, value: Value, node: Node) -> None:
    """The function returns this."""
    if frame.page:
        sinks.returned(frame, value, node)
    frame.returned.append(value)


def _block(frame: Frame, node: Node) -> End:
    if not any(child.kind in DECLARES for child in node.children):
        return run_all(frame, node.children)
    outer = frame.scope
    frame.scope = Scope(outer)
    try:
        return run_all(frame, node.children)
    finally:
        frame.scope = outer


def _expression(frame: Frame, node: Node) -> End:
    for child in node.children:
        frame.evaluate(child)
    return ""


def _declaration(frame: Frame, node: Node) -> End:
    whole = node.kind == "variable_declaration"
    for declarator in node.children:
        if declarator.kind != "variable_declarator":
            continue
        name, given = declarator.get("name"), declarator.get("value")
        if name is None or (given is None and whole):
            continue
        value = UNDEFINED if given is None else patterns.annotated(frame, declarator, frame.evaluate(given))
        if value.shape is None and not value.taints and given is not None and guards.question(given):
            value = Value(Question(given))
        patterns.take_apart(frame, name, value, declare=True, whole=whole)
    return ""


def _function(frame: Frame, node: Node) -> End:
    name = node.get("name")
    if name is not None:
        frame.declare(name.text, classes.function(frame, node, name.text), whole=False)
    return ""


def _hoisted(_frame: Frame, _node: Node) -> End:
    return ""


def _class(frame: Frame, node: Node) -> End:
    name = node.get("name")
    value = classes.define(frame, node)
    if name is not None:
        frame.declare(name.text, value)
    return ""


def _return(frame: Frame, node: Node) -> End:
    value = frame.evaluate(node.children[0]) if node.children else UNDEFINED
    give(frame, value, node.children[0] if node.children else node)
    return "return"


def _throw(frame: Frame, node: Node) -> End:
    _expression(frame, node)
    return "throw"


def _break(_frame: Frame, _node: Node) -> End:
    return "break"


def _continue(_frame: Frame, _node: Node) -> End:
    return "continue"


def _if(frame: Frame, node: Node) -> End:
    condition, then, other = node.get("condition"), node.get("consequence"), node.get("alternative")
    if condition is None:
        return ""
    said = frame.evaluate(condition).shape
    known = said.value if isinstance(said, Const) and isinstance(said.value, bool) else None

    def way(branch: Node | None, outcome: bool) -> End:
        guards.refine(frame, condition, outcome)
        return run(frame, branch) if branch is not None else ""

    if known is not None:
        return way(then if known else other, known)
    return frame.ways(partial(way, then, True), partial(way, other, False))


def _else(frame: Frame, node: Node) -> End:
    return run(frame, node.children[0]) if node.children else ""


def _loop(frame: Frame, before: Callable[[], None], body: Node | None, *, at_least_once: bool = False) -> None:
    """`before` is what each round begins with."""
    journal = frame.machine.journal
    for _ in range(ROUNDS):
        frame.loops.append([])
        mark = journal.mark()
        before()
        end = run(frame, body) if body is not None else ""
        change = journal.undo(mark)
        left = frame.loops.pop()
        if end in {"return", "throw"}:
            frame.exits.append(change)
        else:
            left.append(change)
        if left:
            journal.merge(*([] if at_least_once else [{}]), *left)


def _while(frame: Frame, node: Node) -> End:
    condition = node.get("condition")

    def before() -> None:
        if condition is not None:
            frame.evaluate(condition)
            guards.refine(frame, condition, True)

    _loop(frame, before, node.get("body"))
    if condition is not None and "break" not in {each.kind.removesuffix("_statement") for each in node.walk()}:
        guards.refine(frame, condition, False)
    return ""


def _do(frame: Frame, node: Node) -> End:
    _loop(frame, lambda: None, node.get("body"), at_least_once=True)
    frame.evaluate(node.get("condition"))
    return ""


def _for(frame: Frame, node: Node) -> End:
    outer = frame.scope
    frame.scope = Scope(outer)
    start, condition, increment = node.get("initializer"), node.get("condition"), node.get("increment")
    if start is not None and start.kind != "empty_statement":
        run(frame, start)

    def before() -> None:
        if condition is not None and condition.kind != "empty_statement":
            frame.evaluate(condition)
        frame.evaluate(increment)

    _loop(frame, before, node.get("body"))
    frame.scope = outer
    return ""


def _for_in(frame: Frame, node: Node) -> End:
    left, right, operator = node.get("left"), node.get("right"), node.get("operator")
    given = frame.evaluate(right)
    outer = frame.scope
    frame.scope = Scope(outer)
    value = elements(given) if operator is None or operator.text == "of" else keys(given)

    def before() -> None:
        if left is not None:
            kind = node.get("kind")
            patterns.take_apart(frame, left, value, declare=kind is not None)

    _loop(frame, before, node.get("body"))
    frame.scope = outer
    return ""


def _try(frame: Frame, node: Node) -> End:
    journal = frame.machine.journal
    body, handler, last = node.get("body"), node.get("handler"), node.get("finalizer")
    mark = journal.mark()
    exits = len(frame.exits)
    end: End = run(frame, body) if body is not None else ""
    change = journal.undo(mark)
    thrown = frame.exits[exits:]

    def whole() -> End:
        journal.apply(change)
        return end

    def caught() -> End:
        merged(frame, [change, *thrown])
        return _catch(frame, handler) if handler is not None else ""

    if handler is None:
        whole()
    else:
        end = frame.ways(whole, caught)
    after = run(frame, last.get("body") or last) if last is not None else ""
    return after or end


def _catch(frame: Frame, node: Node) -> End:
    outer = frame.scope
    frame.scope = Scope(outer)
    parameter, body = node.get("parameter"), node.get("body")
    if parameter is not None:
        patterns.take_apart(frame, parameter, UNKNOWN, declare=True)
    end: End = run(frame, body) if body is not None else ""
    frame.scope = outer
    return end


def _switch(frame: Frame, node: Node) -> End:
    subject, body = node.get("value"), node.get("body")
    frame.evaluate(subject)
    cases = body.children if body is not None else []
    frame.loops.append([])
    outer = frame.scope
    frame.scope = Scope(outer)

    def way(index: int) -> End:
        label = cases[index].get("value") if index < len(cases) else None
        if label is not None and subject is not None:
            guards.equal(frame, subject, label)
        for case in cases[index:]:  # without a break, the next ones are run, too
            end = run_all(frame, case.all("body"))
            if end:
                return end
        return ""

    ways = [partial(way, index) for index in range(len(cases))]
    if not any(case.kind == "switch_default" for case in cases):
        ways.append(partial(way, len(cases)))
    end: End = frame.ways(*ways) if ways else ""
    left = frame.loops.pop()
    frame.scope = outer
    if left:
        frame.machine.journal.merge(*([{}] if not end else []), *left)
    return "" if left or not end else end


def _labeled(frame: Frame, node: Node) -> End:
    body = node.get("body")
    return run(frame, body) if body is not None else ""


HANDLERS: dict[str, Callable[[Frame, Node], End]] = {
    "statement_block": _block,
    "expression_statement": _expression,
    "lexical_declaration": _declaration,
    "variable_declaration": _declaration,
    "function_declaration": _hoisted,
    "generator_function_declaration": _hoisted,
    "class_declaration": _class,
    "abstract_class_declaration": _class,
    "return_statement": _return,
    "throw_statement": _throw,
    "break_statement": _break,
    "continue_statement": _continue,
    "if_statement": _if,
    "else_clause": _else,
    "while_statement": _while,
    "do_statement": _do,
    "for_statement": _for,
    "for_in_statement": _for_in,
    "try_statement": _try,
    "switch_statement": _switch,
    "labeled_statement": _labeled,
    "import_statement": modules.run_import,
    "export_statement": modules.run_export,
    "enum_declaration": modules.run_enum,
    "internal_module": _labeled,
}
