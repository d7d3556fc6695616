"""What queries ask of which columns: SQLAlchemy's `select(…).where(…)`, Django's `filter(…)`, written SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from omni.verify.analysis.python import text_of
from omni.verify.parsing import walk

Asked = Literal["equal", "range", "json"]
RANGES = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)
LOOKUPS: Mapping[str, Asked] = {
    "gt": "range",
    "gte": "range",
    "lt": "range",
    "lte": "range",
    "range": "range",
    "exact": "equal",
}
JSON_METHODS = frozenset({"contains", "contained_by", "has_key", "has_any", "has_all", "path_match", "path_exists"})
SQL = re.compile(
    r"\b(?:from|update|into)\s+[\"`]?(?P<table>\w+).{0,2000}?\bwhere\b(?P<where>.{0,2000}?)(?:\border\s+by\b|\bgroup\s+by\b|\blimit\b|;|$)",
    re.IGNORECASE | re.DOTALL,
)
CONDITION = re.compile(
    r"(?<!\w)(?:\w+\.)?[\"`]?(?P<column>\w+)[\"`]?\s*(?P<sign>@>|<@|->>?|\?|>=|<=|<>|!=|=|>|<|\bbetween\b)\s*(?P<value>'[^']*')?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Predicate:
    column: str
    asked: Asked
    literal: str = ""
    """The value, where it is written out."""


@dataclass(frozen=True)
class Query:
    table: str
    path: str
    line: int
    predicates: tuple[Predicate, ...]

    def columns(self, asked: Asked) -> frozenset[str]:
        return frozenset(each.column for each in self.predicates if each.asked == asked)


def class_tables(tree: ast.Module) -> dict[str, str]:
    """Class → table, of SQLAlchemy models of one module."""
    found = {}
    for node in walk(tree):
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.Assign) and any(
                    isinstance(t, ast.Name) and t.id == "__tablename__" for t in each.targets
                ):
                    found[node.name] = text_of(each.value) or ""
    return found


def python_queries(path: str, tree: ast.Module, tables: Mapping[str, str]) -> Iterator[Query]:
    """`tables`: class → table, of the whole program."""
    for node in walk(tree):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _of_statement(path, node, tables)
        elif (written := text_of(node)) is not None and re.search(r"\bwhere\b", written, re.IGNORECASE):
            yield from sql_queries(path, written, getattr(node, "lineno", 1))


def _of_statement(path: str, statement: ast.stmt, tables: Mapping[str, str]) -> Iterator[Query]:
    found: dict[str, list[Predicate]] = {}
    heads = [each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.expr)]
    for node in (each for head in heads for each in walk(head)):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and (named := _column(node.left, tables)):
            asked: Asked = "range" if isinstance(node.ops[0], RANGES) else "equal"
            if isinstance(node.ops[0], ast.Eq) or asked == "range":
                literal = text_of(node.comparators[0]) or ""
                found.setdefault(named[0], []).append(Predicate(named[1], asked, literal))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if (named := _column(node.func.value, tables)) and node.func.attr in {"between", *JSON_METHODS}:
                kind: Asked = "range" if node.func.attr == "between" else "json"
                found.setdefault(named[0], []).append(Predicate(named[1], kind))
            elif node.func.attr in {"filter_by", "filter", "get"}:
                for table, each in _keywords(node, tables):
                    found.setdefault(table, []).append(each)
    yield from (Query(table, path, statement.lineno, tuple(each)) for table, each in found.items())


def _column(node: ast.expr, tables: Mapping[str, str]) -> tuple[str, str] | None:
    """(table, column) of `User.email`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in tables:
        return tables[node.value.id], node.attr
    return None


def _keywords(call: ast.Call, tables: Mapping[str, str]) -> Iterator[tuple[str, Predicate]]:
    """`User.objects.filter(email=…, age__gt=…)`, `query(User).filter_by(email=…)`"""
    table = next(
        (tables[each.id] for each in walk(call.func) if isinstance(each, ast.Name) and each.id in tables), None
    )
    for given in call.keywords if table else ():
        column, _, lookup = (given.arg or "").partition("__")
        if column and lookup in {"", *LOOKUPS}:
            yield table or "", Predicate(column, LOOKUPS.get(lookup, "equal"), text_of(given.value) or "")


def sql_queries(path: str, text: str, line: int = 1) -> Iterator[Query]:
    for found in SQL.finditer(text):
        predicates = []
        for each in CONDITION.finditer(found["where"]):
            sign = each["sign"].lower()
            asked: Asked = "equal" if sign == "=" else "json" if sign in {"@>", "<@", "->", "->>", "?"} else "range"
            if sign not in {"<>", "!="}:
                predicates.append(Predicate(each["column"].lower(), asked, (each["value"] or "").strip("'")))
        if predicates:
            yield Query(
                found["table"].lower(), path, line + text.count("\n", 0, found.start("where")), tuple(predicates)
            )
