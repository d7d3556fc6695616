"""What a Python project offers to others by name, and what of it a change takes away.

By syntax: names of modules that don't begin with an underscore, and how functions can be called. What is handed on from
another module counts as offered, but how it is called is only compared where it is defined.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping

from omni.code.model import ASIDE, Model

NOT_OFFERED = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$|(^|/)_(?!_init__\.py)")


class Parameter(Model):
    name: str
    required: bool
    named: bool
    """Whether callers may say its name."""
    placed: bool
    """Whether callers may give it by its place."""


class Offered(Model):
    """`parameters` is None for what is no function, or not defined here."""

    path: str
    line: int
    parameters: tuple[Parameter, ...] | None = None
    rest: bool = False
    """Takes any further arguments by place (`*args`)."""
    options: bool = False
    """Takes any further arguments by name (`**kwargs`)."""
    elsewhere: bool = False
    """It is imported: what it is stands in another module."""


class Break(Model):
    name: str
    """`shop.cart.total`"""
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.name} {self.what} ({self.path}:{self.line})"


def breaks(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Break, ...]:
    """What callers of the code before can't do any more with the code after; path → text of all Python files."""
    was, now = interface(before), interface(after, handed_on=True)
    found = []
    for name, old in was.items():
        new = now.get(name)
        if new is None and not (now.get(name.rpartition(".")[0]) or old).elsewhere:
            found.append(Break(name=name, path=old.path, line=old.line, what="is gone"))
        elif new and old.parameters is not None and new.parameters is not None:
            found += [Break(name=name, path=new.path, line=new.line, what=why) for why in _narrower(old, new)]
    return tuple(found)


def interface(texts: Mapping[str, str], *, handed_on: bool = False) -> dict[str, Offered]:
    """Dotted name → how it is offered. A file that can't be parsed offers nothing.

    `handed_on`: with every name that a module imports; else only those of a package's `__init__.py`, which imports
    them for others.
    """
    found: dict[str, Offered] = {}
    for path, text in sorted(texts.items()):
        if path.endswith(".py") and not NOT_OFFERED.search(path) and not ASIDE.search(path):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError):
                continue
            imports = handed_on or path.endswith("__init__.py")
            found |= {f"{_module(path)}.{name}": each for name, each in _offered(tree.body, path, "", imports)}
    return found


def _module(path: str) -> str:
    """`src/shop/cart.py` → `shop.cart`."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _offered(body: list[ast.stmt], path: str, within: str, imports: bool) -> Iterator[tuple[str, Offered]]:
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _offered([*node.body, *node.orelse], path, within, imports)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _public(node.name):
                yield within + node.name, _function(node, path, method=bool(within))
        elif isinstance(node, ast.ClassDef) and _public(node.name):
            yield within + node.name, Offered(path=path, line=node.lineno)
            yield from _offered(node.body, path, f"{within}{node.name}.", imports)
        else:
            here = Offered(path=path, line=node.lineno, elsewhere=isinstance(node, ast.Import | ast.ImportFrom))
            yield from ((within + name, here) for name in _bound(node, imports) if _public(name))


def _bound(node: ast.stmt, imports: bool) -> Iterator[str]:
    """Names that a statement binds."""
    if isinstance(node, ast.Assign):
        yield from (each.id for each in node.targets if isinstance(each, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.ImportFrom) and imports and node.module != "__future__":
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Import) and imports:
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)


def _public(name: str) -> bool:
    return not name.startswith("_") or name in {"__init__", "__call__", "__enter__", "__iter__", "__getitem__"}


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, path: str, *, method: bool) -> Offered:
    """How it is called. What a decorator makes of it is not known, but for a few of them."""
    known = {"staticmethod", "classmethod", "override", "overload", "cache", "contextmanager", "abstractmethod"}
    names = [ast.unparse(each).partition("(")[0].rpartition(".")[2] for each in node.decorator_list]
    if set(names) - known:
        return Offered(path=path, line=node.lineno)
    given = node.args
    placed = [*given.posonlyargs, *given.args]
    bare = len(placed) - len(given.defaults)
    parameters = [
        Parameter(name=each.arg, required=place < bare, named=place >= len(given.posonlyargs), placed=True)
        for place, each in enumerate(placed)
    ]
    if method and "staticmethod" not in names:
        parameters = parameters[1:]
    parameters += [
        Parameter(name=each.arg, required=default is None, named=True, placed=False)
        for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    return Offered(
        path=path,
        line=node.lineno,
        parameters=tuple(parameters),
        rest=given.vararg is not None,
        options=given.kwarg is not None,
    )


def _narrower(old: Offered, new: Offered) -> Iterator[str]:
    """Why a call that was right may be wrong now."""
    before, after = old.parameters or (), {each.name: each for each in new.parameters or ()}
    places = [each.name for each in new.parameters or () if each.placed]
    for place, each in enumerate(p for p in before if p.placed):
        if place < len(places) and places[place] != each.name and each.name in after:
            yield f"takes `{each.name}` at another place"
        elif place >= len(places) and (not new.rest or each.name in after):
            yield f"takes `{each.name}` by its place no more"
    for each in before:
        found = after.get(each.name)
        if each.named and (found is None or not found.named) and not new.options:
            yield f"takes no `{each.name}` any more"
        elif found is not None and found.required and not each.required:
            yield f"has no default for `{each.name}` any more"
    known = {each.name for each in before}
    yield from (f"asks for `{name}`, too" for name, each in after.items() if each.required and name not in known)
    if old.rest and not new.rest:
        yield "takes no further arguments any more"
    if old.options and not new.options:
        yield "takes no further arguments by name any more"
