"""The design of tables and the way they are asked: names, keys, indexes, time stamps, queries.

Tables are read from SQLAlchemy models and from CREATE TABLE in SQL files. Only what the declarations decide is judged;
how a database answers is measured elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.python import Function, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.analysis.tables import Column, Table, mixin_columns, sql_tables, sqlalchemy_tables
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Finding, Severity, Status


def _rule(name: str, why: str, fix: str, severity: Severity = Severity.WARNING) -> Rule:
    return Rule("database", name, severity, why, fix)


TABLE_NAME = _rule(
    "table-name", "Names that differ in form have to be looked up each time.", "Plural and snake_case: user_accounts."
)
COLUMN_NAME = _rule(
    "column-name", "Names that differ in form have to be looked up each time.", "Singular and snake_case: created_at."
)
KEY_NAME = _rule(
    "foreign-key-name", "The name should say which table it leads to.", "The table in the singular, and _id: user_id."
)
INDEX_NAME = _rule(
    "index-name", "A migration that drops it has to know its name.", "idx_{table}_{columns}, or uq_{table}_{columns}."
)
KEY_INDEX = _rule(
    "foreign-key-index",
    "Each join along the key, and each deletion of what it leads to, reads the whole table.",
    "index=True, or CREATE INDEX idx_{table}_{column}.",
)
BOOLEAN_INDEX = _rule(
    "boolean-index",
    "With two values, half of the table is read anyway, and each write keeps the index up to date.",
    "Remove it, or make it partial: WHERE is_active.",
)
SEQUENTIAL = _rule(
    "sequential-key",
    "Numbers in a row tell outsiders how much there is and what comes next, and can't be made in two places.",
    "A UUIDv7 or ULID, which sorts by time as well.",
)
STAMPS = _rule(
    "time-stamps",
    "Without them nobody can tell what changed, or in which order.",
    "Add created_at and updated_at, set by the database or in one mixin.",
)
STAR = _rule(
    "select-star",
    "A new column changes what the program gets, and large ones are read for nothing.",
    "Name the columns.",
)
IN_LOOP = _rule(
    "query-in-loop",
    "A hundred rows make a hundred and one queries.",
    "One query with IN or a join, or selectinload for relations.",
)
POOL = _rule(
    "connection-without-pool",
    "Each call pays for a new connection, and a busy hour uses up all that the database allows.",
    "Open one engine or pool when the program starts, and take connections from it.",
)

SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NOT_PLURAL = re.compile(r"(?<!s)$|ss$|(us|is)$")
WITHOUT_STAMPS = re.compile(r"alembic_version|schema_migrations")
STAR_QUERY = re.compile(r"^\s*select\s+(\w+\.)?\*\s", re.IGNORECASE)
QUERIES = frozenset({"execute", "scalars", "scalar", "scalar_one", "get_one", "query"})
HOLDERS = re.compile(r"(^|_)(session|db|conn|connection|cursor|cur)$")
NOT_THE_PROGRAM = re.compile(r"(^|/)(tests?|migrations|versions|scripts|benchmarks?)/|(^|/)(test_|conftest)")


def run(context: Context) -> Iterator[Item]:
    mixins: dict[str, list[Column]] = {}
    tables: list[Table] = []
    asked = False
    for file in context.files:
        text = context.text(file)
        if file.language == "sql":
            tables += sql_tables(file.path, text)
            continue
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            yield tree
            continue
        if "__tablename__" in text or "mapped_column" in text:
            mixins |= mixin_columns(tree)
            tables += sqlalchemy_tables(file.path, tree)
        if not NOT_THE_PROGRAM.search(file.path):
            for found in _queries(file, tree):
                asked = True
                yield found
    tables = [table for table in tables if not NOT_THE_PROGRAM.search(table.path) or table.path.endswith(".sql")]
    if not tables and not asked:
        yield Gap("the project declares no tables", Status.SKIPPED)
    for table in tables:
        yield from _table(table, mixins)


def _table(table: Table, mixins: dict[str, list[Column]]) -> Iterator[Finding]:
    inherited = [column for name in table.mixins for column in mixins.get(name, ())]
    columns = [*table.columns, *inherited]
    if not SNAKE.fullmatch(table.name) or NOT_PLURAL.search(table.name):
        yield TABLE_NAME.at(table.path, table.line, f"the table `{table.name}` is not plural snake_case")
    for column in table.columns:
        yield from _column(table, column)
    for name, names, line in table.indexes:
        wanted = tuple(f"{kind}_{table.name}_" for kind in ("idx", "ix", "uq"))
        if name and not name.startswith(wanted):
            yield INDEX_NAME.at(
                table.path, line, f"the index `{name}` on {', '.join(names)} does not say what it is on"
            )
    names_ = {column.name for column in columns}
    link = len(columns) <= 3 and sum(bool(column.references) for column in columns) >= 2
    unknown_base = bool(table.mixins - mixins.keys() - {"Base", "Model", "DeclarativeBase"})
    if not {"created_at", "updated_at"} <= names_ and not (link or unknown_base or WITHOUT_STAMPS.match(table.name)):
        missing = " and ".join(sorted({"created_at", "updated_at"} - names_))
        yield STAMPS.at(table.path, table.line, f"the table `{table.name}` has no {missing}")


def _column(table: Table, column: Column) -> Iterator[Finding]:
    path, line, name = table.path, column.line, column.name
    if not SNAKE.fullmatch(name):
        yield COLUMN_NAME.at(path, line, f"the column `{name}` is not snake_case")
    if column.autoincrement:
        yield SEQUENTIAL.at(path, line, f"the key of `{table.name}` counts up")
    first_in_index = any(names and names[0] == name for _, names, _ in table.indexes)
    if column.references:
        target = column.references.rpartition(".")[0].rpartition(".")[2]
        singular = target if NOT_PLURAL.search(target) else re.sub(r"ies$", "y", target).removesuffix("s")
        if not name.endswith("_id") or (name.removesuffix("_id") == target and target != singular):
            yield KEY_NAME.at(path, line, f"`{name}` leads to {target}; `{singular}_id` would say so")
        if not (column.indexed or first_in_index):
            yield KEY_INDEX.at(path, line, f"the foreign key `{name}` of `{table.name}` has no index")
    boolean = re.search(r"\bbool(ean)?\b", column.type, re.IGNORECASE)
    alone = any(names == (name,) and not index.startswith("uq") for index, names, _ in table.indexes)
    if boolean and (column.lone_index or alone):
        yield BOOLEAN_INDEX.at(path, line, f"`{name}` of `{table.name}` is true or false, and indexed alone")


def _queries(file: File, tree: ast.Module) -> Iterator[Item]:
    for node in walk(tree):
        if isinstance(node, ast.Call) and node.args and STAR_QUERY.match(text_of(node.args[0]) or ""):
            yield STAR.at(file.path, node.lineno, "all columns are asked for")
        elif isinstance(node, ast.For | ast.AsyncFor):
            for call in _asked_each_time(node):
                message = f"`{ast.unparse(call.func)}` is called for each turn of the loop"
                yield IN_LOOP.at(file.path, call.lineno, message)
        elif isinstance(node, Function):
            for call in _connections(node):
                yield POOL.at(file.path, call.lineno, "each call opens a connection")


def _asked_each_time(loop: ast.For | ast.AsyncFor) -> Iterator[ast.Call]:
    """Queries that use the loop's variable: those that don't, such as a batch or a savepoint, are asked on purpose."""
    turned = {node.id for node in walk(loop.target) if isinstance(node, ast.Name)}
    for statement in loop.body:
        for node in walk(statement):
            if (
                not isinstance(node, ast.Call)
                or not isinstance(node.func, ast.Attribute)
                or node.func.attr not in QUERIES
            ):
                continue
            reads = "select" in ast.unparse(node).lower() or node.func.attr in {"get_one", "query"}
            uses = turned & {each.id for argument in node.args for each in walk(argument) if isinstance(each, ast.Name)}
            if HOLDERS.search(last_name(node.func.value)) and reads and uses:
                yield node


def _connections(function: Function) -> Iterator[ast.Call]:
    """`psycopg.connect` in a function that serves a request."""
    served = any(
        last_name(each) in {"get", "post", "put", "patch", "delete", "route"} for each in function.decorator_list
    )
    for node in walk(function) if served else ():
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "psycopg.connect",
            "psycopg2.connect",
            "asyncpg.connect",
        }:
            yield node


CHECK = Check(
    id="database",
    title="Tables and queries follow the rules of the database",
    tier=2,
    languages=("python", "sql"),
    run=run,
)
