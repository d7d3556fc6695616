"""What each kind of statement does to what is known. Each handler says whether the next statement is reached."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from omni.verify.dataflow import attributes, containers, definitions, guards, sinks
from omni.verify.dataflow.assignment import assign, write_back
from omni.verify.dataflow.binding import Arguments
from omni.verify.dataflow.expressions import iterated, operate
from omni.verify.dataflow.folding import compare, truth
from omni.verify.dataflow.frame import Loop, Names
from omni.verify.dataflow.project import import_base
from omni.verify.dataflow.value import (
    NONE,
    UNKNOWN,
    Instance,
    ModuleRef,
    Ref,
    Sequence,
    Value,
    join_names,
    tainted,
    taints_in,
)
from omni.verify.parsing import walk

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame

MOST_ROUNDS = 3
"""Of a loop: then what is known of each name has nearly always settled."""


def _expression(frame: Frame, node: ast.Expr) -> bool:
    if not isinstance(node.value, ast.Constant):
        value = frame.evaluate(node.value)
        return not _never_returns(value)
    return True


def _never_returns(value: Value) -> bool:
    """`sys.exit()`, `abort(404)`"""
    return isinstance(value.shape, Ref) and value.shape.name in {"flask.abort()", "sys.exit()", "os._exit()"}


def _assign(frame: Frame, node: ast.Assign) -> bool:
    value = frame.evaluate(node.value)
    for target in node.targets:
        assign(frame, target, value, node)
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Name) and target.id != node.value.id:
            frame.aliases[target.id] = frame.aliases.get(node.value.id, node.value.id)
    return True


def _annotated(frame: Frame, node: ast.AnnAssign) -> bool:
    if frame.owner is not None and frame.function is None and isinstance(node.target, ast.Name):
        frame.owner.fields[node.target.id] = node.annotation
    if node.value is not None:
        assign(frame, node.target, frame.evaluate(node.value), node)
    return True


def _augmented(frame: Frame, node: ast.AugAssign) -> bool:
    before, more = frame.evaluate(node.target), frame.evaluate(node.value)
    after = operate(node.op, before, more)
    if isinstance(before.shape, Sequence):
        write_back(frame, node.target, after)
    else:
        assign(frame, node.target, after, node)
    return True


def _return(frame: Frame, node: ast.Return) -> bool:
    value = NONE if node.value is None else frame.evaluate(node.value)
    if frame.function is not None:
        sinks.named_value(frame, frame.function.name, value, node)
        if frame.function in frame.machine.pages:
            value = sinks.returned(frame, value, node)
    frame.returned.append(value)
    return False


def _raise(frame: Frame, node: ast.Raise) -> bool:
    for each in (node.exc, node.cause):
        if each is not None:
            frame.evaluate(each)
    return False


def _if(frame: Frame, node: ast.If) -> bool:
    answer = truth(frame.evaluate(node.test))
    return branches(
        frame,
        [
            lambda: answer is not False and _branch(frame, node.test, True, node.body),
            lambda: answer is not True and _branch(frame, node.test, False, node.orelse),
        ],
        [answer is not False, answer is not True],
    )


def _branch(frame: Frame, test: ast.expr, outcome: bool, body: list[ast.stmt]) -> bool:
    guards.refine(frame, test, outcome)
    return frame.run(body)


def branches(frame: Frame, ways: list[Callable[[], bool]], possible: list[bool]) -> bool:
    """Run each possible way from the same state, and join the states in which they end."""
    before = frame.names
    ends: list[Names] = []
    for way, may in zip(ways, possible, strict=True):
        if not may:
            continue
        frame.names = dict(before)
        if way():
            ends.append(frame.names)
    frame.names = merged(ends) if ends else before
    return bool(ends)


def merged(states: Iterable[Names]) -> Names:
    result: Names | None = None
    for state in states:
        result = state if result is None else join_names(result, state)
    return {} if result is None else result


def _for(frame: Frame, node: ast.For | ast.AsyncFor) -> bool:
    given = iterated(frame, node.iter)
    shape = given.shape
    if isinstance(shape, Sequence) and shape.rest is None and not shape.items:
        return frame.run(node.orelse)
    certain = isinstance(shape, Sequence) and shape.rest is None
    element = containers.element(given)

    def once() -> None:
        assign(frame, node.target, element, node)

    return _loop(frame, node.body, node.orelse, once, None, certain)


def _while(frame: Frame, node: ast.While) -> bool:
    answer = truth(frame.evaluate(node.test))
    if answer is False:
        return frame.run(node.orelse)
    endless = isinstance(node.test, ast.Constant) and answer is True
    return _loop(frame, node.body, node.orelse, lambda: None, node.test, answer is True, endless)


def _loop(
    frame: Frame,
    body: list[ast.stmt],
    orelse: list[ast.stmt],
    once: Callable[[], None],
    test: ast.expr | None,
    certain: bool,
    endless: bool = False,
) -> bool:
    """Rounds until nothing new is learned. `certain`: there is at least one."""
    loop = Loop()
    frame.loops.append(loop)
    start = frame.names
    ends: list[Names] = [] if certain else [start]
    state = start
    for _ in range(MOST_ROUNDS):
        frame.names = dict(state)
        once()
        if test is not None:
            frame.evaluate(test)
            guards.refine(frame, test, True)
        reached = frame.run(body)
        rounds = [*([frame.names] if reached else []), *loop.continued]
        loop.continued = []
        if not rounds:
            break
        end = merged(rounds)
        ends.append(end)
        after = join_names(state, end)
        if after == state:
            break
        state = after
    frame.loops.pop()
    frame.names = dict(merged(ends)) if ends else start
    if test is not None and not endless:
        guards.refine(frame, test, False)
    reached = bool(ends) and not endless and frame.run(orelse)
    leaving = [*([frame.names] if reached else []), *loop.broken]
    frame.names = merged(leaving) if leaving else start
    return bool(leaving)


def _break(frame: Frame, _node: ast.Break) -> bool:
    if frame.loops:
        frame.loops[-1].broken.append(frame.names)
    return False


def _continue(frame: Frame, _node: ast.Continue) -> bool:
    if frame.loops:
        frame.loops[-1].continued.append(frame.names)
    return False


def _try(frame: Frame, node: ast.Try) -> bool:
    before = frame.names
    frame.names = dict(before)
    reached = frame.run(node.body)
    after = frame.names
    anywhere = join_names(before, after)  # an exception comes from between the two
    ends: list[Names] = []
    if reached and frame.run(node.orelse):
        ends.append(frame.names)
    for handler in node.handlers:
        frame.names = dict(anywhere)
        if handler.name:
            frame.bind(handler.name, UNKNOWN)
        if frame.run(handler.body):
            ends.append(frame.names)
    frame.names = merged(ends) if ends else dict(anywhere)
    final = frame.run(node.finalbody)
    return bool(ends) and final


def _with(frame: Frame, node: ast.With | ast.AsyncWith) -> bool:
    for each in node.items:
        value = frame.evaluate(each.context_expr)
        enter = attributes.method(value, "__enter__") or attributes.method(value, "__aenter__")
        if enter is not None:
            value = frame.machine.call(enter, Arguments(), frame, node)
        elif isinstance(value.shape, Sequence) and value.shape.rest is not None:  # a generator as context manager
            value = value.shape.rest
        if each.optional_vars is not None:
            assign(frame, each.optional_vars, value, node)
    return frame.run(node.body)


def _match(frame: Frame, node: ast.Match) -> bool:
    subject = frame.evaluate(node.subject)
    before = frame.names
    ends: list[Names] = []
    for case in node.cases:
        fits = _fits(frame, subject, case.pattern)
        if fits is False:
            continue
        frame.names = dict(before)
        _capture(frame, case.pattern, subject, node.subject, node)
        allowed = True if case.guard is None else truth(frame.evaluate(case.guard))
        if allowed is False:
            continue
        if case.guard is not None:
            guards.refine(frame, case.guard, True)
        if frame.run(case.body):
            ends.append(frame.names)
        if fits is True and allowed is True:
            break
    else:
        ends.append(before)
    frame.names = merged(ends) if ends else before
    return bool(ends)


def _fits(frame: Frame, subject: Value, pattern: ast.pattern) -> bool | None:
    if isinstance(pattern, ast.MatchValue):
        return compare(ast.Eq(), subject, frame.evaluate(pattern.value))
    if isinstance(pattern, ast.MatchSingleton):
        return compare(ast.Is(), subject, NONE) if pattern.value is None else None
    if isinstance(pattern, ast.MatchAs):
        return True if pattern.pattern is None else _fits(frame, subject, pattern.pattern)
    if isinstance(pattern, ast.MatchOr):
        answers = [_fits(frame, subject, each) for each in pattern.patterns]
        return True if True in answers else None if None in answers else False
    return None


def _capture(frame: Frame, pattern: ast.pattern, subject: Value, place: ast.expr, node: ast.AST) -> None:
    """Names in the pattern get what they match; a name that is compared with a constant is harmless."""
    literal = isinstance(pattern, ast.MatchValue) or (
        isinstance(pattern, ast.MatchOr) and all(isinstance(each, ast.MatchValue) for each in pattern.patterns)
    )
    if literal and isinstance(place, ast.Name):
        frame.names[place.id] = UNKNOWN
    for each in walk(pattern):
        name = getattr(each, "name", None) or getattr(each, "rest", None)
        if isinstance(name, str):
            whole = each is pattern and isinstance(each, ast.MatchAs)
            assign(frame, ast.Name(name), subject if whole else tainted(taints_in(subject)), node)


def _delete(frame: Frame, node: ast.Delete) -> bool:
    for target in node.targets:
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            container = frame.evaluate(target.value)
            if not isinstance(container.shape, Instance):
                write_back(frame, target.value, containers.without(container, frame.evaluate(target.slice)))
        elif isinstance(target, ast.Name):
            frame.names.pop(target.id, None)
    return True


def _import(frame: Frame, node: ast.Import) -> bool:
    for alias in node.names:
        if alias.asname:
            frame.bind(alias.asname, frame.machine.imported(alias.name))
            continue
        first = alias.name.split(".")[0]
        frame.machine.imported(alias.name)  # so that it is loaded
        value = frame.machine.imported(first)
        frame.bind(first, Value(Ref(first)) if value.shape is None else value)
    return True


def _import_from(frame: Frame, node: ast.ImportFrom) -> bool:
    base = import_base(frame.module, node)
    for alias in node.names:
        if alias.name != "*":
            frame.bind(alias.asname or alias.name, frame.machine.imported(f"{base}.{alias.name}"))
            continue
        module = frame.machine.imported(base)
        if isinstance(module.shape, ModuleRef):
            for name, value in list(module.shape.module.names.items()):
                if not name.startswith("_"):
                    frame.bind(name, value)
    return True


def _global(frame: Frame, node: ast.Global) -> bool:
    frame.globals.update(node.names)
    return True


def _assert(frame: Frame, node: ast.Assert) -> bool:
    answer = truth(frame.evaluate(node.test))
    guards.refine(frame, node.test, True)
    return answer is not False


HANDLERS: Mapping[type[ast.stmt], Callable[..., bool]] = {
    ast.AnnAssign: _annotated,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AsyncFor: _for,
    ast.AsyncFunctionDef: definitions.function,
    ast.AugAssign: _augmented,
    ast.Break: _break,
    ast.ClassDef: definitions.class_,
    ast.Continue: _continue,
    ast.Delete: _delete,
    ast.Expr: _expression,
    ast.For: _for,
    ast.FunctionDef: definitions.function,
    ast.Global: _global,
    ast.If: _if,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
}
