"""Cyclomatic complexity (T. J. McCabe, 1976): the number of independent paths through a function."""

from __future__ import annotations

import ast

from omni.verify.analysis.python import Function

Branch = (
    ast.If | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler | ast.IfExp | ast.comprehension | ast.match_case
)


def complexity(function: Function) -> int:
    """One, and one for each decision; functions inside are counted for themselves."""
    return 1 + sum(map(_decisions, _own(function)))


def _own(function: Function) -> list[ast.AST]:
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return found


def _decisions(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, Branch))
