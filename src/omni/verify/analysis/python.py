"""Reading Python source: one parse per text, names as written, imports with what guards them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, cast

from omni.kernel.canonical import JsonValue
from omni.verify.parsing import children, parse_python

if TYPE_CHECKING:
    from omni.verify.check import Context
    from omni.verify.files import File

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
    typing: bool = False
    """Under `if TYPE_CHECKING`: it binds nothing at run time."""


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
        for child in children(node):
            if isinstance(child, Function):
                yield child, owner
                yield from visit(child, None)
            elif not isinstance(child, ast.expr):  # there is no function in one
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


def package_of(name: str, path: str, level: int) -> list[str]:
    """The parts of the package from which a module's import with so many dots starts; none where it leads outside."""
    package = name.split(".") if path.endswith("/__init__.py") else name.split(".")[:-1]
    return package[: max(0, len(package) - level + 1)] if level else []


def imports(tree: ast.Module) -> Iterator[Import]:
    """All imports, also those in functions."""
    yield from _imports(tree.body, optional=False)


def imports_of(context: Context, file: File) -> tuple[Import, ...] | None:
    """The imports of a Python file, parsed only when its content is new; None when it can't be parsed."""

    def compute() -> JsonValue:
        tree = context.parse_python(file)
        if not isinstance(tree, ast.Module):
            return None
        return [
            [each.module, [*each.names], each.line, each.level, each.optional, each.typing] for each in imports(tree)
        ]

    known = context.fact("imports", file, compute)
    return None if known is None else tuple(_import(row) for row in cast("list[ImportRow]", known))


ImportRow: TypeAlias = tuple[str, list[str], int, int, bool, bool]


def _import(row: ImportRow) -> Import:
    module, names, line, level, optional, typing = row
    return Import(module, tuple(names), line, level, optional, typing)


def _imports(body: list[ast.stmt], *, optional: bool, typing: bool = False) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), node.lineno, 0, optional, typing)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.module or "", names, node.lineno, node.level, optional, typing)
        elif isinstance(node, ast.Try):
            guarded = optional or any(_catches_import_error(handler) for handler in node.handlers)
            yield from _imports(node.body, optional=guarded, typing=typing)
            for handler in node.handlers:
                yield from _imports(handler.body, optional=guarded, typing=typing)
            yield from _imports(node.orelse, optional=guarded, typing=typing)
            yield from _imports(node.finalbody, optional=optional, typing=typing)
        elif isinstance(node, ast.If):
            test = ast.unparse(node.test)
            guarded = optional or "TYPE_CHECKING" in test or "sys.version_info" in test
            yield from _imports(node.body, optional=guarded, typing=typing or "TYPE_CHECKING" in test)
            yield from _imports(node.orelse, optional=guarded, typing=typing)
        else:
            for field in ("body", "orelse", "finalbody"):
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    yield from _imports(inner, optional=optional, typing=typing)
            for case in getattr(node, "cases", ()):
                yield from _imports(case.body, optional=optional, typing=typing)


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(each) in {"ImportError", "ModuleNotFoundError", "Exception"} for each in caught)
