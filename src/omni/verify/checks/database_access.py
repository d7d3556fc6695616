"""What only shows with many rows or many callers: queries that a loop repeats, updates that overtake each other, writes
that are never committed, sessions that are never closed. Followed one call further than where it is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import partial

from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.program import Program, Routine, read_program
from omni.verify.analysis.python import dotted, keyword, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.parsing import walk
from omni.verify.report import Severity

LAZY = Rule(
    "database-access",
    "lazy-load-in-loop",
    Severity.WARNING,
    "Each turn of the loop asks the database for the related rows: a hundred rows make a hundred and one queries.",
    "Load them with the first query: selectinload or joinedload, in Django select_related or prefetch_related.",
    "CWE-1073",
)
REPEATED = Rule(
    "database-access",
    "query-in-called-function",
    Severity.WARNING,
    "The function asks the database, and the loop calls it for each row: a hundred rows, a hundred queries.",
    "Ask once before the loop for all that it needs, with IN or a join.",
    "CWE-1073",
)
OVERTAKEN = Rule(
    "database-access",
    "unguarded-update",
    Severity.WARNING,
    "Two requests read the same value, both pass the test, and both write: what was tested no longer holds.",
    "Lock the row when it is read (with_for_update, select_for_update), or test and change it in one UPDATE … WHERE.",
    "CWE-362",
)
LOST = Rule(
    "database-access",
    "write-never-committed",
    Severity.ERROR,
    "When the connection closes, everything that was written with it is undone, and nobody is told.",
    "Use the connection as a context manager (`with connection:`), or call commit() after the writes.",
    "CWE-460",
)
LEFT_OPEN = Rule(
    "database-access",
    "session-left-open",
    Severity.WARNING,
    "Its connection and its transaction stay open until the garbage collector comes; under load none are left.",
    "Open it with `with`, or close it in `finally`.",
    "CWE-772",
)

ASKED = re.compile(r"select|query|objects|scalars|execute|session|\.all\(\)|\.filter\(")
EAGER = re.compile(
    r"selectinload|joinedload|subqueryload|contains_eager|immediateload|raiseload|select_related|prefetch_related"
)
READS = frozenset({"get", "get_one", "query", "execute", "scalar", "scalars", "exec"})
SESSIONS = re.compile(r"(^|[._])(session|db|conn|connection|cursor|cur)$", re.IGNORECASE)
DJANGO_READS = re.compile(r"^[A-Z]\w*\.objects\.(get|filter|all|exclude|count|values|values_list|aget|first|raw)\b")
LOCKS = re.compile(
    r"with_for_update|select_for_update|for update|version_id|advisory|\block\b|Lock\(|SERIALIZABLE|begin immediate"
    r"|\bF\(",
    re.IGNORECASE,
)
CHANGES_ROWS = re.compile(r"\A\s*(insert|update|delete|replace)\b", re.IGNORECASE)
COMMITS = re.compile(r"\.commit\(|isolation_level=None|autocommit|\.executescript\(|\bcommit\b", re.IGNORECASE)
OPENS = re.compile(
    r"((sqlalchemy\.)?orm\.|database\.|db\.|self\.)?(Session|SessionLocal|session_factory|sessionmaker\(.*\)|engine\.connect)\(.*\)"
)
DATABASE = re.compile(r"session|\bdb\b|objects\.|cursor|connect\(|Session|get_object_or_404", re.IGNORECASE)
"""In a file without such a word, nobody asks a database."""


def run(context: Context) -> Iterator[Item]:
    yield from (tree for _, tree in context.parsed_python() if isinstance(tree, Unseen))
    program = read_program(context)
    relations = _relations(program)
    product = {each.path for each in program.modules.values() if not BESIDE_THE_PRODUCT.search(each.path)}
    asking = {path for path in product if DATABASE.search(context.text(context.inventory.by_path[path]))}
    for routine in program.routines.values():
        if routine.path not in asking:
            continue
        for judge in (partial(_lazy, relations), partial(_repeated, program), _overtaken, _lost, _left_open):
            for rule, line, message in judge(routine):
                yield rule.at(routine.path, line, message)


Judgement = Iterator[tuple[Rule, int, str]]


def _relations(program: Program) -> Mapping[str, frozenset[str]]:
    """Model → attributes that load other rows when they are read."""
    found: dict[str, set[str]] = {}
    for each in program.classes.values():
        for node in each.node.body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.Call) and _is_lazy(value):
                found.setdefault(each.short, set()).add(target.id)
    return {name: frozenset(attributes) for name, attributes in found.items()}


def _is_lazy(field: ast.Call) -> bool:
    kind = last_name(field.func)
    if kind in {"relationship", "Relationship"}:
        return (text_of(keyword(field, "lazy")) or "select") == "select"
    return dotted(field.func) in {"models.ForeignKey", "models.OneToOneField", "models.ManyToManyField"}


def _loops(routine: Routine) -> Iterator[tuple[ast.expr, str, list[ast.AST]]]:
    """What is walked, the variable, and the nodes that run each turn; comprehensions too."""
    for node in walk(routine.node):
        if isinstance(node, ast.For | ast.AsyncFor) and isinstance(node.target, ast.Name):
            yield node.iter, node.target.id, [each for statement in node.body for each in walk(statement)]
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            first = node.generators[0]
            if isinstance(first.target, ast.Name):
                yield (
                    first.iter,
                    first.target.id,
                    [*walk(node.elt), *(n for each in first.ifs for n in walk(each))],
                )


def _written_out(node: ast.expr, routine: Routine, depth: int = 0) -> str:
    """The expression with the variables that it uses as they were assigned."""
    text = ast.unparse(node)
    names = {each.id for each in walk(node) if isinstance(each, ast.Name)} if depth < 3 else set()
    for each in walk(routine.node):
        if not isinstance(each, ast.Assign) or each.value is node or not isinstance(each.targets[0], ast.Name):
            continue
        name = each.targets[0].id
        if name in names and name not in ast.unparse(each.value):
            text += "\n" + _written_out(each.value, routine, depth + 1)
    return text


def _lazy(relations: Mapping[str, frozenset[str]], routine: Routine) -> Judgement:
    if not relations:
        return
    for walked, variable, nodes in _loops(routine):
        asked = _written_out(walked, routine)
        models = [name for name in relations if re.search(rf"\b{name}\b", asked)]
        if len(models) != 1 or not ASKED.search(asked) or EAGER.search(routine.body):
            continue
        for node in nodes:
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == variable
                and node.attr in relations[models[0]]
            ):
                yield LAZY, node.lineno, f"`{variable}.{node.attr}` is loaded for each `{models[0]}` of the loop"


def _asks(routine: Routine) -> bool:
    """Whether the function itself, at each call, reads from the database."""
    for node in walk(routine.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            reads = node.func.attr in READS and bool(SESSIONS.search(dotted(node.func.value))) and bool(node.args)
            if (reads and not _writes_sql(node)) or DJANGO_READS.match(dotted(node.func)):
                return True
    return False


def _writes_sql(call: ast.Call) -> bool:
    first = ast.unparse(call.args[0]) if call.args else ""
    return bool(
        re.match(r"(\w+\.)*(insert|update|delete)\(|(text\()?[\"']\s*(insert|update|delete)", first, re.IGNORECASE)
    )


def _repeated(program: Program, routine: Routine) -> Judgement:
    for walked, variable, nodes in _loops(routine):
        for call in nodes:
            if not isinstance(call, ast.Call) or variable not in {n.id for n in walk(call) if isinstance(n, ast.Name)}:
                continue
            called = program.routines.get(program.resolve(routine.module, dotted(call.func)))
            if called is None or called is routine or not _asks(called):
                continue
            if re.search(r"session|\bdb\b|objects|cursor|fetchall", _written_out(walked, routine)):
                # only what walks rows can grow with the table
                yield (
                    REPEATED,
                    call.lineno,
                    f"`{called.node.name}` asks the database, for each `{variable}` of the loop",
                )


def _overtaken(routine: Routine) -> Judgement:
    """`row = get(…)`, `if row.stock >= n`, `row.stock -= n`"""
    changes = [
        node
        for node in walk(routine.node)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute)
    ]
    if not changes or LOCKS.search(routine.body):
        return
    loaded = {
        node.targets[0].id
        for node in walk(routine.node)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _loads_row(node.value)
    }
    tested = {
        dotted(each)
        for node in walk(routine.node)
        if isinstance(node, ast.If)
        for comparison in walk(node.test)
        if isinstance(comparison, ast.Compare) and isinstance(comparison.ops[0], ast.Lt | ast.Gt | ast.LtE | ast.GtE)
        for each in walk(comparison)
        if isinstance(each, ast.Attribute)
    }
    for node in changes:
        name = dotted(node.target)
        if name.partition(".")[0] in loaded and name in tested:
            yield OVERTAKEN, node.lineno, f"`{name}` is read, tested and changed without a lock"


def _loads_row(node: ast.expr) -> bool:
    text = ast.unparse(node.value if isinstance(node, ast.Await) else node)
    return bool(
        re.search(r"\.(scalar_one|scalar_one_or_none|one|one_or_none|first)\(\)$|objects\.(get|aget)\(", text)
        or re.match(r"(\w+\.)*(session|db)\.(get|get_one|scalar)\(", text)
        or text.startswith("get_object_or_404(")
    )


def _lost(routine: Routine) -> Judgement:
    """A connection of sqlite3 that is made and closed here, written with, and never committed."""
    for node in walk(routine.node):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        name = dotted(node.targets[0])
        if dotted(node.value.func) not in {"sqlite3.connect", "psycopg2.connect", "pymysql.connect"} or "." in name:
            continue
        if ":memory:" in ast.unparse(node.value):
            continue  # nothing of it is kept anyway
        uses = [each for each in walk(routine.node) if isinstance(each, ast.Name) and each.id == name]
        held = {id(each.value) for each in walk(routine.node) if isinstance(each, ast.Attribute)}
        stays = all(id(each) in held or isinstance(each.ctx, ast.Store) for each in uses)
        written = [call for call in walk(routine.node) if isinstance(call, ast.Call) and _executes_write(call)]
        if stays and written and not COMMITS.search(routine.body) and f"with {name}" not in routine.body:
            yield LOST, written[0].lineno, f"`{name}` is written with and closed, and nothing is committed"


def _executes_write(call: ast.Call) -> bool:
    written = text_of(call.args[0]) if call.args else None
    return last_name(call.func) in {"execute", "executemany"} and bool(CHANGES_ROWS.match(written or ""))


def _left_open(routine: Routine) -> Judgement:
    """`session = Session()` that is neither closed nor given to anybody."""
    for node in walk(routine.node):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if not OPENS.fullmatch(ast.unparse(node.value)):
            continue
        uses = [each for each in walk(routine.node) if isinstance(each, ast.Name) and each.id == name]
        held = {id(each.value) for each in walk(routine.node) if isinstance(each, ast.Attribute)}
        given = any(id(each) not in held and isinstance(each.ctx, ast.Load) for each in uses)
        if not given and not re.search(rf"\b{name}\.(close|aclose|remove)\(", routine.body):
            yield LEFT_OPEN, node.lineno, f"`{name}` is opened and never closed"


CHECK = Check(
    id="database-access",
    title="Queries, updates and sessions hold under many rows and callers",
    tier=2,
    languages=("python",),
    run=run,
)
