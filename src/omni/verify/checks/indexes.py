"""Indexes that fit what is asked, and constraints that have a name.

Columns that find one row, the order within an index, partial indexes, GIN for JSONB. Judged where both the table and
the query stand in the source.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from omni.verify.analysis.predicates import Query, class_tables, python_queries, sql_queries
from omni.verify.analysis.python import keyword, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.analysis.tables import Table, sql_tables, sqlalchemy_tables
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.checks.database import NOT_THE_PROGRAM
from omni.verify.parsing import walk
from omni.verify.report import Severity, Status


def _rule(name: str, why: str, fix: str) -> Rule:
    return Rule("indexes", name, Severity.WARNING, why, fix)


SELECTIVE_RULE = _rule(
    "unindexed-lookup", "To find the one row, all rows are read.", "Give the column a unique constraint, or an index."
)
ORDER = _rule(
    "range-first",
    "After a range the index can't be used for the columns behind it.",
    "Put the columns that are compared with = first, the range last.",
)
PARTIAL = _rule(
    "full-index-for-one-value",
    "The index holds all rows, and only those of one status are ever asked for.",
    "Make it partial: postgresql_where=…, CREATE INDEX … WHERE status = 'active'.",
)
GIN = _rule(
    "jsonb-without-gin",
    "A question about what is in a JSONB column reads and parses every row.",
    "CREATE INDEX … USING gin (column), or Index(…, postgresql_using='gin').",
)
NAME = _rule(
    "constraint-name",
    "The database makes up a name, another in each environment, and a migration can't drop it by it.",
    "Name it {type}_{table}_{columns}, or give MetaData a naming_convention.",
)

ASKS = re.compile(r"__tablename__|\bselect\(|\.filter(_by)?\(|[\"'\s](WHERE|where)\s+\w")
"""In a Python file without such a word there is neither a table nor a query."""
SELECTIVE = re.compile(
    r"(^|_)(e?mail|email_address|user_?name|login|slug|token|api_key|sku|isbn|uuid|external_id|reference|serial(_number)?|"
    r"digest|fingerprint|phone|ssn|code)$"
)
STATUS = re.compile(r"(^|_)(status|state|phase|stage)$")
SQL_INDEX = re.compile(
    r"\bcreate\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?[\"`]?\w+[\"`]?\s+on\s+[\"`]?(?:\w+\.)?"
    r"(?P<table>\w+)[\"`]?\s*(?:using\s+(?P<using>\w+)\s*)?\((?P<columns>[^)]{0,2000})\)(?P<rest>[^;]{0,2000})",
    re.IGNORECASE,
)
SQL_CONSTRAINT = re.compile(
    r"(?:(?<=,)|(?<=\())\s*(?:constraint\s+[\"`]?(?P<name>\w+)[\"`]?\s+)?(?P<kind>unique|foreign\s+key|check|exclude)\s*(?:using\s+\w+\s*)?\(",
    re.IGNORECASE,
)
STARTS = {"unique": ("uq", "uk"), "foreign key": ("fk",), "check": ("ck", "chk"), "exclude": ("ex", "excl")}
CALLS = {"UniqueConstraint": "unique", "CheckConstraint": "check", "ForeignKeyConstraint": "foreign key"}


@dataclass(frozen=True)
class Made:
    """An index as it is declared, with what `Table.indexes` does not say."""

    table: str
    columns: tuple[str, ...]
    path: str
    line: int
    partial: bool
    gin: bool


def run(context: Context) -> Iterator[Item]:
    tables: dict[str, Table] = {}
    classes: dict[str, str] = {}
    made: list[Made] = []
    trees: list[tuple[str, ast.Module]] = []
    texts = {file.path: context.text(file) for file in context.files}
    if not any(_declares(path, text) for path, text in texts.items()):
        yield Gap("the project declares no tables", Status.SKIPPED)
        return
    conventional = any("naming_convention" in text for text in texts.values())
    for file in context.files:
        text = texts[file.path]
        if file.language == "sql":
            tables |= {each.name.lower(): each for each in sql_tables(file.path, text)}
            made += _sql_indexes(file.path, text)
            yield from _sql_names(file.path, text)
            continue
        if NOT_THE_PROGRAM.search(file.path) or not ASKS.search(text):
            continue
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            yield tree
        else:
            trees.append((file.path, tree))
            classes |= class_tables(tree)
            tables |= {each.name: each for each in sqlalchemy_tables(file.path, tree)}
            made += _indexes(file.path, tree)
            yield from _names(file.path, tree, conventional)
    queries = [query for path, tree in trees for query in python_queries(path, tree, classes)]
    queries += [each for path, text in texts.items() if path.endswith(".sql") for each in sql_queries(path, text)]
    for rule, path, line, message in _judge(tables, made, queries):
        yield rule.at(path, line, message)


def _declares(path: str, text: str) -> bool:
    if path.endswith(".sql"):
        return re.search(r"create\s+table", text, re.IGNORECASE) is not None
    return "__tablename__" in text and not NOT_THE_PROGRAM.search(path)


def _judge(tables: dict[str, Table], made: list[Made], queries: list[Query]) -> Iterator[tuple[Rule, str, int, str]]:
    for query in queries:
        table = tables.get(query.table)
        if table is None:
            continue
        own = [each for each in made if each.table == query.table]
        firsts = {each.columns[0] for each in own if each.columns} | {c[0] for _, c, _ in table.indexes if c}
        for name in sorted(query.columns("equal")):
            column = next((each for each in table.columns if each.name == name), None)
            others = query.columns("equal") - {name}
            helped = any(each.indexed for each in table.columns if each.name in others) or others & firsts
            if column is not None and SELECTIVE.search(name) and not (column.indexed or name in firsts or helped):
                yield SELECTIVE_RULE, query.path, query.line, f"`{query.table}.{name}` finds one row, and has no index"
        for name in sorted(query.columns("json")):
            column = next((each for each in table.columns if each.name == name and "jsonb" in each.type.lower()), None)
            if column is not None and not any(each.gin and name in each.columns for each in own):
                yield (
                    GIN,
                    query.path,
                    query.line,
                    f"`{query.table}.{name}` is asked for what is in it, without a GIN index",
                )
    for index in made:
        asked = [each for each in queries if each.table == index.table]
        for query in asked:
            ranged, equal = query.columns("range"), query.columns("equal")
            first = next((at for at, name in enumerate(index.columns) if name in ranged), None)
            if first is not None and any(name in equal for name in index.columns[first + 1 :]):
                yield (
                    ORDER,
                    index.path,
                    index.line,
                    f"`{index.columns[first]}` is a range, and stands before what is compared with =",
                )
                break
        lead = index.columns[0] if index.columns else ""
        literals = {
            each.literal
            for query in asked
            for each in query.predicates
            if each.column == lead and each.asked == "equal"
        }
        if STATUS.search(lead) and not index.partial and len(literals) == 1 and literals != {""}:
            yield PARTIAL, index.path, index.line, f"only `{lead} = '{literals.pop()}'` is ever asked for"


def _sql_indexes(path: str, text: str) -> Iterator[Made]:
    for found in SQL_INDEX.finditer(text):
        columns = tuple(each.split()[0].strip('"`').lower() for each in found["columns"].split(",") if each.strip())
        line = text.count("\n", 0, found.start()) + 1
        partial = re.search(r"\bwhere\b", found["rest"], re.IGNORECASE) is not None
        yield Made(found["table"].lower(), columns, path, line, partial, (found["using"] or "").lower() == "gin")


def _indexes(path: str, tree: ast.Module) -> Iterator[Made]:
    """`Index(…)` in models."""
    for node in walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        table = class_tables(ast.Module([node], [])).get(node.name)
        for call in walk(node) if table else ():
            if isinstance(call, ast.Call) and last_name(call.func) == "Index":
                columns = tuple(text_of(each) or last_name(each) for each in call.args[1:])
                partial = any((each.arg or "").endswith("_where") for each in call.keywords)
                using = text_of(keyword(call, "postgresql_using")) or ""
                yield Made(table or "", columns, path, call.lineno, partial, using == "gin")


def _sql_names(path: str, text: str) -> Iterator[Item]:
    bare = re.sub(r"--[^\n]*", lambda found: " " * len(found[0]), text)
    for table in sql_tables(path, text):
        start = re.search(
            rf"\bcreate\s+table[^(]{{0,200}}\b{re.escape(table.name)}\b[^(]{{0,200}}\(", bare, re.IGNORECASE
        )
        if start is None:
            continue
        end = bare.find(";", start.end())
        for found in SQL_CONSTRAINT.finditer(bare, start.end() - 1, end if end > 0 else len(bare)):
            kind = " ".join(found["kind"].lower().split())
            if (message := _wrong_name(found["name"] or "", kind, table.name)) is not None:
                line = bare.count("\n", 0, found.start("kind")) + 1
                yield NAME.at(path, line, message)


def _names(path: str, tree: ast.Module, conventional: bool) -> Iterator[Item]:
    for node in walk(tree):
        table = class_tables(ast.Module([node], [])).get(node.name) if isinstance(node, ast.ClassDef) else None
        for call in walk(node) if table else ():
            if isinstance(call, ast.Call) and (kind := CALLS.get(last_name(call.func))):
                name = text_of(keyword(call, "name")) or ""
                message = None if conventional else _wrong_name(name, kind, table or "")
                if message is not None:
                    yield NAME.at(path, call.lineno, message)


def _wrong_name(name: str, kind: str, table: str) -> str | None:
    if not name:
        return f"a constraint ({kind}) of `{table}` has no name"
    if not name.lower().startswith(tuple(f"{start}_{table.lower()}" for start in STARTS[kind])):
        return f"`{name}` does not say that it is a constraint ({kind}) of `{table}`: {STARTS[kind][0]}_{table}_…"
    return None


CHECK = Check(
    id="indexes",
    title="Indexes fit what is asked, and constraints are named",
    tier=2,
    languages=("python", "sql"),
    run=run,
)
