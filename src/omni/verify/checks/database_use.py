"""How a program uses its database: many rows at once, queries that end, keys that outsiders see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.python import Function, dotted, imports, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.analysis.tables import Table, sql_tables, sqlalchemy_tables
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.checks.database import NOT_THE_PROGRAM
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity


def _rule(name: str, why: str, fix: str) -> Rule:
    return Rule("database-use", name, Severity.WARNING, why, fix)


SINGLE = _rule(
    "insert-in-loop",
    "Each row is a way to the database and back: ten thousand rows take minutes instead of a second.",
    "COPY (cursor.copy), or one statement for all rows: executemany, insert(Model).values([…]), bulk_create.",
)
ENDLESS = _rule(
    "no-statement-timeout",
    "One query without an end holds its connection and its locks, until nothing answers any more.",
    "connect_args={'options': '-c statement_timeout=5000'}, or ALTER ROLE … SET statement_timeout = '5s'.",
)
EXPOSED = _rule(
    "sequential-key-in-url",
    "Whoever sees /orders/1041 knows how many there are, and tries 1042.",
    "Give the row a UUIDv7 or ULID, and use that outside.",
)

CONNECTS = frozenset({"create_engine", "create_async_engine", "ConnectionPool", "AsyncConnectionPool", "create_pool"})
USES = re.compile(
    r"__tablename__|\.execute\(|objects\.a?create\(|create_(async_)?engine|ConnectionPool|create_pool|"
    r"@\w+(\.\w+)?\.(get|post|put|patch|delete|route|api_route)\([\"'][^\"']*[{<]"
)
"""In a file without such a word there is nothing to judge."""
DRIVERS = re.compile(r"(sqlalchemy|sqlmodel|psycopg_pool|asyncpg)(\.|$)")
ENDS = re.compile(r"statement_timeout|command_timeout|idle_in_transaction_session_timeout", re.IGNORECASE)
POSTGRES = re.compile(r"postgres|psycopg|asyncpg", re.IGNORECASE)
ROUTES = frozenset({"get", "post", "put", "patch", "delete", "route", "api_route"})


def run(context: Context) -> Iterator[Item]:
    texts = {file.path: context.text(file) for file in context.files}
    trees: list[tuple[File, ast.Module]] = []
    for file in context.files:
        if file.language == "python" and not NOT_THE_PROGRAM.search(file.path) and USES.search(texts[file.path]):
            tree = context.parse_python(file)
            if isinstance(tree, Unseen):
                yield tree
            else:
                trees.append((file, tree))
    ends = any(ENDS.search(text) for text in texts.values())
    counted = any(column.autoincrement for table in _tables(context, trees, texts) for column in table.columns)
    for file, tree in trees:
        text = texts[file.path]
        for rule, line, message in _judge(tree, text, ends=ends, counted=counted):
            yield rule.at(file.path, line, message)


def _tables(context: Context, trees: list[tuple[File, ast.Module]], texts: dict[str, str]) -> Iterator[Table]:
    for file, tree in trees:
        if "__tablename__" in texts[file.path]:
            yield from sqlalchemy_tables(file.path, tree)
    for file in context.files:
        if file.language == "sql":
            yield from sql_tables(file.path, texts[file.path])


def _judge(tree: ast.Module, text: str, *, ends: bool, counted: bool) -> Iterator[tuple[Rule, int, str]]:
    brought = {name for each in imports(tree) if not each.level and DRIVERS.match(each.module) for name in each.names}
    brought |= {each.module for each in imports(tree) if not each.level and DRIVERS.match(each.module)}
    for node in walk(tree):
        if isinstance(node, ast.For | ast.AsyncFor) and not isinstance(node.iter, ast.Tuple | ast.List):
            yield from _single(node)
        elif (
            isinstance(node, ast.Call)
            and not ends
            and last_name(node.func) in CONNECTS
            and dotted(node.func).split(".")[0] in brought
            and POSTGRES.search(text)
        ):
            yield ENDLESS, node.lineno, f"`{dotted(node.func)}` makes connections whose queries may run for ever"
        elif isinstance(node, Function) and counted:
            yield from _exposed(node)


def _single(loop: ast.For | ast.AsyncFor) -> Iterator[tuple[Rule, int, str]]:
    """Statements and commits for each turn; `session.add` alone is collected by the session."""
    turned = {each.id for each in walk(loop.target) if isinstance(each, ast.Name)}
    for node in (each for statement in loop.body for each in walk(statement)):
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Attribute)
            or not (node.args or node.keywords)
        ):
            continue
        uses = turned & {each.id for each in walk(node) if isinstance(each, ast.Name)}
        first = node.args[0] if node.args else None
        statement = text_of(first) or ""
        made = isinstance(first, ast.Call) and dotted(first).split(".")[0] in {"insert", "pg_insert"}
        if (node.func.attr == "execute" and uses and (re.match(r"\s*insert\s", statement, re.IGNORECASE) or made)) or (
            node.func.attr in {"create", "acreate"}
            and uses
            and dotted(node.func).endswith((".objects.create", ".objects.acreate"))
        ):
            yield SINGLE, node.lineno, "one INSERT for each turn of the loop"


def _exposed(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[Rule, int, str]]:
    kinds = {each.arg: ast.unparse(each.annotation) for each in function.args.args if each.annotation is not None}
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or last_name(decorator.func) not in ROUTES or not decorator.args:
            continue
        path = text_of(decorator.args[0]) or ""
        for name in re.findall(r"\{(\w*id)\}", path):
            if kinds.get(name) == "int":
                yield EXPOSED, decorator.lineno, f"`{path}` shows a number that counts up"
        if re.search(r"<int:\w*(id|pk)>|\{\w*id:int\}", path):
            yield EXPOSED, decorator.lineno, f"`{path}` shows a number that counts up"


CHECK = Check(
    id="database-use",
    title="The database is asked for many rows at once, and not for ever",
    tier=2,
    languages=("python", "sql", "yaml", "ini", "env"),
    run=run,
)
