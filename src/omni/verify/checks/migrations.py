"""Migrations that can be taken back, and that a running program survives: Alembic's, and SQL files in pairs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.python import Function, body_without_docstring, keyword, last_name, text_of
from omni.verify.analysis.rule import Rule, line_of, line_with
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.files import File
from omni.verify.report import Severity

IRREVERSIBLE = Rule(
    "migrations",
    "no-way-back",
    Severity.ERROR,
    why="When the new version fails in production, the old one can't run on the changed database.",
    fix="Write downgrade() so that it undoes what upgrade() does, and test both ways.",
)
RENAMED = Rule(
    "migrations",
    "renamed-column",
    Severity.ERROR,
    why="While the old program still runs, the name that it asks for is gone.",
    fix="Add the new column, copy the data, let the program use it, and drop the old one in a later migration.",
)
REQUIRED = Rule(
    "migrations",
    "required-without-default",
    Severity.ERROR,
    why="It fails on a table that has rows, and the old program can't insert any more.",
    fix="Give server_default now, and take it away in a later migration.",
)
LOCKING = Rule(
    "migrations",
    "locking-index",
    Severity.WARNING,
    why="Nothing can be written to the table until the index is built.",
    fix="postgresql_concurrently=True in an autocommit block; such a migration is not transactional, and says so.",
)
OUTSIDE = Rule(
    "migrations",
    "not-in-transaction",
    Severity.WARNING,
    why="When a statement fails, those before it stay, and the migration fits neither way any more.",
    fix="BEGIN at the start and COMMIT at the end; only CREATE INDEX CONCURRENTLY has to stand outside.",
)
SQL_RENAME = re.compile(
    r"\brename\s+column\b|\balter\s+table\s+\S+\s+rename\s+(?!to\b|constraint\b)\w+\s+to\b", re.IGNORECASE
)
SQL_REQUIRED = re.compile(
    r"\badd\s+(column\s+)?(if\s+not\s+exists\s+)?[\w\"]+\s+[^,;]{0,200}\bnot\s+null\b(?![^,;]{0,200}\bdefault\b)",
    re.IGNORECASE,
)
SQL_DEFAULT = re.compile(r"\bdefault\b|\bgenerated\b", re.IGNORECASE)
SQL_DDL = re.compile(r"^[ \t]*(create|alter|drop)\s", re.IGNORECASE | re.MULTILINE)
SQL_UP = re.compile(r"(\.up\.sql|_up\.sql|/up\.sql)$")


def run(context: Context) -> Iterator[Item]:
    paths = {file.path for file in context.inventory.files}
    for file in context.files:
        text = context.text(file)
        if file.language == "sql":
            yield from _sql(file, text, paths)
            continue
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            yield tree
        elif re.search(r"^(down_)?revision\b", text, re.MULTILINE):
            yield from _alembic(file, text, tree)


def _alembic(file: File, text: str, tree: ast.Module) -> Iterator[Item]:
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    upgrade, downgrade = functions.get("upgrade"), functions.get("downgrade")
    if upgrade is None or not _does_something(upgrade):
        return  # a merge of branches
    if downgrade is None or not _does_something(downgrade):
        line = downgrade.lineno if downgrade else upgrade.lineno
        yield IRREVERSIBLE.at(file.path, line, "the migration can't be taken back", snippet=line_of(text, line))
    made = {text_of(node.args[0]) for node in _operations(upgrade, "create_table") if node.args}
    for rule, node, message in _steps(upgrade, made):
        yield rule.at(file.path, node.lineno, message, snippet=line_of(text, node.lineno))


def _steps(upgrade: Function, made: set[str | None]) -> Iterator[tuple[Rule, ast.Call, str]]:
    for node in _operations(upgrade, "alter_column"):
        if keyword(node, "new_column_name") is not None:
            yield RENAMED, node, "a column is renamed"
    for node in _operations(upgrade, "add_column"):
        column = next(
            (each for each in node.args if isinstance(each, ast.Call) and last_name(each.func) == "Column"), None
        )
        if column is not None and _is_false(keyword(column, "nullable")) and keyword(column, "server_default") is None:
            name = text_of(column.args[0]) if column.args else "?"
            yield REQUIRED, node, f"the column `{name}` is required at once, without a default"
    for node in _operations(upgrade, "create_index"):
        table = text_of(node.args[1]) if len(node.args) > 1 else None
        if table and table not in made and keyword(node, "postgresql_concurrently") is None:
            yield LOCKING, node, f"the index on `{table}` is built while its table is locked"
    for node in _operations(upgrade, "execute"):
        statement = next((text for each in ast.walk(node) if (text := text_of(each))), "")
        if SQL_RENAME.search(statement):
            yield RENAMED, node, "a column is renamed"


def _operations(function: Function, name: str) -> Iterator[ast.Call]:
    """Calls of `op.<name>` and `batch_op.<name>`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


def _does_something(function: Function) -> bool:
    body = body_without_docstring(function)
    raises = any(isinstance(node, ast.Raise) for node in body)
    idle = all(
        isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )
    return not (raises or idle)


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _sql(file: File, text: str, paths: set[str]) -> Iterator[Item]:
    bare = re.sub(r"--[^\n]*", lambda comment: " " * len(comment[0]), text)
    if SQL_UP.search(file.path):
        down = SQL_UP.sub(lambda found: found[0].replace("up", "down"), file.path)
        if down not in paths:
            yield IRREVERSIBLE.at(file.path, 1, f"there is no {down}")
    for rule, pattern, message in (
        (RENAMED, SQL_RENAME, "a column is renamed"),
        (REQUIRED, SQL_REQUIRED, "a column is required at once, without a default"),
    ):
        for found in pattern.finditer(bare):
            if rule is REQUIRED and SQL_DEFAULT.search(found[0]):
                continue
            line = text.count("\n", 0, found.start()) + 1
            yield rule.at(file.path, line, message, snippet=line_of(text, line))
    statements = SQL_DDL.findall(bare)
    lower = bare.lower()
    if len(statements) > 1 and "concurrently" not in lower and not re.search(r"\b(begin|start\s+transaction)\b", lower):
        line = line_with(lower, statements[0].lower())
        yield OUTSIDE.at(
            file.path, line, f"{len(statements)} changes stand outside of a transaction", snippet=line_of(text, line)
        )


CHECK = Check(
    id="migrations",
    title="Migrations can be taken back and don't stop the program",
    tier=2,
    globs=(
        "**/versions/*.py",
        "**/migrations/**/*.py",
        "migrations/**/*.py",
        "**/migrations/**/*.sql",
        "migrations/**/*.sql",
    ),
    run=run,
)
