"""Technical debt, counted: complex functions, copied lines, old notes, functions without a test.

What it would cost to pay it back is a model, declared in data/debt.toml. Metrics: `debt.hours`, and of each kind
`debt.complexity`, `debt.duplicate`, `debt.note`, `debt.test_gap` in hours; `debt.most_complex` in paths.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from omni.kernel.clock import now
from omni.verify import repository
from omni.verify.analysis.complexity import complexity
from omni.verify.analysis.duplication import copies
from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.python import functions
from omni.verify.analysis.rule import Rule, numbered
from omni.verify.check import Check, Context, Item, Metric, Unseen
from omni.verify.checks.tests import NOT_THE_PROGRAM
from omni.verify.report import Finding, Model, Severity

DATA = Path(__file__).parent.parent / "data" / "debt.toml"
LANGUAGES = ("python", "javascript", "typescript", "go", "rust", "java", "c", "cpp", "shell")
NOTE = re.compile(r"(?:#|//|/\*|<!--|--)\s*(TODO|FIXME|HACK|XXX)\b(?:\([^)]{0,40}\))?[: ]*(.{0,80})")
MOST_NOTES = 200
"""Whose age is looked up; each asks git."""

COMPLEX = Rule(
    "debt",
    "complexity",
    Severity.WARNING,
    why="A function of that many paths needs as many tests, and nobody holds it in the head.",
    fix="Take parts of it out as functions of their own, or turn its cases into a table.",
    cwe="CWE-1121",
)
COPIED = Rule(
    "debt",
    "duplicate",
    Severity.NOTE,
    why="What is mended in one place stays broken in the other.",
    fix="Put it into one function that both call.",
    cwe="CWE-1041",
)
LATER = Rule(
    "debt",
    "old-note",
    Severity.NOTE,
    why="What was to be done later has not been done, and soon nobody knows what it was about.",
    fix="Do it, or delete the note and open an issue.",
    cwe="CWE-546",
)
GAP = Rule(
    "debt",
    "test-gap",
    Severity.NOTE,
    why="No test names the function or its module, so nothing shows that it works.",
    fix="Add a test that calls it.",
    cwe="CWE-1059",
)


class Limits(Model):
    complexity: int
    duplicate: int
    age: int


class Costs(Model):
    limits: Limits
    hours: Mapping[str, float]


@cache
def costs() -> Costs:
    return Costs.model_validate(tomllib.loads(DATA.read_text("utf-8")))


def run(context: Context) -> Iterator[Item]:
    hours: dict[str, float] = defaultdict(float)
    for kind, cost, finding in (*_complex(context), *_copied(context), *_later(context), *_untested(context)):
        hours[kind] += cost
        yield finding
    trees = [tree for _, tree in context.parsed_python() if not isinstance(tree, Unseen)]
    most = max((complexity(function) for tree in trees for function, _ in functions(tree)), default=0)
    yield Metric("debt.most_complex", most)
    for kind in ("complexity", "duplicate", "note", "test_gap"):
        yield Metric(f"debt.{kind}", round(hours[kind], 1))
    yield Metric("debt.hours", round(sum(hours.values()), 1))


Owed = tuple[str, float, Finding]
"""(kind, hours, what)"""


def _complex(context: Context) -> Iterator[Owed]:
    limit, hour = costs().limits.complexity, costs().hours["complexity"]
    for file, tree in context.parsed_python():
        for function, _ in functions(tree) if not isinstance(tree, Unseen) else ():
            paths = complexity(function)
            if paths > limit:
                message = f"`{function.name}` has {paths} paths; the limit is {limit}"
                yield "complexity", (paths - limit) * hour, COMPLEX.at(file.path, function.lineno, message)


def _copied(context: Context) -> Iterator[Owed]:
    texts = {file.path: context.text(file) for file in context.files}
    for copy in copies(texts, costs().limits.duplicate):
        message = f"{copy.lines} lines are the same as in {copy.of_path}:{copy.of_line}"
        yield "duplicate", copy.lines * costs().hours["duplicate"], COPIED.at(copy.path, copy.line, message)


def _later(context: Context) -> Iterator[Owed]:
    asked = 0
    for file in context.files:
        for number, line in numbered(context.text(file)):
            if found := NOTE.search(line):
                asked += 1
                written = repository.written(context.root, file.path, number, line) if asked <= MOST_NOTES else None
                days = (now() - written).days if written else 0
                old = days > costs().limits.age
                age = f", {days} days old" if written else ""
                message = f"{found[1]}{age}: {found[2].strip() or 'without a word'}"
                yield "note", costs().hours["old_note" if old else "note"], LATER.at(file.path, number, message)


def _untested(context: Context) -> Iterator[Owed]:
    """Public functions of modules of which no test says a word."""
    python = [file for file in context.files if file.language == "python"]
    tests = "\n".join(context.text(file) for file in python if TEST_FILE.search(file.path))
    named = set(re.findall(r"\w+", tests))
    for file, tree in context.parsed_python():
        if named and not isinstance(tree, Unseen) and _counts(file.path) and _module(file.path) not in named:
            for function, owner in functions(tree):
                names = {function.name, *([owner.name] if owner else [])}
                if not function.name.startswith("_") and not names & named:
                    message = f"no test names `{function.name}`, nor the module it is in"
                    yield "test_gap", costs().hours["test_gap"], GAP.at(file.path, function.lineno, message)


def _counts(path: str) -> bool:
    return not (TEST_FILE.search(path) or NOT_THE_PROGRAM.search(path) or _is_test_helper(path))


def _module(path: str) -> str:
    """As tests name it: by its file, a package by its folder."""
    parts = path.removesuffix(".py").split("/")
    return parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]


def _is_test_helper(path: str) -> bool:
    return bool(re.search(r"(^|/)(tests?|benchmarks|fuzz)/", path))


CHECK = Check(
    id="debt",
    title="Technical debt is counted",
    tier=4,
    languages=LANGUAGES,
    run=run,
    timeout=600,
)
