"""Docstrings that promise what the code does not do: parameters it has not, results it never gives, unknown errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from omni.verify.analysis.docstrings import Promises, read_docstring
from omni.verify.analysis.python import Function, body_without_docstring, functions, last_name
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity

PARAMETER = Rule(
    "docstrings",
    "unknown-parameter",
    Severity.WARNING,
    "Who calls it as documented gets a TypeError, or believes in an option that does nothing.",
    "Name the parameters as they are, or add the one that is missing.",
    "CWE-1116",
)
UNDOCUMENTED = Rule(
    "docstrings",
    "parameter-left-out",
    Severity.NOTE,
    "The list looks complete and is not.",
    "Add the parameter to the list, or describe it in prose.",
)
RETURN = Rule(
    "docstrings",
    "nothing-returned",
    Severity.WARNING,
    "Who uses the result as documented gets None.",
    "Return what is documented, or remove it from the docstring.",
    "CWE-1116",
)
EXCEPTION = Rule(
    "docstrings",
    "never-raised",
    Severity.WARNING,
    "Callers catch what never comes, and miss what does.",
    "Name the exceptions that are raised, or raise this one where the docstring says.",
    "CWE-1116",
)


def run(context: Context) -> Iterator[Item]:
    trees: dict[File, ast.Module] = {}
    for file, tree in context.parsed_python():
        if isinstance(tree, Unseen):
            yield tree
        else:
            trees[file] = tree
    unraised = _declared_errors(trees) - _mentioned(trees)
    for file, tree in trees.items():
        for line, rule, message in _contradictions(tree, unraised):
            yield rule.at(file.path, line, message)


def _declared_errors(trees: dict[File, ast.Module]) -> frozenset[str]:
    """Exceptions of the project's own."""
    return frozenset(
        node.name
        for tree in trees.values()
        for node in walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(last_name(base).endswith(("Error", "Exception", "Warning")) for base in node.bases)
    )


def _mentioned(trees: dict[File, ast.Module]) -> frozenset[str]:
    """What the project uses in any way but to import it, to catch it or to say that there is such a class."""
    found: set[str] = set()
    for tree in trees.values():
        caught = {
            id(name)
            for node in walk(tree)
            if isinstance(node, ast.ExceptHandler) and node.type is not None
            for name in walk(node.type)
        }
        for node in walk(tree):
            if isinstance(node, ast.Name | ast.Attribute) and id(node) not in caught:
                found.add(last_name(node))
            elif isinstance(node, ast.alias) and node.asname:
                found.add(node.name)  # used by another name
    return frozenset(found)


def _contradictions(tree: ast.Module, unraised: frozenset[str]) -> Iterator[tuple[int, Rule, str]]:
    for function, owner in functions(tree):
        documented = ast.get_docstring(function, clean=False)
        if documented is None or _is_declaration(function):
            continue
        promises = read_docstring(documented)
        first = function.body[0].lineno
        is_method = owner is not None and "staticmethod" not in map(last_name, function.decorator_list)
        yield from _parameters(promises, function, first, skip_first=is_method)
        if promises.returns is not None and not _gives(function):
            yield (
                first + promises.returns,
                RETURN,
                f"`{function.name}` is documented to return something, and returns None",
            )
        for name in promises.raises.keys() & unraised:
            yield (
                first + promises.raises[name],
                EXCEPTION,
                f"`{name}` is documented, and nothing in the project raises it",
            )
    for node in walk(tree):
        if isinstance(node, ast.ClassDef) and (documented := ast.get_docstring(node, clean=False)):
            made = next((each for each in node.body if isinstance(each, Function) and each.name == "__init__"), None)
            promises = read_docstring(documented)
            if made is not None and not node.decorator_list:
                yield from _parameters(promises, made, node.body[0].lineno, skip_first=True)


def _parameters(
    promises: Promises, function: Function, first: int, *, skip_first: bool
) -> Iterator[tuple[int, Rule, str]]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    names = {each.arg for each in named}
    open_ended = {each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None}
    wrapped = any(last_name(each) not in PLAIN for each in function.decorator_list)
    if not open_ended and not wrapped:
        for name, line in promises.parameters.items():
            if name not in names:
                yield first + line, PARAMETER, f"`{function.name}` has no parameter `{name}`"
    left_out = [
        each.arg
        for each in named[skip_first:]
        if each.arg not in promises.parameters and not each.arg.startswith("_") and each.arg not in {"self", "cls"}
    ]
    if len(promises.parameters) >= 2 and left_out and not wrapped:
        yield (
            first,
            UNDOCUMENTED,
            f"`{function.name}` documents its parameters but {', '.join(f'`{n}`' for n in left_out)}",
        )


PLAIN = frozenset({"staticmethod", "classmethod", "property", "override", "cache", "lru_cache", "final", "wraps"})
"""Decorators that leave the parameters as they are written."""


def _is_declaration(function: Function) -> bool:
    """It has no body of its own: abstract, overloaded, or only raises."""
    if {"abstractmethod", "overload", "abstractproperty"} & {last_name(each) for each in function.decorator_list}:
        return True
    body = body_without_docstring(function)
    if not body:
        return True
    only = body[0]
    bare = isinstance(only, ast.Pass | ast.Raise) or (
        isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant)
    )
    return len(body) == 1 and bare


def _gives(function: Function) -> bool:
    """Whether it returns or yields something, or ends in a call that may never come back."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            continue
        if (isinstance(node, ast.Return) and node.value is not None) or isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        todo += ast.iter_child_nodes(node)
    last = function.body[-1]
    return isinstance(last, ast.Raise)


CHECK = Check(
    id="docstrings",
    title="Docstrings say what the code does",
    tier=2,
    languages=("python",),
    run=run,
)
