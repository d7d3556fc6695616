"""Tests that can't fail: nothing asserted, or only what is true whatever the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.python import Function, dotted, functions, last_name
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.files import File
from omni.verify.parsing import children, walk
from omni.verify.report import Severity, Status

NOTHING = Rule(
    "assertions",
    "asserts-nothing",
    Severity.ERROR,
    why="It passes whatever the code does, and counts as proof all the same.",
    fix="Assert what the code gave back or changed: assert result == expected, or pytest.raises for an error.",
    cwe="CWE-1053",
)
CONSTANT = Rule(
    "assertions",
    "asserts-constant",
    Severity.ERROR,
    why="What it asserts is true before the code has run.",
    fix="Compare a value that the code made with one that is written out.",
)
NO_ERROR = replace(
    NOTHING,
    name="asserts-no-error",
    severity=Severity.WARNING,
    why="It shows that nothing is raised, where another test shows that something is; what comes back is not seen.",
)
OWN_MOCK = Rule(
    "assertions",
    "asserts-own-mock",
    Severity.WARNING,
    why="It asserts that the test itself called its own mock; the code under test could be deleted.",
    fix="Give the mock to the code under test, or assert on what that code returns.",
)

SAYS_SO = re.compile(
    r"^_*(assert|check|verify|expect|ensure|should|must|validate|compare|snapshot|approve|require)", re.IGNORECASE
)
"""Functions that are taken to assert because of their name, when their source is not in the tests."""
PYTEST = frozenset({"raises", "warns", "deprecated_call", "fail", "RaisesGroup", "raises_regexp", "assertLogs"})
SKIPPED = frozenset({"skip", "skipif", "xfail", "benchmark"})


def run(context: Context) -> Iterator[Item]:
    if not any(TEST_FILE.search(file.path) for file in context.files):
        yield Gap("there is no test that could assert anything", Status.SKIPPED)
        return
    trees: dict[File, ast.Module] = {}
    for file in context.files:
        if not _among_tests(file.path):
            continue
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            if TEST_FILE.search(file.path):
                yield tree
        else:
            trees[file] = tree
    helpers = _asserting_helpers(trees)
    for file, tree in trees.items():
        if TEST_FILE.search(file.path):
            yield from _weak_tests(file, tree, helpers)


def _among_tests(path: str) -> bool:
    return bool(TEST_FILE.search(path) or re.search(r"(^|/)(tests?|testing|conftest\.py)(/|$)", path))


def _asserting_helpers(trees: Mapping[File, ast.Module]) -> frozenset[str]:
    """Names of functions of the tests that assert, directly or through one another."""
    found = [function for tree in trees.values() for function, _ in functions(tree)]
    asserting: set[str] = set()
    while True:
        more = {each.name for each in found if each.name not in asserting and _asserts(each, frozenset(asserting))}
        if not more:
            return frozenset(asserting)
        asserting |= more


def _asserts(function: Function, helpers: frozenset[str]) -> bool:
    return any(
        isinstance(node, ast.Assert | ast.Raise) or (isinstance(node, ast.Call) and _call_asserts(node, helpers))
        for node in walk(function)
    )


def _call_asserts(call: ast.Call, helpers: frozenset[str]) -> bool:
    name = last_name(call.func)
    return name in helpers or name in PYTEST or bool(SAYS_SO.match(name))


def _weak_tests(file: File, tree: ast.Module, helpers: frozenset[str]) -> Iterator[Item]:
    if _marked(tree.body):
        return
    refused = frozenset().union(*(_called(node) for node in walk(tree) if _expects_error(node)))
    for function, owner in _collectable(tree.body):
        if not is_test(function, owner) or (owner and _marked(owner.body)):
            continue
        line = function.lineno
        asserts = [node for node in walk(function) if isinstance(node, ast.Assert)]
        real = [node for node in asserts if not _always_true(node.test)]
        calls = [node for node in walk(function) if isinstance(node, ast.Call) and _call_asserts(node, helpers)]
        if real or any(isinstance(node, ast.Raise) for node in walk(function)):
            continue
        if calls:
            if all(_own_mock(call, function) for call in calls):
                yield OWN_MOCK.at(file.path, line, f"`{function.name}` asserts only its own mock")
        elif asserts:
            message = f"`{function.name}` asserts only what is always true"
            yield CONSTANT.at(file.path, asserts[0].lineno, message)
        else:
            rule = NO_ERROR if refused & _called(function) else NOTHING
            yield rule.at(file.path, line, f"`{function.name}` asserts nothing")


def _expects_error(node: ast.AST) -> bool:
    """`with pytest.raises(…):`"""
    return isinstance(node, ast.With) and any(
        isinstance(item.context_expr, ast.Call) and last_name(item.context_expr.func) in PYTEST | {"assertRaises"}
        for item in node.items
    )


def _called(node: ast.AST) -> frozenset[str]:
    """Names of all that is called within the node, but those that expect errors."""
    names = (last_name(each.func) for each in walk(node) if isinstance(each, ast.Call))
    return frozenset(names) - PYTEST - {"assertRaises"}


def _collectable(
    body: Iterable[ast.stmt], owner: ast.ClassDef | None = None
) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """Functions of the module and of its classes. One within a function is none that pytest finds."""
    for statement in body:
        if isinstance(statement, Function):
            yield statement, owner
        elif isinstance(statement, ast.ClassDef):
            yield from _collectable(statement.body, statement)
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            yield from _collectable([each for each in children(statement) if isinstance(each, ast.stmt)], owner)


def _marked(body: Iterable[ast.stmt]) -> bool:
    """`pytestmark = pytest.mark.benchmark`: all tests of the module or class are skipped, or measure time."""
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        and any(isinstance(each, ast.Attribute) and each.attr in SKIPPED for each in walk(node.value))
        for node in body
    )


def is_test(function: Function, owner: ast.ClassDef | None) -> bool:
    if not function.name.startswith("test") or (owner and not _collected(owner)):
        return False
    if _answers(function.body):
        return False  # what is called `test_…` and gives an answer asks a question, and is none for pytest
    marks = {last_name(each) for each in function.decorator_list}
    arguments = {each.arg for each in function.args.args}
    # pytest.fixture named test_… is no test; a benchmark's result is its time
    return not (marks & (SKIPPED | {"fixture"}) or "benchmark" in arguments)


def _answers(body: Iterable[ast.AST]) -> bool:
    """Whether a value is returned, by the function itself and not by one within it."""
    for node in body:
        if isinstance(node, ast.Return) and node.value is not None:
            return True
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef) and _answers(children(node)):
            return True
    return False


def _collected(owner: ast.ClassDef) -> bool:
    return owner.name.startswith("Test") or any("TestCase" in dotted(base) for base in owner.bases)


def _always_true(test: ast.expr) -> bool:
    """Constants, non-empty displays, a value compared with itself, and `or` with any of them."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_always_true(value) for value in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, ast.Constant) and not test.operand.value
    if (
        isinstance(test, ast.Compare)
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq | ast.Is | ast.LtE | ast.GtE)
    ):
        left, right = test.left, test.comparators[0]
        both_constant = isinstance(left, ast.Constant) and isinstance(right, ast.Constant)
        same = ast.dump(left) == ast.dump(right) and not any(isinstance(node, ast.Call) for node in walk(left))
        return same if not both_constant else left.value == right.value  # type: ignore[attr-defined]
    return False


def _own_mock(call: ast.Call, function: Function) -> bool:
    """`m.assert_called…()` where the test itself calls `m` and gives it to nobody."""
    parts = dotted(call.func).split(".")
    if len(parts) < 2 or not parts[-1].startswith("assert_"):
        return False
    mock = parts[0]
    made_here = any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == mock for target in node.targets)
        and isinstance(node.value, ast.Call)
        and last_name(node.value.func).endswith("Mock")
        for node in walk(function)
    )
    given = any(
        isinstance(node, ast.Call)
        and any(isinstance(name, ast.Name) and name.id == mock for each in _arguments(node) for name in walk(each))
        for node in walk(function)
    )
    stored = any(
        isinstance(node, ast.Assign) and any(isinstance(n, ast.Name) and n.id == mock for n in walk(node.value))
        for node in walk(function)
    )
    return made_here and not given and not stored


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(each.value for each in call.keywords)]


CHECK = Check(
    id="assertions",
    title="Every test asserts something",
    tier=2,
    languages=("python",),
    run=run,
)
