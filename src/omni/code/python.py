"""What a Python file says: imports, definitions with what each calls, and what it hands out by name at run time."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from omni.code.model import Import, Symbol

BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.Assert, ast.comprehension)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class PythonFile:
    doc: str
    imports: tuple[Import, ...]
    symbols: tuple[Symbol, ...]
    aliases: dict[str, str]
    """Name in the file → what it was imported as: `models` → `app.models`."""
    main: int
    """Line of `if __name__ == "__main__"`; 0 when there is none."""
    prefixes: tuple[str, ...]
    """Text that begins names looked up at run time: `getattr(x, f"do_{name}")` gives `do_`."""


def read_python(text: str, path: str) -> PythonFile:
    """Raises SyntaxError, ValueError (a NUL byte) or RecursionError when it can't be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file's own: invalid escapes, `is` with a literal
        tree = ast.parse(text)
    found = list(_imports(tree))
    return PythonFile(
        doc=ast.get_docstring(tree) or "",
        imports=tuple(each for each, _ in found),
        symbols=tuple(_symbols(tree.body, path, "")),
        aliases={alias: target for _, names in found for alias, target in names.items()},
        main=next((node.lineno for node in tree.body if _is_main(node)), 0),
        prefixes=tuple(sorted(set(_prefixes(tree)))),
    )


def _imports(tree: ast.Module) -> Iterator[tuple[Import, dict[str, str]]]:
    typing = {id(node) for block in ast.walk(tree) if _is_for_types(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                bound = {alias.asname: alias.name} if alias.asname else {top: top}
                yield Import(module=alias.name, line=node.lineno, typing=id(node) in typing), bound
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = tuple(alias.name for alias in node.names)
            dot = "" if module.endswith(".") or not module else "."
            bound = {alias.asname or alias.name: f"{module}{dot}{alias.name}" for alias in node.names}
            yield Import(module=module, names=names, line=node.lineno, typing=id(node) in typing), bound


def _symbols(body: list[ast.stmt], path: str, within: str) -> Iterator[Symbol]:
    for node in body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield _symbol(node, path, within)
            if isinstance(node, ast.ClassDef):
                yield from _symbols(node.body, path, f"{within}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from _symbols([*node.body, *node.orelse], path, within)


def _symbol(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, path: str, within: str) -> Symbol:
    is_class = isinstance(node, ast.ClassDef)
    kind = "class" if is_class else "method" if within else "function"
    return Symbol.model_validate(
        {
            "name": within + node.name,
            "kind": kind,
            "path": path,
            "line": node.lineno,
            "end_line": node.end_lineno or node.lineno,
            "doc": (ast.get_docstring(node) or "").partition("\n")[0],
            "decorators": tuple(_decorator(each) for each in node.decorator_list),
            "bases": tuple(dotted(base) for base in node.bases) if isinstance(node, ast.ClassDef) else (),
            "calls": () if is_class else tuple(dict.fromkeys(_calls(node))),
            "complexity": 1 + sum(isinstance(each, BRANCHES) for each in ast.walk(node)) if not is_class else 0,
        }
    )


def _decorator(node: ast.expr) -> str:
    """As written, with the texts that it is called with: `app.route('/todos', methods=GET|POST)`."""
    if not isinstance(node, ast.Call):
        return dotted(node)
    methods = [
        f"methods={'|'.join(_texts(given.value.elts))}"
        for given in node.keywords
        if given.arg == "methods" and isinstance(given.value, ast.List | ast.Tuple | ast.Set)
    ]
    return f"{dotted(node.func)}({', '.join([*map(repr, _texts(node.args)), *methods])})"


def _texts(nodes: list[ast.expr]) -> list[str]:
    return [each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def _calls(function: ast.AST) -> Iterator[str]:
    """Dotted names that it calls, in the order of the text."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0)):
        if name := dotted(node.func):
            yield name


def dotted(node: ast.expr) -> str:
    """`a.b.c` of names and attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return ""


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) and "__main__" in ast.unparse(node.test)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and dotted(node.test).rpartition(".")[2] in {"TYPE_CHECKING", "MYPY"}


def _prefixes(tree: ast.Module) -> Iterator[str]:
    """Beginnings of texts that are put together, where they could begin a name."""
    for node in ast.walk(tree):
        first: ast.expr | None = None
        if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
            first = node.values[0]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            first = node.left
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            start = first.value.partition("%")[0]
            if start.isidentifier() and len(start) > 1:
                yield start
