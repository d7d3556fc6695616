"""The HTTP endpoints of a Python program with what stands before each: FastAPI, Flask and Django.

Unlike `routes.py`, which reads FastAPI's paths exactly to compare them with a description, this follows what runs: the
handler, decorators, dependencies of the route, of its router and of the program, middleware and mixins.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from omni.verify.analysis.program import Class, Program, Routine
from omni.verify.analysis.python import dotted, keyword, last_name, text_of
from omni.verify.parsing import walk

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
HOLDERS = frozenset({"FastAPI", "APIRouter", "Flask", "Blueprint", "Quart", "Litestar", "Starlette"})
GENERIC_VIEWS = {
    "CreateView": ("POST",), "UpdateView": ("POST",), "DeleteView": ("POST", "DELETE"), "ListView": ("GET",),
    "DetailView": ("GET",), "ModelViewSet": ("GET", "POST", "PUT", "PATCH", "DELETE"),
    "ReadOnlyModelViewSet": ("GET",), "ListCreateAPIView": ("GET", "POST"), "CreateAPIView": ("POST",),
    "RetrieveUpdateDestroyAPIView": ("GET", "PUT", "PATCH", "DELETE"), "DestroyAPIView": ("DELETE",),
    "RetrieveAPIView": ("GET",), "ListAPIView": ("GET",), "UpdateAPIView": ("PUT", "PATCH"),
}  # fmt: skip
"""Django's and REST framework's views that bring their handlers → methods that they answer."""
NESTED = 6
"""Routers in routers; more is a circle."""


@dataclass(frozen=True)
class Guard:
    """An expression that runs before the handler, with the module that it stands in."""

    module: str
    node: ast.AST


@dataclass(frozen=True, eq=False)
class Endpoint:
    method: str
    """In capitals; `ANY` when the handler decides."""
    path: str
    file: str
    line: int
    handler: Routine | None = None
    view: Class | None = None
    """Django: the class that brings it."""
    guards: tuple[Guard, ...] = ()
    text: str = ""
    """Code that runs, of what is no Python."""

    @property
    def shown(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class _Holder:
    """A program or router: a variable."""

    name: str
    prefix: str
    guards: list[Guard] = field(default_factory=list)
    parents: list[tuple[str, str, tuple[Guard, ...]]] = field(default_factory=list)


def python_endpoints(program: Program) -> Iterator[Endpoint]:
    holders = _holders(program)
    for routine in program.routines.values():
        for decorator in routine.node.decorator_list:
            yield from _decorated(program, holders, routine, decorator)
    yield from _flask_views(program, holders)
    yield from _django(program)


# ── FastAPI and Flask ────────────────────────────────────────────────────────────────────────────


def _holders(program: Program) -> dict[str, _Holder]:
    found: dict[str, _Holder] = {}
    for module in program.modules.values():
        for node in walk(module.tree):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if last_name(node.value.func) in HOLDERS and isinstance(target, ast.Name | ast.Attribute):
                    call = node.value
                    prefix = text_of(keyword(call, "prefix") or keyword(call, "url_prefix")) or ""
                    name = f"{module.name}.{dotted(target)}"
                    found[name] = _Holder(name, prefix, [*_dependencies(module.name, call)])
    for module in program.modules.values():
        for node in walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                _joined(program, found, module.name, node)
    for routine in program.routines.values():
        for decorator in routine.node.decorator_list:
            _before_each(program, found, routine, decorator)
    return found


def _dependencies(module: str, call: ast.Call) -> Iterator[Guard]:
    for name in ("dependencies", "middleware"):
        if given := keyword(call, name):
            yield Guard(module, given)


def _joined(program: Program, found: dict[str, _Holder], module: str, call: ast.Call) -> None:
    """`app.include_router(router, prefix=…)`, `app.register_blueprint(bp)`, `app.add_middleware(X)`, Flask's views."""
    holder = found.get(program.resolve(module, dotted(call.func).rpartition(".")[0]))
    what = last_name(call.func)
    if what in {"include_router", "register_blueprint"} and call.args:
        inner = found.get(program.resolve(module, dotted(call.args[0])))
        prefix = text_of(keyword(call, "prefix") or keyword(call, "url_prefix")) or ""
        if inner is not None:
            outer = holder.name if holder is not None else ""
            inner.parents.append((outer, prefix, tuple(_dependencies(module, call))))
    elif holder is not None and what in {"add_middleware", "before_request", "register_middleware"}:
        holder.guards.append(Guard(module, call))


def _before_each(program: Program, found: dict[str, _Holder], routine: Routine, decorator: ast.expr) -> None:
    """`@app.middleware("http")`, `@app.before_request`"""
    name = dotted(decorator)
    holder = found.get(program.resolve(routine.module, name.rpartition(".")[0]))
    what = name.rpartition(".")[2]
    if holder is not None and what in {"middleware", "before_request"}:
        holder.guards.append(Guard(routine.module, ast.Name(routine.node.name, ast.Load())))
    elif what == "before_app_request":
        for each in found.values():
            each.guards.append(Guard(routine.module, ast.Name(routine.node.name, ast.Load())))


def _around(holders: dict[str, _Holder], name: str, depth: int = 0) -> tuple[str, tuple[Guard, ...]]:
    """(prefix, guards) of a router with those of all around it."""
    holder = holders.get(name)
    if holder is None:
        return "", ()
    prefix, guards = holder.prefix, tuple(holder.guards)
    if holder.parents and depth < NESTED:
        outer, extra, given = holder.parents[0]
        outside, more = _around(holders, outer, depth + 1)
        return outside + extra + prefix, (*more, *given, *guards)
    return prefix, guards


def _decorated(
    program: Program, holders: dict[str, _Holder], routine: Routine, decorator: ast.expr
) -> Iterator[Endpoint]:
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
        return
    verb = decorator.func.attr
    holder = program.resolve(routine.module, dotted(decorator.func.value))
    known = holder in holders or re.search(r"(^|\.)\w*(app|router|blueprint|bp|api)\w*$", holder, re.IGNORECASE)
    if verb not in METHODS | {"route", "api_route", "websocket"} or not known:
        return
    given = decorator.args[0] if decorator.args else keyword(decorator, "path")
    path = text_of(given)
    if path is None and holder not in holders:
        return
    prefix, around = _around(holders, holder)
    listed = keyword(decorator, "methods")
    methods = [text.upper() for each in getattr(listed, "elts", ()) if (text := text_of(each))] or ["GET"]
    own = [Guard(routine.module, each) for each in routine.node.decorator_list if each is not decorator]
    guards = (*around, *_dependencies(routine.module, decorator), *own, *_parameters(routine))
    for method in [verb.upper()] if verb in METHODS else methods:
        yield Endpoint(method, prefix + (path or "…"), routine.path, decorator.lineno, routine, None, guards)


def _parameters(routine: Routine) -> Iterator[Guard]:
    """Defaults and annotations of the handler: `user: User = Depends(current_user)`, `user: CurrentUser`."""
    arguments = routine.node.args
    for default in (*arguments.defaults, *arguments.kw_defaults):
        if default is not None:
            yield Guard(routine.module, default)
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if argument.annotation is not None:
            yield Guard(routine.module, argument.annotation)


def _flask_views(program: Program, holders: dict[str, _Holder]) -> Iterator[Endpoint]:
    """`app.add_url_rule("/users", view_func=Users.as_view("users"))`"""
    for module in program.modules.values():
        for node in walk(module.tree):
            if not (isinstance(node, ast.Call) and last_name(node.func) == "add_url_rule" and node.args):
                continue
            view = keyword(node, "view_func") or (node.args[2] if len(node.args) > 2 else None)
            found = (
                program.classes.get(program.resolve(module.name, dotted(view).removesuffix(".as_view")))
                if view
                else None
            )
            prefix, around = _around(holders, program.resolve(module.name, dotted(node.func).rpartition(".")[0]))
            if found is not None:
                yield from _methods(program, found, prefix + (text_of(node.args[0]) or "…"), around)


def _methods(program: Program, view: Class, path: str, around: tuple[Guard, ...]) -> Iterator[Endpoint]:
    """One endpoint a method of a class of views."""
    guards = (*around, *_class_guards(program, view))
    own = {
        each.node.name: each for each in (program.method(view, name) for name in sorted(METHODS)) if each is not None
    }
    for name, routine in own.items():
        more = tuple(Guard(routine.module, each) for each in routine.node.decorator_list)
        yield Endpoint(name.upper(), path, view.path, routine.node.lineno, routine, view, (*guards, *more))
    for base in program.bases(view):
        for method in GENERIC_VIEWS.get(base.rpartition(".")[2], ()):
            if method.lower() not in own:
                hook = next((found for each in HOOKS.get(method, ()) if (found := program.method(view, each))), None)
                yield Endpoint(method, path, view.path, view.node.lineno, hook, view, guards)


HOOKS = {
    "POST": ("perform_create", "create", "form_valid"), "PUT": ("perform_update", "update"),
    "PATCH": ("perform_update", "partial_update", "update"), "DELETE": ("perform_destroy", "destroy", "delete"),
    "GET": ("retrieve", "list", "get_queryset", "get_object"),
}  # fmt: skip
"""What a class overrides of a generic view, by method."""


def _class_guards(program: Program, view: Class) -> Iterator[Guard]:
    for name in (view.name, *program.bases(view)):
        yield Guard(view.module, _as_name(name))
        held = program.classes.get(name)
        if held is None:
            continue
        for statement in held.node.body:
            if isinstance(statement, ast.Assign) and {dotted(each) for each in statement.targets} & {
                "permission_classes", "authentication_classes", "decorators", "permission_required",
            }:  # fmt: skip
                yield Guard(held.module, statement.value)
        yield from (Guard(held.module, decorator) for decorator in held.node.decorator_list)


def _as_name(name: str) -> ast.expr:
    """The last part of a dotted name, as a name."""
    return ast.Name(re.sub(r"\W", "_", name.rpartition(".")[2]) or "_", ast.Load())


# ── Django ───────────────────────────────────────────────────────────────────────────────────────


def _django(program: Program) -> Iterator[Endpoint]:
    everywhere = tuple(_django_settings(program))
    for module in program.modules.values():
        listed = "urlpatterns" in module.constants
        if not listed and not any("django" in each or "rest_framework" in each for each in module.names.values()):
            continue
        for node in walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            name = last_name(node.func)
            if listed and name in {"path", "re_path", "url"} and len(node.args) > 1:
                yield from _url(program, module.name, node, everywhere)
            elif name == "register" and len(node.args) > 1 and "router" in dotted(node.func):
                view = program.classes.get(program.resolve(module.name, dotted(node.args[1])))
                if view is not None:
                    path = f"/{text_of(node.args[0]) or '…'}"
                    yield from _methods(program, view, path, everywhere)


def _url(program: Program, module: str, node: ast.Call, everywhere: tuple[Guard, ...]) -> Iterator[Endpoint]:
    path = "/" + (text_of(node.args[0]) or "…").lstrip("^/")
    target = node.args[1]
    wrappers: list[Guard] = []
    while isinstance(target, ast.Call) and last_name(target.func) not in {"as_view", "include"} and target.args:
        wrappers.append(Guard(module, target.func))
        target = target.args[0]
    if isinstance(target, ast.Call):
        view = program.classes.get(program.resolve(module, dotted(target).rpartition(".")[0]))
        if view is not None:
            yield from _methods(program, view, path, (*everywhere, *wrappers))
        return
    routine = program.routines.get(program.resolve(module, dotted(target)))
    if routine is not None:
        own = [Guard(routine.module, each) for each in routine.node.decorator_list]
        guards = (*everywhere, *wrappers, *own)
        for method in _function_methods(routine):
            yield Endpoint(method, path, routine.path, routine.node.lineno, routine, None, guards)


def _function_methods(routine: Routine) -> list[str]:
    for decorator in routine.node.decorator_list:
        name = last_name(decorator)
        if name in {"require_POST", "require_GET", "require_safe"}:
            return ["POST" if name == "require_POST" else "GET"]
        if name in {"api_view", "require_http_methods"} and isinstance(decorator, ast.Call) and decorator.args:
            return [text for each in getattr(decorator.args[0], "elts", ()) if (text := text_of(each))]
    return ["ANY"]


def _django_settings(program: Program) -> Iterator[Guard]:
    """Middleware and REST framework's default permissions; they stand before each view."""
    for module in program.modules.values():
        for name in ("MIDDLEWARE", "REST_FRAMEWORK"):
            if name in module.constants:
                for text in _texts(module.constants[name]):
                    if re.search(
                        r"LoginRequired|IsAuthenticated|IsAdmin|Permission|audit|Audit|otp|two_factor|mfa", text
                    ):
                        yield Guard(module.name, _as_name(text))


def _texts(node: ast.AST) -> Iterator[str]:
    for each in walk(node):
        if (text := text_of(each)) is not None:
            yield text


def code_of(program: Program, endpoint: Endpoint) -> tuple[Routine, ...]:
    """Every routine that may run for the endpoint: the handler, what it calls, and what stands before it."""
    found: dict[str, Routine] = {}
    for start in (*([endpoint.handler] if endpoint.handler else ()), *before(program, endpoint)):
        found |= {each.name: each for each in program.reach(start)}
    return tuple(found.values())


def before(program: Program, endpoint: Endpoint) -> Iterator[Routine]:
    """What runs before the handler, as far as it is the program's own."""
    for guard in endpoint.guards:
        yield from program.referred(guard.module, guard.node)
        for node in walk(guard.node):
            if isinstance(node, ast.Name | ast.Attribute):
                full = program.resolve(guard.module, dotted(node))
                if (kind := program.classes.get(full)) is not None:
                    yield from (
                        routine
                        for name in (
                            "dispatch",
                            "__call__",
                            "has_permission",
                            "has_object_permission",
                            "test_func",
                            "process_view",
                        )
                        if (routine := program.method(kind, name))
                    )
