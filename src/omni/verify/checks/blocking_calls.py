"""Functions that wait, called from asynchronous code through another function, where nobody sees it.

What an `async def` calls itself is seen by rules on patterns; here it is what its callees do, up to three calls down.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.program import Program, Routine, read_program
from omni.verify.analysis.python import Function, dotted
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.parsing import walk
from omni.verify.report import Severity

BLOCKS = Rule(
    "blocking-calls",
    "blocks-through-a-call",
    Severity.WARNING,
    "While it waits, the event loop stands still, and with it every other request of the process.",
    "Call it with `await asyncio.to_thread(…)`, or use an asynchronous library in it.",
    "CWE-834",
)
WAITS = re.compile(
    r"time\.sleep|requests\.(get|post|put|patch|delete|head|request|Session)|httpx\.(get|post|put|patch|delete|head|request|stream)"
    r"|urllib\.request\.(urlopen|urlretrieve)|urlopen|subprocess\.(run|call|check_call|check_output)|os\.system"
    r"|socket\.(create_connection|getaddrinfo|gethostbyname)|smtplib\.SMTP(_SSL)?|psycopg2\.connect|pymysql\.connect|input"
)
DEPTH = 3
"""Calls that are followed."""


def run(context: Context) -> Iterator[Item]:
    yield from (tree for _, tree in context.parsed_python() if isinstance(tree, Unseen))
    program = read_program(context)
    for routine in program.routines.values():
        if isinstance(routine.node, ast.AsyncFunctionDef) and not BESIDE_THE_PRODUCT.search(routine.path):
            for call in _calls(routine.node):
                way = _way(program, routine, call, DEPTH)
                if way:
                    message = f"`{routine.node.name}` waits in {' → '.join(f'`{each}`' for each in way)}"
                    yield BLOCKS.at(routine.path, call.lineno, message)


def _calls(function: ast.AST) -> Iterator[ast.Call]:
    """Calls that run when the function does: not those of functions within it."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.Call):
            yield child
        if not isinstance(child, Function | ast.Lambda | ast.ClassDef):
            yield from _calls(child)


def _way(program: Program, caller: Routine, call: ast.Call, depth: int) -> tuple[str, ...]:
    """From the called function to what waits; empty when it does not, or which function it is is not certain."""
    full = program.resolve(caller.module, dotted(call.func))
    called = program.routines.get(full)
    if called is None and caller.owner is not None and dotted(call.func).startswith("self."):
        called = program.method(caller.owner, dotted(call.func).removeprefix("self."))
    if called is None or isinstance(called.node, ast.AsyncFunctionDef) or _is_generator(called):
        return ()
    for inner in _calls(ast.Module(called.node.body, [])):
        name = program.resolve(called.module, dotted(inner.func)).removeprefix(f"{called.module}.")
        if WAITS.fullmatch(name):
            return (called.node.name, name)
        if depth > 1 and (way := _way(program, called, inner, depth - 1)):
            return (called.node.name, *way)
    return ()


def _is_generator(routine: Routine) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in walk(routine.node))


CHECK = Check(
    id="blocking-calls",
    title="Asynchronous code does not wait in what it calls",
    tier=2,
    languages=("python",),
    run=run,
)
