"""What goes wrong between functions of Python: None that is used as a value, and what is opened and never closed.

Where Infer is not at hand, and beside it: both name the whole way, and say nothing of what they can't follow for sure.
"""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.program import read_program
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.deep.callee import TESTS
from omni.verify.deep.optional import Optionals, Use
from omni.verify.deep.resources import Leak, Resources
from omni.verify.report import Severity

NONE = Rule(
    "none-dereference",
    "may-be-none",
    Severity.ERROR,
    why="On that way the program stops with an AttributeError or TypeError, far from where the value was missing.",
    fix="Look at the value before it is used, or let the function raise instead of returning None.",
    cwe="CWE-476",
)
LEAK = Rule(
    "resource-leaks",
    "never-closed",
    Severity.ERROR,
    why="Each call leaves one open until the garbage collector comes by; under load the program runs out of them.",
    fix="Open it in a `with` statement where it is used.",
    cwe="CWE-772",
)


def run_none(context: Context) -> Iterator[Item]:
    yield from _unparsed(context)
    for use in dict.fromkeys(Optionals(read_program(context)).uses()):
        if not TESTS.search(use.path):
            yield NONE.at(use.path, use.line, _used(use), snippet=f"{use.caller} {use.name}")


def _used(use: Use) -> str:
    given = f"`{use.source.node.name}` gives None in {use.source.path}:{use.source_line}"
    how = f"handed to `{use.through}`, which uses it" if use.through else "used"
    called = "" if use.source.node.name == use.name else f"`{use.name}` passes on that "
    return f"in `{use.caller}` what `{use.name}` returns is {how} as if it were never None; {called}{given}"


def run_leaks(context: Context) -> Iterator[Item]:
    yield from _unparsed(context)
    for leak in Resources(read_program(context)).leaks():
        if not TESTS.search(leak.path):
            yield LEAK.at(leak.path, leak.line, _open(leak), snippet=f"{leak.kind} {leak.variable}")


def _open(leak: Leak) -> str:
    what = f"the {leak.kind} `{leak.variable}`" if leak.variable else f"a {leak.kind}"
    opened = ""
    if leak.opener is not None:
        opened = f", which `{leak.opener.node.name}` returns open ({leak.opener.path}:{leak.opener_line}),"
    lent = f"; `{leak.handed_to}`, which it is handed to, does not close it either" if leak.handed_to else ""
    return f"{what}{opened} is never closed{lent}"


def _unparsed(context: Context) -> Iterator[Item]:
    yield from (tree for _, tree in context.parsed_python() if isinstance(tree, Unseen))


CHECKS = (
    Check(
        id="none-dereference",
        title="What may be None is looked at before it is used, across functions",
        tier=3,
        languages=("python",),
        run=run_none,
    ),
    Check(
        id="resource-leaks",
        title="What is opened is closed, across functions",
        tier=3,
        languages=("python",),
        run=run_leaks,
    ),
)
