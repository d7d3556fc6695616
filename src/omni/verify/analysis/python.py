"""Reading Python source: one parse per text, names as written, imports with what guards them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from omni.verify.parsing import parse_python

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    module: str
    """As written, without leading dots: `a.b` of `import a.b` and of `from a.b import c`."""
    names: tuple[str, ...]
    """What `from` takes; empty for a plain import."""
    line: int
    level: int
    """Leading dots of a relative import."""
    optional: bool
    """Inside `try` with an `except ImportError`, or under `if TYPE_CHECKING`: it may be absent at run time."""


@lru_cache(maxsize=4096)
def parse(text: str) -> ast.Module | None:
    """The tree, or None when this interpreter can't parse it. Never mutate it: it is shared."""
    try:
        return parse_python(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the ways in which ast.parse says no
        return None


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute; of a call, that of what is called; empty for anything else."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Name):
            return ".".join((node.id, *reversed(parts)))
        else:
            return ".".join(("", *reversed(parts))) if parts else ""


def last_name(node: ast.AST) -> str:
    return dotted(node).rpartition(".")[2]


def functions(tree: ast.AST) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """Every function of a module with the class it is a method of; nested ones too."""

    def visit(node: ast.AST, owner: ast.ClassDef | None) -> Iterator[tuple[Function, ast.ClassDef | None]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield child, owner
                yield from visit(child, None)
            else:
                yield from visit(child, child if isinstance(child, ast.ClassDef) else owner)

    return visit(tree, None)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def text_of(node: ast.AST | None) -> str | None:
    """The value of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def body_without_docstring(function: Function) -> list[ast.stmt]:
    body = function.body
    first = body[0]
    return body[1:] if isinstance(first, ast.Expr) and text_of(first.value) is not None else body


def imports(tree: ast.Module) -> Iterator[Import]:
    """All imports, also those in functions."""
    yield from _imports(tree.body, optional=False)


def _imports(body: list[ast.stmt], *, optional: bool) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), node.lineno, 0, optional)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.module or "", names, node.lineno, node.level, optional)
        elif isinstance(node, ast.Try):
            guarded = optional or any(_catches_import_error(handler) for handler in node.handlers)
            yield from _imports(node.body, optional=guarded)
            for handler in node.handlers:
                yield from _imports(handler.body, optional=guarded)
            yield from _imports([*node.orelse, *node.finalbody], optional=optional)
        elif isinstance(node, ast.If):
            typing_only = "TYPE_CHECKING" in ast.unparse(node.test) or "sys.version_info" in ast.unparse(node.test)
            yield from _imports(node.body, optional=optional or typing_only)
            yield from _imports(node.orelse, optional=optional or typing_only)
        else:
            for field in ("body", "orelse", "finalbody"):
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    yield from _imports(inner, optional=optional)
            for case in getattr(node, "cases", ()):
                yield from _imports(case.body, optional=optional)


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(each) in {"ImportError", "ModuleNotFoundError", "Exception"} for each in caught)
