"""Tables as a project declares them: SQLAlchemy models, and CREATE TABLE in SQL files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from omni.verify.analysis.python import keyword, last_name, text_of
from omni.verify.parsing import walk


@dataclass(frozen=True)
class Column:
    name: str
    line: int
    type: str
    """As written, such as `Boolean`, `Mapped[bool]` or `serial`."""
    primary: bool = False
    references: str = ""
    """`users.id` of a foreign key."""
    indexed: bool = False
    """Alone or first in an index, a unique constraint or the primary key."""
    lone_index: bool = False
    """By an index of its own that is not unique."""
    autoincrement: bool = False


@dataclass
class Table:
    name: str
    path: str
    line: int
    columns: list[Column] = field(default_factory=list)
    indexes: list[tuple[str, tuple[str, ...], int]] = field(default_factory=list)
    """(name, columns, line); an empty name is made by a convention."""
    mixins: frozenset[str] = frozenset()
    """Other classes it takes columns from."""


def sqlalchemy_tables(path: str, tree: ast.Module) -> Iterator[Table]:
    """Classes with `__tablename__`."""
    for node in walk(tree):
        if isinstance(node, ast.ClassDef):
            name = next((text_of(_value(each)) for each in node.body if "__tablename__" in _targets(each)), None)
            if name:
                yield _model(node, name, path)


def mixin_columns(tree: ast.Module) -> dict[str, list[Column]]:
    """Class → columns, of classes that are no tables themselves."""
    found = {}
    for node in walk(tree):
        if isinstance(node, ast.ClassDef) and not any("__tablename__" in _targets(each) for each in node.body):
            columns = list(_columns(node))
            if columns:
                found[node.name] = columns
    return found


def _model(node: ast.ClassDef, name: str, path: str) -> Table:
    table = Table(name, path, node.lineno, list(_columns(node)))
    table.mixins = frozenset(last_name(base) for base in node.bases)
    for statement in node.body:
        if "__table_args__" in _targets(statement):
            for call in walk(statement):
                if isinstance(call, ast.Call) and last_name(call.func) in {"Index", "UniqueConstraint"}:
                    table.indexes.append(_index(call))
    return table


def _index(call: ast.Call) -> tuple[str, tuple[str, ...], int]:
    texts = [text_of(each) or last_name(each) for each in call.args]
    if last_name(call.func) == "Index":
        return (texts[0] if texts else ""), tuple(texts[1:]), call.lineno
    return text_of(keyword(call, "name")) or "", tuple(texts), call.lineno


def _columns(node: ast.ClassDef) -> Iterator[Column]:
    for statement in node.body:
        value = _value(statement)
        if isinstance(value, ast.Call) and last_name(value.func) in {"mapped_column", "Column"}:
            annotation = ast.unparse(statement.annotation) if isinstance(statement, ast.AnnAssign) else ""
            for name in _targets(statement):
                yield _column(name, value, annotation)
        elif isinstance(statement, ast.AnnAssign) and value is None:
            annotation = ast.unparse(statement.annotation)
            if annotation.startswith("Mapped["):
                yield from (Column(name, statement.lineno, annotation) for name in _targets(statement))


def _column(attribute: str, call: ast.Call, annotation: str) -> Column:
    key = next(
        (each for each in walk(call) if isinstance(each, ast.Call) and last_name(each.func) == "ForeignKey"), None
    )
    written = text_of(call.args[0]) if call.args else None
    kind = " ".join([annotation, *(last_name(each) for each in call.args)])
    primary, unique, index = (_is_true(keyword(call, name)) for name in ("primary_key", "unique", "index"))
    references = text_of(key.args[0]) or "" if key is not None and key.args else ""
    integer = bool(re.search(r"\bint\b|Integer|BigInteger|SmallInteger", kind))
    off = keyword(call, "autoincrement")
    counts_off = isinstance(off, ast.Constant) and off.value is False
    return Column(
        name=written or attribute,
        line=call.lineno,
        type=kind,
        primary=primary,
        references=references,
        indexed=primary or unique or index,
        lone_index=index and not unique,
        autoincrement=primary and integer and not references and not counts_off,
    )


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _targets(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Assign):
        return [each.id for each in statement.targets if isinstance(each, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def _value(statement: ast.stmt) -> ast.expr | None:
    return statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None


_NAME = r"(?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?"
"""What may stand before the name of a table: its schema, and a quote."""
CREATE = re.compile(rf"\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?{_NAME}(?P<name>\w+)[\"`\]]?\s*\(", re.IGNORECASE)
INDEX = re.compile(
    r"\bcreate\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?[\"`]?(?P<name>\w+)[\"`]?\s+on\s+"
    rf"{_NAME}(?P<table>\w+)[\"`]?\s*(?:using\s+\w+\s*)?\((?P<columns>[^)]*)\)",
    re.IGNORECASE,
)
REFERENCES = rf"references\s+{_NAME}(\w+)[\"`]?\s*(?:\(\s*[\"`]?(\w+))?"
NOT_COLUMNS = frozenset({"primary", "unique", "constraint", "foreign", "check", "exclude", "like", "index", "key"})


_AFTER_A_TYPE = (
    r"not|null|default|primary|unique|references|check|constraint|generated|always|collate|character\s+set|charset|"
    r"auto_?increment|identity|comment|on|as|storage|compression|encode|key|invisible|virtual|stored"
)
_WORD_OF_A_TYPE = rf"(?!(?:{_AFTER_A_TYPE})\b)[\w.\"]+(?:\s*\([^()]*\))?(?:\[\d*\])*"
TYPE = re.compile(rf"{_WORD_OF_A_TYPE}(?:\s+{_WORD_OF_A_TYPE})*", re.IGNORECASE)
"""`double precision`, `timestamp(3) with time zone`, `int unsigned`."""


def sql_tables(path: str, text: str) -> Iterator[Table]:
    """CREATE TABLE statements, with the indexes that the same file makes on them."""
    bare = re.sub(
        r"--[^\n]*|/\*.{0,5000}?\*/", lambda comment: re.sub(r"[^\n]", " ", comment[0]), text, flags=re.DOTALL
    )
    indexes = [
        (each["table"].lower(), each["name"], _names(each["columns"]), _line(bare, each))
        for each in INDEX.finditer(bare)
    ]
    for found in CREATE.finditer(bare):
        body = _balanced(bare, found.end())
        table = Table(found["name"], path, _line(bare, found))
        constraints = " ".join(part for _, part in _parts(body))
        for offset, part in _parts(body):
            words = part.split()
            if len(words) > 1 and words[0].strip('"`[').lower() not in NOT_COLUMNS:
                table.columns.append(
                    _sql_column(words, part, constraints, bare.count("\n", 0, found.end() + offset) + 1)
                )
        table.indexes = [(name, columns, line) for owner, name, columns, line in indexes if owner == table.name.lower()]
        yield table


def _sql_column(words: list[str], part: str, constraints: str, line: int) -> Column:
    name = words[0].strip('"`[]')
    kind = TYPE.match(part, len(words[0]) + 1)
    lower = part.lower()
    of_table = rf"foreign\s+key\s*\(\s*[\"`]?{re.escape(name)}[\"`]?\s*\)\s*{REFERENCES}"
    reference = re.search(rf"\b{REFERENCES}", part, re.IGNORECASE) or re.search(of_table, constraints, re.IGNORECASE)
    of_tables = re.finditer(r"\b(?:primary\s+key|unique)\s*\(\s*[\"`]?(\w+)", constraints, re.IGNORECASE)
    keys = [key[0].lower() for key in of_tables if key[1] == name]
    primary = "primary key" in lower or any(key.startswith("primary") for key in keys)
    return Column(
        name=name,
        line=line,
        type=" ".join(kind[0].split()) if kind else "",
        primary=primary,
        references=f"{reference[1]}.{reference[2] or 'id'}" if reference else "",
        indexed=primary or " unique" in f" {lower}" or bool(keys),
        autoincrement=primary and bool(re.search(r"serial|autoincrement|auto_increment|identity", lower)),
    )


def _parts(body: str) -> list[tuple[int, str]]:
    """(offset, text) of what commas outside of brackets part."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(body):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append((start, body[start:at]))
            start = at + 1
    parts.append((start, body[start:]))
    return [(offset + len(text) - len(text.lstrip()), text.strip()) for offset, text in parts if text.strip()]


def _balanced(text: str, start: int) -> str:
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return text[start:at]
    return text[start:]


def _names(columns: str) -> tuple[str, ...]:
    return tuple(each.split()[0].strip('"`') for each in columns.split(",") if each.strip())


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1
