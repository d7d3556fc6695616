"""Tests that look like tests and prove nothing: they never run, never reach their assertion, or test their own mock.

`assertions` judges tests without any assertion; here it is those whose assertions can't fail for another reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from omni.verify.analysis.adoption import pyproject, table
from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.python import Function, dotted, functions, keyword, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.checks.assertions import is_test
from omni.verify.parsing import walk
from omni.verify.report import Severity

NEVER_RUN = Rule(
    "hollow-tests",
    "never-collected",
    Severity.ERROR,
    "It is counted as a test by who reads it, and pytest never runs it.",
    "Name files test_….py, functions test_… and classes Test…, without __init__, at the top of the module.",
    "CWE-1053",
)
UNREACHED = Rule(
    "hollow-tests",
    "assertion-not-reached",
    Severity.ERROR,
    "The test ends before it, and passes whatever the code does.",
    "Move the assertion before the return, or remove the return.",
    "CWE-561",
)
OWN_MOCK = Rule(
    "hollow-tests",
    "asserts-own-mock",
    Severity.ERROR,
    "It asserts what the test itself told the mock to answer; the code under test could be deleted.",
    "Give the mock to the code under test, and assert on what that code returns.",
)
PATCHED = Rule(
    "hollow-tests",
    "patches-what-it-tests",
    Severity.ERROR,
    "The function that is tested is replaced by a mock first, so the mock is tested.",
    "Patch what the function depends on, and call the real one.",
)
REPEATED = Rule(
    "hollow-tests",
    "repeats-the-code",
    Severity.WARNING,
    "Both sides are computed by the same code, so a wrong result equals itself.",
    "Write the expected value out.",
)
MOCKS = frozenset({"Mock", "MagicMock", "AsyncMock", "NonCallableMock"})
ABOUT_EQUALITY = re.compile(
    r"determin|idempot|stable|same|twice|cache|repeat|equal|eq|hash|reprod|identity|singleton|random|uniq|memo|consisten|seed",
    re.IGNORECASE,
)
"""Names of tests that compare the code with itself on purpose."""


def run(context: Context) -> Iterator[Item]:
    configured = _configured(context)
    imported = _imported_modules(context)
    for file, tree in context.parsed_python():
        among_tests = re.search(r"(^|/)tests?/", file.path) is not None
        if not among_tests and not TEST_FILE.search(file.path):
            continue
        if isinstance(tree, Unseen):
            yield tree
            continue
        found = list(_not_collected(file.path, tree, imported)) if not configured else []
        names = _names(tree)
        for function, owner in functions(tree):
            if is_test(function, owner):
                found += _judge(function, names)
        for rule, line, message in found:
            yield rule.at(file.path, line, message)


def _configured(context: Context) -> bool:
    """Whether the project says itself what a test is called, or runs its tests with something else than pytest."""
    options = table(pyproject(context), "tool", "pytest")
    named = {"python_files", "python_classes", "python_functions"}
    if named & (options.keys() | table(options, "ini_options").keys()):
        return True
    others = [context.inventory.by_path.get(name) for name in ("pytest.ini", "setup.cfg", "tox.ini", "manage.py")]
    return any(each is not None and (each.path == "manage.py" or "python_" in context.text(each)) for each in others)


def _imported_modules(context: Context) -> frozenset[str]:
    """Last names of modules that other files import: a base of tests is run by who imports it."""
    return frozenset(
        name
        for _, tree in context.parsed_python()
        if isinstance(tree, ast.Module)
        for node in walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            *(each.name.rpartition(".")[2] for each in node.names),
            (getattr(node, "module", None) or "").rpartition(".")[2],
        )
    )


Judgement = Iterator[tuple[Rule, int, str]]


def _not_collected(path: str, tree: ast.Module, imported: frozenset[str]) -> Judgement:
    stem = path.rpartition("/")[2].removesuffix(".py")
    if not TEST_FILE.search(path):
        tests = [each for each in tree.body if isinstance(each, Function) and _runs_as_test(each)]
        if tests and stem not in imported and stem not in {"conftest", "__init__"}:
            yield NEVER_RUN, tests[0].lineno, f"pytest does not look into `{stem}.py`, and {len(tests)} tests are in it"
        return
    bases = {last_name(base) for node in walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name not in bases and node.name not in imported:
            yield from _class_not_collected(node)
        elif isinstance(node, Function) and node.name.startswith("test"):
            used = {each.id for each in walk(node) if isinstance(each, ast.Name)}
            for inner in walk(node):
                if (
                    inner is not node
                    and isinstance(inner, Function)
                    and _runs_as_test(inner)
                    and inner.name not in used
                ):
                    yield NEVER_RUN, inner.lineno, f"`{inner.name}` is inside of `{node.name}`, and nobody calls it"


def _runs_as_test(function: Function) -> bool:
    """By its name, with an assertion, and nothing that makes it something else."""
    asserts = any(isinstance(each, ast.Assert) for each in walk(function))
    return function.name.startswith("test_") and asserts and not function.decorator_list


def _class_not_collected(owner: ast.ClassDef) -> Judgement:
    tests = [each for each in owner.body if isinstance(each, Function) and _runs_as_test(each)]
    if not tests or owner.bases or owner.decorator_list:
        return
    if not owner.name.startswith("Test"):
        if not re.search(r"Base|Mixin|Abstract|Common|Shared", owner.name):
            yield (
                NEVER_RUN,
                owner.lineno,
                f"pytest does not look into `{owner.name}`: its name does not start with Test",
            )
    elif any(isinstance(each, Function) and each.name == "__init__" for each in owner.body):
        yield NEVER_RUN, owner.lineno, f"pytest does not look into `{owner.name}`, since it has an __init__"


def _names(tree: ast.Module) -> Mapping[str, str]:
    """Local name → what it was imported as."""
    found: dict[str, str] = {}
    for node in walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.asname: each.name for each in node.names if each.asname}
    return found


def _judge(test: Function, names: Mapping[str, str]) -> Judgement:
    yield from _unreached(test)
    yield from _own_mock(test)
    yield from _patched(test, names)
    if not ABOUT_EQUALITY.search(test.name):
        yield from _repeated(test, names)


def _unreached(test: Function) -> Judgement:
    for node in walk(test):
        if isinstance(node, Function) and node is not test:
            continue
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            ended = False
            for statement in block if isinstance(block, list) else ():
                if ended and any(isinstance(each, ast.Assert) for each in walk(statement)):
                    yield UNREACHED, statement.lineno, f"`{test.name}` returns before this assertion"
                    break
                ended = ended or isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break)


def _own_mock(test: Function) -> Judgement:
    """Each assertion is about the answer of a mock that the test made and gave to nobody."""
    mocks = {
        node.targets[0].id
        for node in walk(test)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and last_name(node.value.func) in MOCKS
    }
    asserts = [node for node in walk(test) if isinstance(node, ast.Assert)]
    if not mocks or not asserts or any(last_name(n.func) == "raises" for n in walk(test) if isinstance(n, ast.Call)):
        return
    holders = {id(node.value) for node in walk(test) if isinstance(node, ast.Attribute)}
    holders |= {id(node.func) for node in walk(test) if isinstance(node, ast.Call)}
    given = {
        node.id
        for node in walk(test)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in holders
    }
    answers = mocks - given
    answers |= {
        node.targets[0].id
        for node in walk(test)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and dotted(node.value.func).partition(".")[0] in mocks - given
    }
    if all(_only_about(each.test, answers) for each in asserts):
        yield OWN_MOCK, asserts[0].lineno, f"`{test.name}` asserts what its own mock was told to answer"


def _only_about(test: ast.expr, names: set[str]) -> bool:
    used = {node.id for node in walk(test) if isinstance(node, ast.Name)}
    return bool(used) and used <= names


def _patched(test: Function, names: Mapping[str, str]) -> Judgement:
    """`patch("app.prices.total")` around a test whose assertion calls `total`."""
    targets: dict[str, int] = {}
    for node in [*test.decorator_list, *walk(test)]:
        if (
            isinstance(node, ast.Call)
            and re.search(r"(^|\.)patch$|monkeypatch\.setattr$", dotted(node.func))
            and node.args
        ):
            target = text_of(node.args[0])
            if target and not any(keyword(node, each) for each in ("wraps", "side_effect", "autospec")):
                targets[target] = node.lineno
    called = {
        full
        for node in walk(test)
        if isinstance(node, ast.Assert)
        for call in walk(node)
        if isinstance(call, ast.Call) and (full := _full(dotted(call.func), names))
    }
    called |= {
        full
        for node in walk(test)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and (full := _full(dotted(node.value.func), names))
    }
    for target, line in targets.items():
        if target in called:
            yield PATCHED, line, f"`{test.name}` replaces `{target}` and then tests it"


def _full(name: str, names: Mapping[str, str]) -> str:
    first, dot, rest = name.partition(".")
    return f"{names[first]}{dot}{rest}" if first in names else name


def _repeated(test: Function, names: Mapping[str, str]) -> Judgement:
    """`assert total([1, 2]) == total([1, 2])`, of an imported function and values that are written out."""
    for node in walk(test):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
            left, right = node.test.left, node.test.comparators[0]
            if isinstance(node.test.ops[0], ast.Eq) and ast.dump(left) == ast.dump(right) and _is_pure(left, names):
                yield REPEATED, node.lineno, f"`{test.name}` compares `{ast.unparse(left)}` with itself"


def _is_pure(node: ast.expr, names: Mapping[str, str]) -> bool:
    if not isinstance(node, ast.Call) or dotted(node.func).partition(".")[0] not in names:
        return False
    given = (*node.args, *(each.value for each in node.keywords))
    return not any(isinstance(each, ast.Name | ast.Call | ast.Attribute) for value in given for each in walk(value))


CHECK = Check(
    id="hollow-tests",
    title="Every test runs, and can fail",
    tier=2,
    languages=("python",),
    config=("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "manage.py"),
    run=run,
)
