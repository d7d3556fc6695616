"""Coroutines between whose check and act others run, and what only the thread of the event loop may touch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.program import Routine
from omni.verify.analysis.python import dotted, last_name
from omni.verify.concurrency.accesses import Access
from omni.verify.concurrency.races import Race
from omni.verify.concurrency.summary import Summary
from omni.verify.concurrency.threads import Entry
from omni.verify.deep.callee import own_nodes

ONCE = re.compile(
    r"^_*(a?(enter|exit)__$|aenter|aexit|a?connect|a?start|stop|a?close|a?open|init|setup|set_up|shutdown|startup|teardown|main|run|disconnect|reconnect)",
    re.IGNORECASE,
)
"""What a program calls once, or one task alone."""
ASYNC_OBJECTS = {"asyncio.Queue": {"put_nowait", "get_nowait"}, "asyncio.Event": {"set", "clear"}}
OF_THE_LOOP = frozenset({"call_soon", "call_later", "call_at", "create_task"})
OWN_LOOP = frozenset({"run_forever", "run_until_complete", "new_event_loop", "run"})


def interleaved(summary: Summary) -> Iterator[Race]:
    """A check, an await, and the act that relies on it; or an update with an await in it."""
    for access in (each for accesses in summary.places.values() for each in accesses):
        if not access.awaited or summary.held(access) or access.kind not in {"check", "update"}:
            continue
        if ONCE.match(access.routine.node.name) or summary.promised(access.routine) or _harmless(access):
            continue
        name = access.routine.node.name
        if access.kind == "check":
            what = f"is looked at, and stored in line {access.acted}"
            then = "another coroutine that comes meanwhile finds the same, and both do it"
        else:
            what, then = "is read and stored again", "what another coroutine stores meanwhile is lost"
        message = f"`{access.shown}` {what} in `{name}`, which awaits in line {access.awaited} in between: {then}"
        yield Race("awaits-in-between", access.routine.path, access.line, message, f"{name} {access.shown}", sure=False)


CREATES = re.compile(r"^_*[A-Z]|connect|create|open|make|start|spawn|build|new_|session|client|pool|login|acquire")
"""What a function is called that gives something of its own each time."""


def _harmless(access: Access) -> bool:
    """Of what is fetched or cleared, twice is as good as once; of what is created, it is not."""
    value = access.value.value if isinstance(access.value, ast.Await) else access.value
    if isinstance(value, ast.Call) and last_name(value.func) in {"wait_for", "shield", "gather"} and value.args:
        value = value.args[0]
    creates = isinstance(value, ast.Call) and CREATES.search(last_name(value.func))
    return access.kind == "check" and not creates and not isinstance(value, ast.BinOp)


def from_threads(summary: Summary) -> Iterator[Race]:
    """Objects of asyncio that a thread touches, which does not wake the event loop."""
    for name, threads in summary.in_threads[False].items():
        routine = summary.routines.get(name)
        if (
            routine is None
            or isinstance(routine.node, ast.AsyncFunctionDef)
            or any(_has_a_loop(summary, each) for each in threads)
        ):
            continue
        for node in own_nodes(routine.node):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and _is_of_the_loop(summary, routine, node.func)
            ):
                entry = threads[0]
                message = (
                    f"`{ast.unparse(node.func)}` in `{routine.node.name}`, which runs in a thread (`{entry.how}`, "
                    f"{entry.path}:{entry.line}): the event loop is not woken, and its state may break"
                )
                yield Race(
                    "loop-from-thread",
                    routine.path,
                    node.lineno,
                    message,
                    f"{routine.node.name} {ast.unparse(node.func)}",
                )


def _has_a_loop(summary: Summary, entry: Entry) -> bool:
    """Whether the thread runs an event loop itself."""
    for name in summary.reached(entry.routine, on_self=False):
        routine = summary.routines.get(name)
        for node in own_nodes(routine.node) if routine is not None else ():
            if (
                isinstance(node, ast.Call)
                and last_name(node.func) in OWN_LOOP
                and re.search(r"loop|asyncio", dotted(node.func))
            ):
                return True
    return False


def _is_of_the_loop(summary: Summary, routine: Routine, func: ast.Attribute) -> bool:
    if func.attr in OF_THE_LOOP:
        holder = last_name(func.value)
        return holder == "asyncio" or bool(re.search(r"(^|_)(event_)?loop$", holder))
    place = summary.names.place(routine, func.value)
    found = summary.names.first_value(place) if place else None
    if found is None or not isinstance(found[1], ast.Call):
        return False
    return func.attr in ASYNC_OBJECTS.get(summary.program.resolve(found[0], dotted(found[1].func)), set())
