"""Which files of tests a change can affect, by what the last run of all tests showed: narrower than what imports say.

A file of tests is left out only where the change lies within functions that did not run in it. That is not known, and
what the imports say holds, where a change is about what is done when a module is loaded; where functions ran in a
fixture of the session, a tear-down or while a module was loaded; where a module is loaded only in the middle of a
test; where a cache, a global or another process or thread may carry something from one test to another, in any module
that somebody uses who depends on what changed.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping, Set
from pathlib import Path

from pydantic import Field, ValidationError

from omni.kernel.canonical import JsonValue
from omni.kernel.files import write_atomic
from omni.verify.analysis.impact import Graph, Selection, why_any
from omni.verify.analysis.junit import BadReportError
from omni.verify.analysis.python import last_name
from omni.verify.cache import installed
from omni.verify.check import Context, Unseen
from omni.verify.files import File
from omni.verify.languages import language
from omni.verify.parsing import parse_python
from omni.verify.report import Model

CARRIES = re.compile(
    r"\b(lru_cache|functools\.cache|multiprocessing|ProcessPoolExecutor|ThreadPoolExecutor|os\.fork|Thread\(|getsource"
    r"|cached_property|ClassVar|(?:setdefault|setattr|delattr)\()|@cache\b|import cache\b|^\s*global\s",
    re.MULTILINE,
)
"""Code by which one test may get what came of another, or of what nobody recorded; `_keeps` finds the rest of it."""
FILLED = re.compile(r"dict|set|list|deque|defaultdict|OrderedDict|Counter|count|Weak\w+|ContextVar|local")
"""Names of what makes something to be filled."""
FILLS = frozenset(
    {
        *("add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert"),
        *("intersection_update", "move_to_end", "pop", "popitem", "popleft", "remove", "reverse", "rotate", "sort"),
        *("subtract", "symmetric_difference_update", "update"),
    }
)
"""Methods that do it."""
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


class Ran(Model):
    """What `recording.py` writes."""

    tests: frozenset[str]
    cut: frozenset[str] = frozenset()
    """Those with a test that failed or was skipped: what it does after that is not known."""
    lines: Mapping[str, Mapping[str, tuple[int, ...]]]


class Record(Model):
    """One run of all tests."""

    environment: tuple[str, ...]
    files: Mapping[str, str]
    """Every file of the project then: path → digest."""
    tests: tuple[str, ...]
    """Files of tests that ran to the end of each."""
    ran_in: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """File of the program whose functions ran for known tests alone → these."""
    shapes: Mapping[str, str] = Field(default_factory=dict)
    """The same files → what is left of them without what functions do."""
    late: tuple[str, ...] = ()
    """Files that were loaded in the middle of a test."""


def keep(context: Context, data: bytes) -> None:
    """Remember what `recording.py` wrote. Raises BadReportError."""
    try:
        ran = Ran.model_validate_json(data)
    except ValidationError as problem:
        raise BadReportError(f"it is no record of which test ran what: {problem.errors()[0]['msg']}") from problem
    ran_in: dict[str, tuple[str, ...]] = {}
    shapes: dict[str, str] = {}
    late: list[str] = []
    for path, by_test in ran.lines.items():
        file = context.inventory.by_path.get(path)
        shape = _shape(context, file) if file and not file.problem else None
        if file is None or shape is None:
            continue
        inner = _inner(context, file)
        within = {test for test, lines in by_test.items() if inner.intersection(lines)}
        if any(not inner.issuperset(lines) for test, lines in by_test.items() if test in ran.tests):
            late.append(path)
        if within <= ran.tests:
            ran_in[path], shapes[path] = tuple(sorted(within)), shape
    record = Record(
        environment=installed(context.environment),
        files=_digests(context),
        tests=tuple(sorted(ran.tests - ran.cut)),
        ran_in=ran_in,
        shapes=shapes,
        late=tuple(late),
    )
    write_atomic(_place(context), record.model_dump_json())


def narrowed(context: Context, graph: Graph, chosen: Selection, changed: Set[str]) -> Selection:
    """Of the tests that imports choose, those that the record does not rule out; all of them where there is none."""
    record = _read(context)
    if record is None or chosen.why_all or record.environment != installed(context.environment):
        return chosen
    now = _digests(context)
    changed = changed | {path for path in now.keys() | record.files.keys() if now.get(path) != record.files.get(path)}
    if why_any(context, changed):
        return chosen
    told = {test for test in record.tests if not _carries(context, test)}
    wanted = set(chosen.tests) - told | graph.reached(frozenset())
    untold = _users_of_what_carries(context, graph) | set(record.late)
    for path in changed:
        if language(path) == "python":
            wanted |= _affected(context, graph, record, path, untold)
    return Selection(
        tuple(test for test in chosen.tests if test in wanted),
        tuple(sorted({*chosen.left_out, *(test for test in chosen.tests if test not in wanted)})),
    )


def _users_of_what_carries(context: Context, graph: Graph) -> Set[str]:
    """Wherever it stands: what the changed function fills need not know of it, nor what is filled with its result."""
    sources = (file.path for file in context.inventory.files if file.language == "python")
    return graph.users({each for each in sources if _carries(context, each)})


def _affected(context: Context, graph: Graph, record: Record, path: str, untold: Set[str]) -> Set[str]:
    """Whom a change of this file can affect."""
    dependents = graph.reached({path})
    file = context.inventory.by_path.get(path)
    if path not in record.ran_in or file is None or file.problem or _shape(context, file) != record.shapes[path]:
        return dependents
    between = dependents - graph.reached(frozenset())  # who depends on those others is wanted whatever changed
    return dependents if between & untold else set(record.ran_in[path])


def _carries(context: Context, path: str) -> bool:
    file = context.inventory.by_path.get(path)
    if file is None or file.problem:
        return True
    tree = context.parse_python(file)
    if isinstance(tree, Unseen):
        return True
    return bool(context.fact("carries", file, lambda: bool(CARRIES.search(context.text(file))) or _keeps(tree)))


def _keeps(tree: ast.Module) -> bool:
    """Whether a module, class or function has something for others to fill, or a function writes to what outlives it.

    What an object of a class of the project's own keeps for a module is not recognised.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, FUNCTION):
            if _writes(node):
                return True
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            if _to_be_filled(node.value):
                return True
        elif not isinstance(node, ast.expr):
            waiting += ast.iter_child_nodes(node)
    return False


def _writes(function: FUNCTION) -> bool:
    """To what neither it nor its caller made, or to a default of its own."""
    nodes = list(ast.walk(function))
    own = {node.arg for node in nodes if isinstance(node, ast.arg) and node.arg != "cls"}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.arguments) and any(map(_to_be_filled, (*node.defaults, *node.kw_defaults))):
            return True
        written = node.func if isinstance(node, ast.Call) else node
        if not isinstance(written, ast.Attribute | ast.Subscript):
            continue
        fills = isinstance(node, ast.Call) and isinstance(written, ast.Attribute) and written.attr in FILLS
        if not fills and isinstance(written.ctx, ast.Load):
            continue
        whose: ast.expr = written
        while isinstance(whose, ast.Attribute | ast.Subscript):
            whose = whose.value
        if isinstance(whose, ast.Name) and whose.id not in own:
            return True
    return False


def _to_be_filled(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List):
        return not value.elts
    if not isinstance(value, ast.Call):
        return False
    made = value.func.value if isinstance(value.func, ast.Subscript) else value.func  # `dict[str, int]()`
    return bool(FILLED.fullmatch(last_name(made)))


def _inner(context: Context, file: File) -> frozenset[int]:
    """Lines of what functions do."""
    tree = context.parse_python(file)
    functions = [] if isinstance(tree, Unseen) else [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]
    return frozenset(
        line for each in functions for line in range(each.body[0].lineno, (each.end_lineno or each.lineno) + 1)
    )


def _shape(context: Context, file: File) -> str | None:
    """A digest of the file without what its functions do, but with their documentation: programs print that."""

    def compute() -> JsonValue:
        try:
            tree = parse_python((context.root / file.path).read_bytes())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        for node in ast.walk(tree):
            if isinstance(node, FUNCTION):
                node.body = node.body[:1] if ast.get_docstring(node, clean=False) is not None else []
        return hashlib.sha256(ast.dump(tree).encode()).hexdigest()

    found = context.fact("shape", file, compute)
    return found if isinstance(found, str) else None


def _digests(context: Context) -> dict[str, str]:
    return {file.path: file.digest for file in context.inventory.files}


def _place(context: Context) -> Path:
    return context.cache / f"{hashlib.sha256(str(context.root).encode()).hexdigest()[:24]}.json"


def _read(context: Context) -> Record | None:
    try:
        return Record.model_validate_json(_place(context).read_bytes())
    except (OSError, ValueError):
        return None
