"""Code that nothing uses: what vulture suspects, unless its name stands anywhere else in the project.

A name in a text counts as a use (getattr, an entry point, a template, a configuration), and so does a decorator, since
it may hand the function to a framework. What only tests name is said to be so. A public name of a library is a note:
who uses it may be elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from omni.verify.analysis.adoption import pyproject, table
from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.python import functions
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric, Unseen
from omni.verify.checks.tests import NOT_THE_PROGRAM
from omni.verify.files import File, examine
from omni.verify.parsing import walk
from omni.verify.report import Severity, Status

UNUSED = Rule(
    "dead-code",
    "unused",
    Severity.WARNING,
    why="It is read, kept working and tested, and does nothing for anybody.",
    fix="Delete it; the history keeps it.",
    cwe="CWE-561",
)
LINE = re.compile(r"^(?P<path>.+?):(?P<line>\d+): (?P<what>unused (?P<kind>\w+) '(?P<name>\w+)'|.+?) \(\d+%")
CODE_KINDS = ("function", "method", "class", "property")


@dataclass(frozen=True)
class Suspect:
    path: str
    line: int
    kind: str
    name: str


def run(context: Context) -> Iterator[Item]:
    files = [file for file in context.files if file.path.endswith(".py") and not _is_elsewhere(file.path)]
    if not files:
        yield Gap("there is no Python beside tests and scripts", Status.SKIPPED)
        return
    words = _words(context)
    project = table(pyproject(context), "project")
    is_library = bool(project or "setup.py" in context.inventory.by_path) and not table(project, "scripts")
    count = 0
    for suspect in _suspects(context, files):
        uses, in_tests = _uses(words, suspect)
        if uses or _may_be_called_from_outside(context, suspect):
            continue
        count += 1
        only = ", except by tests" if in_tests else ""
        message = f"{suspect.kind} `{suspect.name}` is used nowhere{only}: no code and no text has its name"
        finding = UNUSED.at(suspect.path, suspect.line, message)
        public = is_library and not suspect.name.startswith("_")
        yield finding.model_copy(update={"severity": Severity.NOTE}) if public or in_tests else finding
    yield Metric("dead_code.unused", count)


def _is_elsewhere(path: str) -> bool:
    return bool(TEST_FILE.search(path) or NOT_THE_PROGRAM.search(path) or re.search(r"(^|/)(tests?|benchmarks)/", path))


def _suspects(context: Context, files: list[File]) -> Iterator[Suspect]:
    """All files in one run, since vulture has to see the uses too, but those of tests do not count. Raises `Failed`."""
    names = [f"./{file.path}" if file.path.startswith("-") else file.path for file in files]
    output = context.execute("vulture", "--min-confidence", "60", *names)
    if output.exit_code not in {0, 1, 3}:
        raise Failed(f"vulture failed: {' '.join((output.stderr or output.stdout).split())[-300:]}")
    for line in output.stdout.splitlines():
        if (found := LINE.match(line)) and found["kind"] in CODE_KINDS:
            path = context.relative(found["path"])
            yield Suspect(path, int(found["line"]), found["kind"], found["name"])


def _words(context: Context) -> dict[str, dict[str, int]]:
    """Word → how often it stands in the program, and how often in tests."""
    count: dict[str, dict[str, int]] = {}
    for path, text in texts(context):
        place = "tests" if _is_test(path) else "program"
        for word in re.findall(r"[A-Za-z_]\w+", text):
            per = count.setdefault(word, {"program": 0, "tests": 0})
            per[place] += 1
    return count


def texts(context: Context) -> Iterator[tuple[str, str]]:
    """Every text of the project; what is left out of the analysis may use a name, too."""
    for file in context.inventory.files:
        if not file.problem:
            yield file.path, context.text(file)
    for path in context.inventory.left_out:
        found = examine(context.root, path)
        if found is not None and not found.problem:
            yield path, (context.root / path).read_text("utf-8", "replace")


def _is_test(path: str) -> bool:
    return bool(TEST_FILE.search(path) or re.search(r"(^|/)tests?/", path))


def _uses(words: dict[str, dict[str, int]], suspect: Suspect) -> tuple[bool, bool]:
    """(beside its definition in the program, in tests)."""
    count = words.get(suspect.name, {"program": 0, "tests": 0})
    return count["program"] > 1, count["tests"] > 0


def _may_be_called_from_outside(context: Context, suspect: Suspect) -> bool:
    """It is decorated, a plug-in's hook, or a method of a class with a base, whose code may call it."""
    tree = context.parse_python(context.inventory.by_path[suspect.path])
    if isinstance(tree, Unseen) or suspect.name.startswith(("pytest_", "__")):
        return True
    for function, owner in functions(tree):
        if function.name == suspect.name and function.lineno >= suspect.line:
            return bool(function.decorator_list) or (owner is not None and bool(owner.bases))
    classes = (node for node in walk(tree) if isinstance(node, ast.ClassDef) and node.name == suspect.name)
    return any(node.decorator_list for node in classes)


CHECK = Check(
    id="dead-code",
    title="Nothing is there that nothing uses",
    tier=4,
    languages=("python",),
    globs=("pyproject.toml",),
    config=("*",),
    tool="vulture",
    toolset="dead-code",
    run=run,
    timeout=300,
)
