"""Which function of the program a call surely means."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from omni.verify.analysis.program import Program, Routine
from omni.verify.analysis.python import Function, dotted

TESTS = re.compile(r"(^|/)(tests?|testing|docs?|examples?|benchmarks?)(/|$)|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
"""Where a wrong value makes a test fail, and what is not closed ends with the test."""


def callee(program: Program, routine: Routine, call: ast.expr) -> Routine | None:
    """A function by its name, or a method of `self` that no other class has; None for all that is less sure."""
    if not isinstance(call, ast.Call) or not _is_plain(call.func):
        return None
    name = dotted(call.func)
    first, _, rest = name.partition(".")
    if first in {"self", "cls"} and routine.owner is not None and rest and "." not in rest:
        found = program.method(routine.owner, rest)
        return found if found is not None and len(program.methods.get(rest, ())) == 1 and is_plain(found) else None
    if first in local_names(routine.node):
        return None
    found = program.routines.get(program.resolve(routine.module, name))
    return found if found is not None and found.owner is None and is_plain(found) else None


def full_name(program: Program, routine: Routine, call: ast.Call) -> str:
    """`socket.socket` of a call of it however it was imported; the bare name of a builtin; empty for anything else."""
    if not _is_plain(call.func):
        return ""
    name = dotted(call.func)
    if name.partition(".")[0] in local_names(routine.node):
        return ""
    full = program.resolve(routine.module, name)
    return full.removeprefix(f"{routine.module}.") if full not in program.routines else ""


def is_plain(routine: Routine) -> bool:
    """Called, its body runs and gives what it returns: no generator, no coroutine, nothing that a decorator changes."""
    node = routine.node
    known = {"staticmethod", "classmethod", "override", "final"}
    decorated = any(dotted(each).rpartition(".")[2] not in known for each in node.decorator_list)
    generates = any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own_nodes(node))
    return isinstance(node, ast.FunctionDef) and not decorated and not generates


@lru_cache(maxsize=16384)
def own_nodes(function: Function) -> tuple[ast.AST, ...]:
    """All nodes of its body but those of functions and classes in it."""
    return tuple(_own_nodes(function))


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))


@lru_cache(maxsize=16384)
def local_names(function: Function) -> frozenset[str]:
    """Parameters, and what is bound in the body."""
    arguments = function.args
    given = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    bound = {node.id for node in own_nodes(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(bound | {each.arg for each in given if each is not None})


def parameter_of(call: ast.Call, called: Routine, given: ast.expr) -> str:
    """The parameter of `called` that the argument `given` is bound to; empty where that is not plain to see."""
    arguments = called.node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    if called.owner is not None and not any(dotted(each) == "staticmethod" for each in called.node.decorator_list):
        names = names[1:]
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return ""
    if given in call.args:
        at = call.args.index(given)
        return names[at] if at < len(names) else ""
    return next((each.arg or "" for each in call.keywords if each.value is given), "")


def _is_plain(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
