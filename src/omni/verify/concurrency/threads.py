"""Where a program starts threads, and what runs in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from omni.verify.analysis.program import Module, Program, Routine
from omni.verify.analysis.python import dotted, keyword, last_name
from omni.verify.concurrency.names import Names, is_field
from omni.verify.parsing import children, walk

TARGETS: dict[str, tuple[str, int]] = {
    "threading.Thread": ("target", 1),
    "threading.Timer": ("function", 1),
    "_thread.start_new_thread": ("function", 0),
    "asyncio.to_thread": ("func", 0),
    "anyio.to_thread.run_sync": ("func", 0),
    "starlette.concurrency.run_in_threadpool": ("func", 0),
    "fastapi.concurrency.run_in_threadpool": ("func", 0),
}
"""What runs a function in a thread → the parameter that takes it, its place."""
POOLED = frozenset(
    {
        "asyncio.to_thread",
        "anyio.to_thread.run_sync",
        "starlette.concurrency.run_in_threadpool",
        "fastapi.concurrency.run_in_threadpool",
    }
)
POOLS = frozenset(
    {
        "concurrent.futures.ThreadPoolExecutor",
        "concurrent.futures.thread.ThreadPoolExecutor",
        "multiprocessing.pool.ThreadPool",
        "multiprocessing.dummy.Pool",
    }
)
PROCESSES = frozenset({"concurrent.futures.ProcessPoolExecutor", "multiprocessing.Pool", "multiprocessing.Process"})
SUBMITS = frozenset(
    {"submit", "map", "apply_async", "imap", "imap_unordered", "starmap", "map_async", "run_in_executor"}
)
ROUTED = re.compile(r"\.(route|get|post|put|patch|delete|errorhandler|before_request|after_request)$")
HANDLERS = frozenset(
    {
        "http.server.BaseHTTPRequestHandler",
        "http.server.SimpleHTTPRequestHandler",
        "socketserver.BaseRequestHandler",
        "socketserver.StreamRequestHandler",
    }
)
SEVERAL_SERVERS = frozenset(
    {
        "http.server.ThreadingHTTPServer",
        "socketserver.ThreadingTCPServer",
        "socketserver.ThreadingMixIn",
        "socketserver.ThreadingUDPServer",
    }
)


@dataclass(frozen=True)
class Entry:
    """A routine that runs in a thread of its own."""

    routine: Routine
    how: str
    path: str
    line: int
    many: bool
    """More than one thread may run it at once."""
    starter: str
    """The routine that starts it; empty at the top of a module."""
    on_self: bool
    """`self` is of an object that others have, too."""


def entries(names: Names) -> list[Entry]:
    found = [each for module in names.program.modules.values() for each in _started(names, module)]
    found += _subclasses(names)
    found += _web(names)
    return list(dict.fromkeys(found))


def _started(names: Names, module: Module) -> Iterator[Entry]:
    for call, routine, looped in _calls(names.program, module):
        name = names.program.resolve(module.name, dotted(call.func)) if dotted(call.func) else ""
        taken = TARGETS.get(name)
        target: ast.expr | None = None
        many = looped
        how = last_name(call.func)
        if taken is not None:
            target = keyword(call, taken[0]) or (call.args[taken[1]] if len(call.args) > taken[1] else None)
            many = looped or name in POOLED
        elif isinstance(call.func, ast.Attribute) and call.func.attr in SUBMITS and call.args:
            workers = _pool(names, module, routine, call.func)
            if workers:
                target = call.args[1 if call.func.attr == "run_in_executor" and len(call.args) > 1 else 0]
                many = workers > 1
        if target is None:
            continue
        if isinstance(target, ast.Call) and last_name(target.func) == "partial" and target.args:
            target = target.args[0]
        meant = _meant(names, module, routine, target)
        if meant is not None and isinstance(meant.node, ast.FunctionDef):
            on_self = is_field(target) or (isinstance(target, ast.Name) and names.owner(meant) is not None)
            yield Entry(meant, how, module.path, call.lineno, many, routine.name if routine else "", on_self)


def _calls(program: Program, module: Module) -> Iterator[tuple[ast.Call, Routine | None, bool]]:
    """Each call, the routine that it is in, and whether it is in a loop there."""
    by_node = {id(each.node): each for each in program.routines.values() if each.module == module.name}
    waiting: list[tuple[ast.AST, Routine | None, bool]] = [(module.tree, None, False)]
    while waiting:
        node, routine, looped = waiting.pop()
        if isinstance(node, ast.Call):
            yield node, routine, looped
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            routine, looped = by_node.get(id(node), routine), False
        elif isinstance(node, ast.For | ast.While | ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.AsyncFor):
            looped = True
        waiting += [(each, routine, looped) for each in children(node)]


def _meant(names: Names, module: Module, routine: Routine | None, target: ast.expr) -> Routine | None:
    if routine is not None:
        return names.called(routine, target)
    return names.program.routines.get(names.program.resolve(module.name, dotted(target))) if dotted(target) else None


def _pool(names: Names, module: Module, routine: Routine | None, func: ast.Attribute) -> int:
    """How many threads a pool has: 0 when it is none, or of processes; 2 when it does not say."""
    if func.attr == "run_in_executor":
        return 2
    made = _made(names, module, routine, func.value)
    if made is None:
        return 0
    where, call = made
    name = names.program.resolve(where, dotted(call.func))
    if name not in POOLS:
        return 0
    size = keyword(call, "max_workers") or (call.args[0] if call.args else None)
    return size.value if isinstance(size, ast.Constant) and isinstance(size.value, int) else 2


def _made(names: Names, module: Module, routine: Routine | None, node: ast.expr) -> tuple[str, ast.Call] | None:
    """The call that a variable or field holds what it gave."""
    if isinstance(node, ast.Name):
        for each in walk(routine.node if routine is not None else module.tree):
            match each:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if name == node.id:
                    return module.name, call
                case ast.withitem(context_expr=ast.Call() as call, optional_vars=ast.Name(id=name)) if name == node.id:
                    return module.name, call
    place = names.place(routine, node) if routine is not None else ""
    found = names.first_value(place) if place else None
    return (found[0], found[1]) if found is not None and isinstance(found[1], ast.Call) else None


def _subclasses(names: Names) -> Iterator[Entry]:
    """`run` of a class of threads; the methods of handlers, each of which has an object of its own."""
    program = names.program
    threaded = any(
        program.resolve(module.name, dotted(node)) in SEVERAL_SERVERS
        for module in program.modules.values()
        for node in walk(module.tree)
        if isinstance(node, ast.Name | ast.Attribute) and last_name(node).startswith("Threading")
    )
    for each in program.classes.values():
        bases = set(program.bases(each))
        run = program.routines.get(f"{each.name}.run")
        if run is not None and bases & {"threading.Thread", "threading.Timer"}:
            yield Entry(run, each.short, each.path, run.node.lineno, False, "", on_self=True)
        if threaded and bases & HANDLERS:
            for routine in program.routines.values():
                if routine.owner is each and re.match(r"do_[A-Z]+$|handle$", routine.node.name):
                    yield Entry(routine, each.short, each.path, routine.node.lineno, True, "", on_self=False)


def _web(names: Names) -> Iterator[Entry]:
    """Handlers that a threaded server runs side by side: Flask's, and FastAPI's that are no coroutines."""
    for routine in names.program.routines.values():
        if not isinstance(routine.node, ast.FunctionDef):
            continue
        imported = {each.split(".")[0] for each in names.program.modules[routine.module].names.values()}
        for each in routine.node.decorator_list:
            if imported & {"flask", "fastapi"} and isinstance(each, ast.Call) and ROUTED.search(dotted(each.func)):
                yield Entry(routine, dotted(each.func), routine.path, routine.node.lineno, True, "", on_self=False)
                break
