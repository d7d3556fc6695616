"""Which tests a change can affect, by what the last run of all tests showed.

A module is taken apart into what each function does by itself, and the rest, which is what is done when it is loaded.
A test that passed is left out where all that changed since are functions that did not run in it, files that it did not
open, and modules that nothing imports on which its file depends. Always chosen is a test that started another process,
in which nothing is recorded. What a test leaves behind for another is not looked at:
docs/decisions/0011-tests-are-chosen-by-what-ran.md says what that costs.
"""

from __future__ import annotations

import ast
import hashlib
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from omni.kernel.clock import now
from omni.kernel.files import write_atomic
from omni.verify.analysis.impact import Graph, why_any
from omni.verify.analysis.junit import BadReportError
from omni.verify.analysis.places import TEST_FILE
from omni.verify.cache import installed
from omni.verify.check import Context
from omni.verify.declarations import engine_digest
from omni.verify.files import File
from omni.verify.languages import language
from omni.verify.parsing import parse_python
from omni.verify.report import Model

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
ANYBODY = 1
MODULE = ""
"""The name, among those of functions, of what a module does when it is loaded."""
RECORD = ".."
"""The member of the kept archive that is no source: no file has this path."""

Who = Annotated[str, Field(pattern="^[0-9a-f]+$")]


class Ran(Model):
    """What `recording.py` writes; its first lines say what it means."""

    tests: tuple[str, ...]
    cut: frozenset[str] = frozenset()
    ran: Mapping[str, Mapping[int, Who]]
    opened: Mapping[str, Who] = Field(default_factory=dict)
    started: Who = "0"


class Record(Model):
    """One run of all tests."""

    environment: tuple[str, ...]
    files: Mapping[str, str]
    """Every file of the project then: path → digest."""
    at: str
    """When, to the minute."""
    said: Ran


def keep(context: Context, data: bytes) -> None:
    """Remember what `recording.py` wrote, and the sources of then. Raises BadReportError."""
    try:
        said = Ran.model_validate_json(data)
    except ValidationError as problem:
        raise BadReportError(f"it is no record of which test ran what: {problem.errors()[0]['msg']}") from problem
    files = {file.path: _state(file) for file in context.inventory.files}
    at = f"{now():%Y-%m-%d %H:%M} UTC"
    record = Record(environment=_environment(context), files=files, at=at, said=said)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as kept:
        kept.writestr(RECORD, record.model_dump_json())
        for file in context.inventory.files:
            if file.language == "python" and (source := _source(context, file)) is not None:
                kept.writestr(file.path, source)
    write_atomic(_place(context), archive.getvalue())


def since(context: Context) -> Since | None:
    """The change from the last run of all tests to now; None without a record that holds for this environment."""
    try:
        with zipfile.ZipFile(_place(context)) as kept:
            record = Record.model_validate_json(kept.read(RECORD))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    holds = record.said.tests and record.environment == _environment(context)
    return Since(context, record) if holds else None


class Since:
    """What the change from a record to what is there now can affect. Who is affected is a number, as recorded."""

    def __init__(self, context: Context, record: Record) -> None:
        self.context = context
        self.record = record
        present, then = {file.path: _state(file) for file in context.inventory.files}, record.files
        self.changed = frozenset(path for path in present.keys() | then.keys() if present.get(path) != then.get(path))

    def left_out(self) -> tuple[str, ...]:
        """Tests that the record rules out, in the order in which they ran."""
        wanted = self._affected()
        return () if wanted & ANYBODY else tuple(test for test, bit in self._bits if not wanted & bit)

    def by_file(self, left_out: Iterable[str]) -> Mapping[str, tuple[int, int]]:
        """File of tests → how many of how many tests in it are left out, of those files that have one."""
        out = Counter(test.partition("::")[0] for test in left_out)
        every = Counter(test.partition("::")[0] for test in self.record.said.tests)
        return {path: (count, every[path]) for path, count in sorted(out.items())}

    @property
    def has_new_tests(self) -> bool:
        """Whether there may be tests that the record does not know."""
        return any(TEST_FILE.search(path) for path in self.changed)

    @cached_property
    def _bits(self) -> list[tuple[str, int]]:
        return [(test, 2 << number) for number, test in enumerate(self.record.said.tests)]

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self.context, self.changed)

    def _affected(self) -> int:
        said = self.record.said
        wanted = sum(bit for test, bit in self._bits if test in said.cut)
        wanted |= int(said.started, 16) if self.changed else 0
        for path in self.changed:
            wanted |= self._by_code(path) if language(path) == "python" else self._by_data(path)
        return wanted

    def _by_data(self, path: str) -> int:
        """Whoever opened it; where nobody did, it is not known who looks at it otherwise."""
        there = path in self.context.inventory.by_path and path in self.record.files
        if there and (who := self.record.said.opened.get(path)):
            return int(who, 16)
        return ANYBODY if why_any(self.context, {path}) else 0

    def _by_code(self, path: str) -> int:
        file = self.context.inventory.by_path.get(path)
        present, then = _parts(_source(self.context, file)) if file else {}, _parts(self._source_then(path))
        opened = int(self.record.said.opened.get(path, "0"), 16)
        if not present or present.keys() != then.keys() or present[MODULE] != then[MODULE]:
            return opened | self._dependents(path)
        changed = {name: then[name][0] for name in present if present[name][1] != then[name][1]}
        ran = self.record.said.ran.get(path)
        for name, line in changed.items():
            who = self._itself(path, name) if ran is None else int(ran.get(line, "0"), 16)
            opened |= self._dependents(path) if who & ANYBODY else who
        return opened

    def _source_then(self, path: str) -> bytes | None:
        try:
            with zipfile.ZipFile(_place(self.context)) as kept:
                return kept.read(path)
        except (OSError, KeyError, zipfile.BadZipFile):
            return None

    def _itself(self, path: str, name: str) -> int:
        """Tests whose own function it is, where nothing was measured; anybody where it is none."""
        if self._graph.importers(path):
            return ANYBODY
        function = name.rpartition(".")[2]
        own = (bit for test, bit in self._bits if _names(test, path, function))
        return sum(own) or ANYBODY

    def _dependents(self, path: str) -> int:
        """The tests of files that import it, directly or not, and all in which something of it ran."""
        reached = self._graph.reached({path})
        wanted = sum(bit for test, bit in self._bits if test.partition("::")[0] in reached)
        for who in self.record.said.ran.get(path, {}).values():
            wanted |= int(who, 16) & ~ANYBODY
        return wanted


def _names(test: str, path: str, function: str) -> bool:
    """Whether the test is this function of the file, in whatever class: others may inherit it."""
    file, _, inner = test.partition("[")[0].partition("::")
    return file == path and inner.rpartition("::")[2] == function


def _parts(source: bytes | None) -> dict[str, tuple[int, str]]:
    """Function → line of its `def`, digest of what it does by itself; `""` is the rest, at line 0. Empty: no Python.

    Where a function stands, its parameters, decorators and documentation belong to the rest, since others see them
    without calling it; so does whether it is a generator.
    """
    if source is None:
        return {}
    try:
        tree = parse_python(source)
        names = _functions(tree)
        found = {}
        for name, function in reversed(names.items()):  # inner ones first
            body = ast.Module(function.body, [])
            found[name] = (function.lineno, _digest(body))
            said = function.body[:1] if ast.get_docstring(function, clean=False) is not None else []
            yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(body))
            function.body = [*said, *([ast.Expr(ast.Yield())] if yields else [])]
        return {MODULE: (0, _digest(tree))} | found
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """By dotted name, outer ones first; those of one name are numbered."""
    found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    seen: defaultdict[str, int] = defaultdict(int)
    waiting: list[tuple[ast.AST, str]] = [(tree, "")]
    while waiting:
        node, within = waiting.pop()
        if isinstance(node, FUNCTION | ast.ClassDef):
            within = f"{within}.{node.name}".strip(".")
        if isinstance(node, FUNCTION):
            seen[within] += 1
            found[f"{within} {seen[within]}" if seen[within] > 1 else within] = node
        waiting += [(child, within) for child in reversed([*ast.iter_child_nodes(node)])]
    return found


def _digest(tree: ast.AST) -> str:
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _environment(context: Context) -> tuple[str, ...]:
    """All that the tests depend on but the project's files, and what recorded them."""
    made_of = context.environment / "pyvenv.cfg" if context.environment else None
    python = made_of.read_text("utf-8", "replace") if made_of and made_of.is_file() else ""
    return (engine_digest(), python, *installed(context.environment))


def _state(file: File) -> str:
    return file.digest or f"{file.size} {file.problem}"


def _source(context: Context, file: File) -> bytes | None:
    """None where it has become another since it was listed."""
    try:
        source = (context.root / file.path).read_bytes()
    except OSError:
        return None
    return source if hashlib.sha256(source).hexdigest() == file.digest else None


def _place(context: Context) -> Path:
    return context.cache / f"{hashlib.sha256(str(context.root).encode()).hexdigest()[:24]}.zip"
