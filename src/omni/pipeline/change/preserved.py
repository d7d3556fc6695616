"""What a change has to keep, and what shows that it did: what callers use, routes, tests of others that run it."""

from __future__ import annotations

import ast
import inspect
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from omni.code.analysis import Analysis
from omni.code.interface import breaks
from omni.code.model import Model
from omni.code.python import read_python
from omni.pipeline.change import reached_inside
from omni.pipeline.change.kinds import Kind
from omni.pipeline.change.proof import is_test_file
from omni.pipeline.change.suite import Suite, Tester

RENAMES = re.compile(r"\brename", re.IGNORECASE)


class Size(Model):
    """Of the code that is no test."""

    lines: int = 0
    branches: int = 0
    """McCabe's number, summed over all functions."""
    hardest: int = 0
    """The highest of one function."""

    def __str__(self) -> str:
        return f"{self.lines} lines, {self.branches} branches, at most {self.hardest} in one function"


def broken_promises(kind: Kind, request: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What callers of the code can't do any more, unless the request speaks of it by name. Path → text."""
    if kind == "migration":
        return []  # how the new framework calls a handler is its own affair; what counts are the routes
    said = set(re.findall(r"\w+", request))
    return [
        f"the public interface: {each}" for each in breaks(before, after) if each.name.rpartition(".")[2] not in said
    ]


def lost_routes(before: Analysis, after: Analysis) -> list[str]:
    """Routes whose method and path are nowhere any more; a prefix may stand elsewhere than before."""
    now = [_route(each.what) for each in after.entry_points if each.kind == "route"]
    return [
        f"{each.what} ({each.path}:{each.line}) is no route any more"
        for each in before.entry_points
        if each.kind == "route" and not any(_same(_route(each.what), other) for other in now)
    ]


def _route(what: str) -> tuple[str, str]:
    """Method and path; `GET /books/<int:number>` and `GET /books/{number}` are the same."""
    method, _, path = re.sub(r"<(?:\w+:)?(\w+)>|\{(\w+)(?::\w+)?\}|:(\w+)", "{}", what).rpartition(" ")
    return method.lower(), path.rstrip("/").lower()


def _same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] == other[0] and (one[1].endswith(other[1]) or other[1].endswith(one[1]))


def size(texts: Mapping[str, str]) -> Size:
    lines, branches = 0, [0]
    for path, text in texts.items():
        if path.endswith(".py") and not is_test_file(path):
            try:
                found = read_python(text, path)
            except (SyntaxError, ValueError, RecursionError):
                continue
            lines += sum(bool(line.strip()) for line in text.splitlines())
            branches += [each.complexity for each in found.symbols if each.kind != "class"]
    return Size(lines=lines, branches=sum(branches), hardest=max(branches))


def no_simpler(request: str, before: Size, after: Size) -> list[str]:
    """A refactoring makes something smaller or simpler, unless it gives new names to what there is."""
    less = after.lines < before.lines or after.branches < before.branches or after.hardest < before.hardest
    if less or RENAMES.search(request) or before == after:
        return []
    return [f"nothing became smaller or simpler: before {before}; after {after}"]


def run_by_others(
    tester: Tester, before: Suite, touched: Iterable[str], then: Mapping[str, str], now: Mapping[str, str]
) -> tuple[int, tuple[str, ...]]:
    """(functions that changed, those of them that no test runs that was there before and stayed as it was).

    `touched`: paths that the change touched; `then` and `now`: their texts. Whole files of tests count, and fixtures
    are no tests. Raises OmniError when there is no sandbox.
    """
    touched = frozenset(touched)
    tests = sorted({test.path for test in before.tests.values() if test.outcome == "passed"} - touched - {""})
    functions = {(path, line): name for path in now for line, name in _changed(then.get(path, ""), now[path]).items()}
    if not tests or not functions or tester.project.tests.command:
        return len(functions), tuple(functions.values())
    with tempfile.TemporaryDirectory(prefix="omni-reached-") as folder:
        Path(folder).chmod(0o755)
        Path(folder, "omni_reached.py").write_text(inspect.getsource(reached_inside))
        watching = replace(tester, overlay=Path(folder), watched=tuple(sorted({path for path, _ in functions})))
        reached = set(watching.run(tests).reached)
    return len(functions), tuple(name for place, name in functions.items() if place not in reached)


def _changed(then: str, now: str) -> dict[int, str]:
    """First line → name of the functions that are new or whose syntax changed."""
    known = {ast.dump(node) for node in _functions(then)}
    return {
        min([node.lineno, *(each.lineno for each in node.decorator_list)]): node.name
        for node in _functions(now)
        if ast.dump(node) not in known
    }


def _functions(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
