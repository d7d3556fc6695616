"""The HTTP routes of a FastAPI program, read from its source: decorators, prefixes of routers, and what includes what.

A route whose path is not written out, or a router that is included in a way that can't be followed, makes the whole
`unclear`: a comparison with half of the routes would name what is there as missing.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from omni.verify.analysis.modules import module_name
from omni.verify.analysis.python import Function, dotted, imports_of, keyword, last_name, package_of, text_of
from omni.verify.parsing import walk

if TYPE_CHECKING:
    from omni.verify.check import Context

METHODS = frozenset({"get", "post", "put", "patch", "delete", "options", "head", "trace"})


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    file: str
    line: int

    @property
    def key(self) -> tuple[str, str]:
        """Without the names of parameters, which don't matter to who calls it."""
        return self.method, re.sub(r"\{[^}]*\}", "{}", self.path).rstrip("/") or "/"


@dataclass
class Router:
    """A variable that holds an APIRouter or a FastAPI program."""

    is_app: bool
    prefix: str
    routes: list[Route] = field(default_factory=list)
    included: list[tuple[str, str]] = field(default_factory=list)
    """(name of the router, prefix)"""


@dataclass
class Routes:
    found: list[Route] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    """What could not be followed, each with its place."""


def find_routes(context: Context) -> Routes:
    result = Routes()
    routers: dict[str, Router] = {}
    for file in context.files:
        if file.language != "python":
            continue
        imported = {each.module.split(".")[0] for each in imports_of(context, file) or ()}
        tree = context.parse_python(file) if "fastapi" in imported else None
        if isinstance(tree, ast.Module):
            name = module_name(file.path, context.project.source_roots)
            routers |= _Module(name, file.path, tree, result).routers()
    apps = [name for name, router in routers.items() if router.is_app]
    used: set[str] = set()
    for app in apps:
        _collect(app, "", routers, result, used)
    for name, router in routers.items():
        if name not in used and router.routes and apps:
            result.unclear.append(f"nothing includes the router {name}")
    return result


def _collect(name: str, prefix: str, routers: dict[str, Router], result: Routes, used: set[str]) -> None:
    router = routers[name]
    used.add(name)
    base = prefix + router.prefix
    result.found += [Route(each.method, base + each.path, each.file, each.line) for each in router.routes]
    for other, extra in router.included:
        if other in routers and other != name:
            _collect(other, base + extra, routers, result, used)
        else:
            result.unclear.append(f"the router {other} can't be found")


class _Module:
    """One file: its routers by dotted name."""

    def __init__(self, name: str, path: str, tree: ast.Module, result: Routes) -> None:
        self.name, self.path, self.tree, self.result = name, path, tree, result
        self.names = dict(self._imported())

    def _imported(self) -> Iterator[tuple[str, str]]:
        """Local name → what it stands for."""
        for node in walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                base = ".".join([*package_of(self.name, self.path, node.level), *filter(None, [node.module])])
                for alias in node.names:
                    yield alias.asname or alias.name, f"{base}.{alias.name}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield (
                        (alias.asname, alias.name)
                        if alias.asname
                        else (alias.name.split(".")[0], alias.name.split(".")[0])
                    )

    def routers(self) -> dict[str, Router]:
        found: dict[str, Router] = {}
        for scope in (self.tree, *(node for node in walk(self.tree) if isinstance(node, Function))):
            self._declared(scope, found)
        for node in walk(self.tree):
            if isinstance(node, Function):
                self._decorated(node, found)
            elif isinstance(node, ast.Call) and last_name(node.func) in {"include_router", "mount", "add_api_route"}:
                self._included(node, found)
        return found

    def _declared(self, scope: ast.AST, found: dict[str, Router]) -> None:
        for node in walk(scope):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Call):
                continue
            kind = last_name(node.value.func)
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if kind in {"APIRouter", "FastAPI"} and isinstance(target, ast.Name):
                prefix = self._written(keyword(node.value, "prefix"), node)
                found.setdefault(f"{self.name}.{target.id}", Router(kind == "FastAPI", prefix))

    def _decorated(self, function: Function, found: dict[str, Router]) -> None:
        for decorator in function.decorator_list:
            if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
                continue
            router = found.get(f"{self.name}.{dotted(decorator.func.value)}")
            method = decorator.func.attr
            if router is None or (method not in METHODS and method != "api_route"):
                continue
            shown = keyword(decorator, "include_in_schema")
            if isinstance(shown, ast.Constant) and shown.value is False:
                continue
            given = decorator.args[0] if decorator.args else keyword(decorator, "path")
            path = self._written(given, decorator)
            methods = [method] if method in METHODS else self._methods(keyword(decorator, "methods"))
            router.routes += [Route(each, path, self.path, decorator.lineno) for each in methods]

    def _methods(self, given: ast.expr | None) -> list[str]:
        return [text.lower() for each in getattr(given, "elts", ()) if (text := text_of(each))] or ["get"]

    def _included(self, call: ast.Call, found: dict[str, Router]) -> None:
        holder = dotted(call.func).rpartition(".")[0]
        router = found.get(f"{self.name}.{holder}")
        what = last_name(call.func)
        if router is None or what == "mount":
            return
        if what == "add_api_route" or not call.args:
            self._unclear(call, f"{what} is called")
            return
        name = dotted(call.args[0])
        first, _, rest = name.partition(".")
        full = self.names.get(first, f"{self.name}.{first}") + (f".{rest}" if rest else "")
        router.included.append((full, self._written(keyword(call, "prefix"), call)))

    def _written(self, node: ast.expr | None, place: ast.stmt | ast.expr) -> str:
        if node is None:
            return ""
        text = text_of(node)
        if text is None:
            self._unclear(place, "a path is not written out")
        return text or ""

    def _unclear(self, place: ast.stmt | ast.expr, why: str) -> None:
        self.result.unclear.append(f"{self.path}:{place.lineno}: {why}")


def by_path(routes: list[Route]) -> dict[tuple[str, str], Route]:
    grouped: dict[tuple[str, str], list[Route]] = defaultdict(list)
    for route in routes:
        grouped[route.key].append(route)
    return {key: same[0] for key, same in grouped.items()}
