"""Migrations that can be taken back, and that a running program survives: Alembic's, Django's, SQL files in pairs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.django_migrations import careful_steps, is_migration
from omni.verify.analysis.locks import locks
from omni.verify.analysis.python import Function, body_without_docstring, keyword, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.deep.base import find_base
from omni.verify.files import File, matches
from omni.verify.parsing import walk
from omni.verify.report import Finding, Severity

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
    why="While the old program still runs, the name that it asks for is gone, or means something else.",
    fix="Add the new column, copy the data, let the program use it, and drop the old one in a later migration.",
)
REQUIRED = Rule(
    "migrations",
    "required-without-default",
    Severity.ERROR,
    why="It fails on a table that has rows, and the old program can't insert any more.",
    fix="Give server_default now, and take it away in a later migration.",
)
LOCKING_INDEX = Rule(
    "migrations",
    "locking-index",
    Severity.ERROR,
    why="Nothing can be written to the table until the index is built.",
    fix="postgresql_concurrently=True in an autocommit block; such a migration is not transactional, and says so.",
)
LOCKING = Rule(
    "migrations",
    "locks-table",
    Severity.ERROR,
    why="While it runs, all who use the table wait; on a large table that is an outage.",
    fix="Take it in steps that hold no lock for long.",
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
OPERATIONS = (
    ("create_foreign_key", 1, "checks every row of"),
    ("create_check_constraint", 1, "checks every row of"),
    ("create_unique_constraint", 1, "builds an index on"),
    ("create_primary_key", 1, "builds an index on"),
    ("create_exclude_constraint", 1, "builds an index on"),
)
"""(name, which argument is the table, what it does)"""
LOCKS = {"locking-index", "locks-table"}
SQL_UP = re.compile(r"(\.up\.sql|_up\.sql|/up\.sql)$")
SQL_DOWN = re.compile(r"(\.down\.sql|_down\.sql|/down\.sql)$")
GLOBS = (
    "**/versions/*.py",
    "**/migrations/**/*.py",
    "migrations/**/*.py",
    "**/migrations/**/*.sql",
    "migrations/**/*.sql",
)


POSTGRESQL = re.compile(
    r"\b(?:psycopg[23]?|asyncpg|pg8000|postgres(?:ql)?|pgx|node-postgres|django\.contrib\.postgres)\b|\"pg\"",
    re.IGNORECASE,
)
SAYS_SO = (
    "pyproject.toml",
    "requirements*.txt",
    "package.json",
    "go.mod",
    "alembic.ini",
    "omni.toml",
    "*compose*.y*ml",
)


def run(context: Context) -> Iterator[Item]:
    """Locks are PostgreSQL's, and a matter of what is not applied yet: there they block."""
    said = list(_all(context))
    locking = [item for item in said if isinstance(item, Finding) and item.rule in LOCKS]
    yield from (item for item in said if item not in locking)
    if not locking:
        return
    severity = Severity.ERROR if _is_postgresql(context) else Severity.WARNING
    base = find_base(context, lambda path: matches(path, GLOBS))
    applied = {} if isinstance(base, Gap) else base.texts([finding.path for finding in locking])
    for finding in locking:
        file = context.inventory.by_path[finding.path]
        is_old = applied.get(finding.path) == context.text(file)
        yield finding.model_copy(update={"severity": Severity.NOTE if is_old else severity})


def _is_postgresql(context: Context) -> bool:
    files = context.inventory.matching((), SAYS_SO)
    sql = any(file.language == "sql" and "migrat" in file.path for file in context.files)
    return sql or any(POSTGRESQL.search(context.text(file)) for file in files if not file.problem)


def _all(context: Context) -> Iterator[Item]:
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
            yield from _alembic(file, tree)
        elif is_migration(tree):
            rules = {"no-way-back": IRREVERSIBLE, "renamed": RENAMED, "locks": LOCKING}
            for step in careful_steps(tree):
                yield rules[step.kind].at(file.path, step.line, step.message, fix=step.mend)


def _alembic(file: File, tree: ast.Module) -> Iterator[Item]:
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    upgrade, downgrade = functions.get("upgrade"), functions.get("downgrade")
    if upgrade is None or not _does_something(upgrade):
        return  # a merge of branches
    if downgrade is None or not _does_something(downgrade):
        line = downgrade.lineno if downgrade else upgrade.lineno
        yield IRREVERSIBLE.at(file.path, line, "the migration can't be taken back")
    made = {text_of(node.args[0]) for node in _operations(upgrade, "create_table") if node.args}
    for rule, node, message in _steps(upgrade, made):
        yield rule.at(file.path, node.lineno, message)


def _steps(upgrade: Function, made: set[str | None]) -> Iterator[tuple[Rule, ast.Call, str]]:
    yield from _renamed(upgrade)
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
            yield LOCKING_INDEX, node, f"the index on `{table}` is built while its table is locked"
    for node in _operations(upgrade, "execute"):
        statement = next((text for each in walk(node) if (text := text_of(each))), "")
        if SQL_RENAME.search(statement):
            yield RENAMED, node, "a column is renamed"
        for lock in locks(statement):
            yield LOCKING, node, f"it {lock.message}"
    yield from _locking(upgrade, made)


def _renamed(upgrade: Function) -> Iterator[tuple[Rule, ast.Call, str]]:
    """A column that the same migration adds is known to nobody by its old name."""
    columns = [each for node in _operations(upgrade, "add_column") for each in node.args[1:2]]
    added = {text_of(each.args[0]) for each in columns if isinstance(each, ast.Call) and each.args}
    dropped = {text_of(node.args[1]) for node in _operations(upgrade, "drop_column") if len(node.args) > 1}
    for node in _operations(upgrade, "alter_column"):
        new = keyword(node, "new_column_name")
        table, old = [text_of(each) or "?" for each in (*node.args, None, None)[:2]]
        if new is not None and old in added and text_of(new) in dropped:
            yield RENAMED, node, f"`{text_of(new)}` of `{table}` is replaced by another column in one step"
        elif new is not None and old not in added:
            yield RENAMED, node, f"`{old}` of `{table}` is renamed to `{text_of(new) or '?'}`"


def _locking(upgrade: Function, made: set[str | None]) -> Iterator[tuple[Rule, ast.Call, str]]:
    """Operations of Alembic (https://alembic.sqlalchemy.org/en/latest/ops.html) on tables that are there already."""
    for name, at, does in OPERATIONS:
        for node in _operations(upgrade, name):
            table = text_of(node.args[at]) if len(node.args) > at else None
            direct = isinstance(node.func, ast.Attribute) and last_name(node.func.value) == "op"
            if direct and table and table not in made and keyword(node, "postgresql_not_valid") is None:
                yield LOCKING, node, f"it {does} `{table}` while nobody can write to it"
    for node in _operations(upgrade, "alter_column"):
        table = text_of(node.args[0]) if node.args else None
        if table and table not in made and keyword(node, "type_") is not None:
            yield LOCKING, node, f"it may write `{table}` anew while nobody can read or write it"
        elif table and table not in made and _is_false(keyword(node, "nullable")):
            yield LOCKING, node, f"it looks at every row of `{table}` while nobody can read or write it"


def _operations(function: Function, name: str) -> Iterator[ast.Call]:
    """Calls of `op.<name>` and `batch_op.<name>`."""
    for node in walk(function):
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
            yield rule.at(file.path, line, message)
    if not SQL_DOWN.search(file.path):
        for lock in locks(text):
            yield LOCKING.at(file.path, lock.line, f"it {lock.message}", fix=lock.mend)
    changes = [found.start(1) for found in SQL_DDL.finditer(bare)]
    lower = bare.lower()
    if len(changes) > 1 and "concurrently" not in lower and not re.search(r"\b(begin|start\s+transaction)\b", lower):
        line = text.count("\n", 0, changes[0]) + 1
        yield OUTSIDE.at(file.path, line, f"{len(changes)} changes stand outside of a transaction")


CHECK = Check(
    id="migrations",
    title="Migrations can be taken back and don't stop the program",
    tier=2,
    globs=GLOBS,
    config=SAYS_SO,
    run=run,
    fresh_for=0,
)
