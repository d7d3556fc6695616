"""What a change has to keep, and what shows that it did: what callers use, routes, tests of others that run it."""

from __future__ import annotations

import ast
import inspect
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from omni.code.analysis import Analysis
from omni.code.interface import breaks
from omni.code.model import Model
from omni.code.python import read_python
from omni.pipeline.change import reached_inside
from omni.pipeline.change.kinds import Kind
from omni.pipeline.change.proof import is_test_file
from omni.pipeline.change.suite import Suite, Tester

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
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


def weakened(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The tests that have fewer assertions than before, the vanished ones aside. Path → text."""
    found = []
    for path in filter(is_test_file, before):
        then, now = _assertions(before[path]), _assertions(after.get(path, ""))
        less = (name for name, count in then.items() if name in now and now[name] < count)
        found += [f"{path} asserts less than before: {name}" for name in less]
    return found


def _assertions(text: str) -> dict[str, int]:
    """Test → how many assertions it has."""
    return {
        each.name: sum(_asserts(node) for node in ast.walk(each))
        for each in _functions(text)
        if each.name.startswith("test")
    }


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name.startswith("assert") or name in {"raises", "fail"}
    return isinstance(node, ast.Assert)


def run_by_others(
    tester: Tester, before: Suite, then: Mapping[str, str], now: Mapping[str, str]
) -> tuple[int, tuple[str, ...]]:
    """(functions that changed, those of them that no test runs that was there before and stayed as it was).

    `then` and `now`: the texts that the change touched, of Python alone. Whole files of tests count, and fixtures are
    no tests. Raises OmniError when there is no sandbox.
    """
    tests = sorted({test.path for test in before.tests.values() if test.outcome == "passed"} - {*then, *now, ""})
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


def _functions(text: str) -> list[Function]:
    try:
        return _defined(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError):
        return []


def _defined(tree: ast.Module) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def beyond_functions(touched: Iterable[str], before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """What of a change tests can't speak for by running the functions that changed. Path → text of the touched files.

    It is not seen whether they run a fixture, a template, a constant or an attribute of a class; nor whether they run a
    function that stayed as it was, and to which a name means something else now.
    """
    found = []
    for path in sorted(touched):
        if is_test_file(path) or is_fixture(path):
            found.append(f"{path} is of the tests")
        elif not path.endswith(".py") or (path not in before and path not in after):  # the latter is a link
            found.append(f"{path} is no Python")
        else:
            try:
                then, now = ast.parse(before.get(path, "")), ast.parse(after.get(path, ""))
                found += [f"{path}: {each}" for each in _beyond(then, now)]
            except (SyntaxError, ValueError, RecursionError):
                found.append(f"{path} can't be read")
    return tuple(found)


def is_fixture(path: str) -> bool:
    """Whether tests of other files may take from it what they are given."""
    return path.rpartition("/")[2] == "conftest.py"


def _beyond(then: ast.Module, now: ast.Module) -> list[str]:
    old, new = _bound(then), _bound(now)
    changed = {name for name in {*old, *new} if old[name] != new[name]}
    same = {ast.dump(node) for node in _defined(then)} & {ast.dump(node) for node in _defined(now)}
    stayed: list[ast.AST] = [node for node in _defined(now) if ast.dump(node) in same]
    rest, earlier = _Rest(same).generic_visit(now), _Rest(same).generic_visit(then)
    if ast.dump(rest) != ast.dump(earlier):
        return ["it changes outside of functions"]
    used = changed & {name for node in (*stayed, rest) for each in ast.walk(node) for name in _names(each)}
    return [f"what is called {name} changes for code that stayed as it was" for name in sorted(used | changed & {"*"})]


class _Rest(ast.NodeTransformer):
    """A file without its imports and the functions that changed; where one stayed as it was, its text stands."""

    def __init__(self, stayed: Set[str]) -> None:
        self.stayed = stayed

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, Function):
            text = ast.dump(node)
            return ast.Expr(ast.Constant(text)) if text in self.stayed else None
        return None if isinstance(node, ast.Import | ast.ImportFrom) else self.generic_visit(node)


def _bound(tree: ast.Module) -> defaultdict[str, Counter[str]]:
    """Name → what imports and functions stand under it."""
    found = defaultdict[str, Counter[str]](Counter)
    for node in ast.walk(tree):
        if isinstance(node, Function):
            found[node.name]["a function"] += 1
        elif isinstance(node, ast.Import | ast.ImportFrom):
            place = f"{'.' * node.level}{node.module or ''}" if isinstance(node, ast.ImportFrom) else ""
            for each in node.names:
                found[each.asname or each.name.partition(".")[0]][f"{place} {each.name}"] += 1
    return found


def _names(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    return (node.id,) if isinstance(node, ast.Name) else ()
