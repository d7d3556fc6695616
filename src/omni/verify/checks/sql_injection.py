"""SQL that is put together from values, followed through the variables of a function.

Where a name of a table or column is inserted, which no placeholder can do, it is a warning: it may come from the code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from omni.verify.analysis.places import TESTS
from omni.verify.analysis.python import Function, last_name, text_of
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Item, Scope, Unseen
from omni.verify.parsing import walk
from omni.verify.report import Severity

WHY = "A value with a quote in it changes the statement: it reads, changes or deletes what it should not."
VALUE = Rule(
    "sql-injection",
    "value-in-sql",
    Severity.ERROR,
    WHY,
    "Leave a placeholder in its place and give the value beside the statement: execute('… WHERE id = ?', (id,)).",
    "CWE-89",
)
NAME = Rule(
    "sql-injection",
    "name-in-sql",
    Severity.WARNING,
    "If the name can come from outside, so can any SQL.",
    "Look the name up in a fixed set of names first, or quote it with the database's own function.",
    "CWE-89",
)
SINKS = frozenset(
    {
        "execute", "executemany", "executescript", "exec_driver_sql", "raw", "RawSQL", "text", "read_sql",
        "read_sql_query", "fetch", "fetchrow", "fetchval", "scalar", "scalars", "mogrify",
    }
)  # fmt: skip
CALLED = re.compile(rf"\b({'|'.join(SINKS)})\(")
"""In a file without such a call there is nothing to follow."""
STATEMENT = re.compile(
    r"^[\s(]*(select\b.+\bfrom|select\s|insert\s+(or\s+\w+\s+)?into|update\s+\S+\s+set|delete\s+from|replace\s+into|"
    r"create\s+(table|index|view|user|role|database)|drop\s+(table|index|view|user|role|database)|"
    r"alter\s+(table|user|role)|truncate|with\s+\w+\s+as|merge\s+into|grant\s|call\s|exec\s|pragma\s)",
    re.IGNORECASE | re.DOTALL,
)
BEFORE_A_NAME = re.compile(
    r"(\b(from|into|update|table|join|index|view|by|as|on|exists|pragma|set|select|distinct|user|role|database|schema|column|"
    r"asc|desc|and|or|where|returning|values|in|limit)|[(,.\"`\[=+*-])\s*$",
    re.IGNORECASE,
)
BEFORE_A_VALUE = re.compile(
    r"(=|<|>|\blike|\bin|\bvalues|\bbetween|\blimit|\boffset|\bthen|\belse)\s*\(?\s*$", re.IGNORECASE
)
HARMLESS_CALLS = frozenset(
    {
        "int", "float", "len", "bool", "Identifier", "quote_ident", "quote_identifier", "quote", "quoted_name",
        "escape_identifier",
    }
)  # fmt: skip


@dataclass
class Assigned:
    """Assignments of one function, in order; of the module for what is not found there."""

    values: dict[str, ast.expr] = field(default_factory=dict)
    module: dict[str, ast.expr] = field(default_factory=dict)

    def value(self, name: str) -> ast.expr | None:
        return self.values.get(name) or self.module.get(name)


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        text = context.text(file)
        if not CALLED.search(text):
            continue
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            yield tree
            continue
        for rule, line, what in _statements(tree):
            in_tests = TESTS.search(file.path)  # what a test inserts comes from the test
            yield (NAME if in_tests else rule).at(
                file.path, line, f"SQL is put together from {what}", snippet=line_of(text, line)
            )


def _statements(tree: ast.Module) -> Iterator[tuple[Rule, int, str]]:
    module = _assignments(tree.body)
    bodies: list[list[ast.stmt]] = [tree.body]
    bodies += [node.body for node in walk(tree) if isinstance(node, Function)]
    for body in bodies:
        scope = Assigned(_assignments(body), module)
        for call in _calls(body):
            if last_name(call.func) in SINKS and call.args:
                yield from _judge(call.args[0], scope)


def _judge(argument: ast.expr, scope: Assigned) -> Iterator[tuple[Rule, int, str]]:
    pieces = list(_pieces(argument, scope, depth=0))
    written = "".join(piece if isinstance(piece, str) else "\x00" for piece in pieces)
    if not STATEMENT.match(written):
        return
    before = ""
    for piece in pieces:
        if isinstance(piece, str):
            before += piece
            continue
        yield (NAME if _stands_for_a_name(before) else VALUE), argument.lineno, f"`{ast.unparse(piece)}`"
        before += "x"


def _stands_for_a_name(before: str) -> bool:
    """Whether what comes after this SQL is (part of) a name of a table or column, not a value."""
    start = re.sub(r"\w+$", "", before)
    return before.count("'") % 2 == 0 and not BEFORE_A_VALUE.search(start) and bool(BEFORE_A_NAME.search(start))


def _pieces(node: ast.expr, scope: Assigned, depth: int) -> Iterator[str | ast.expr]:
    """The text that the expression gives, as far as it is written out; what is not, as expressions."""
    written = text_of(node)
    if written is not None:
        yield written
    elif _harmless(node, scope) or depth > 8:
        yield "x"
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from _pieces(part.value if isinstance(part, ast.FormattedValue) else part, scope, depth + 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _pieces(node.left, scope, depth + 1)
        yield from _pieces(node.right, scope, depth + 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and text_of(node.left) is not None:
        given = list(node.right.elts) if isinstance(node.right, ast.Tuple) else [node.right]
        yield from _filled(re.split(r"%(?:\(\w+\))?[sdr]", text_of(node.left) or ""), given, scope)
    elif isinstance(node, ast.Call) and last_name(node.func) == "format" and isinstance(node.func, ast.Attribute):
        template = text_of(node.func.value)
        given = [*node.args, *(each.value for each in node.keywords)]
        yield from _filled(re.split(r"\{[^{}]*\}", template or ""), given, scope) if template is not None else [node]
    elif isinstance(node, ast.Call) and last_name(node.func) in {"text", "SQL", "dedent", "strip"} and node.args:
        yield from _pieces(node.args[0], scope, depth + 1)
    elif isinstance(node, ast.Name) and (value := scope.value(node.id)) is not None and value is not node:
        yield from _pieces(
            value, Assigned({k: v for k, v in scope.values.items() if k != node.id}, scope.module), depth + 1
        )
    else:
        yield node


def _filled(texts: list[str], given: list[ast.expr], scope: Assigned) -> Iterator[str | ast.expr]:
    for index, text in enumerate(texts):
        yield text
        if index < len(texts) - 1:
            value = given[index] if index < len(given) else given[-1] if given else None
            if value is not None:
                yield "x" if _harmless(value, scope) else value


def _harmless(node: ast.expr, scope: Assigned) -> bool:
    """Numbers, constants by their name, lists of placeholders, and what was quoted on purpose."""
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, str)
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return name.isupper() or name in {"__tablename__", "__name__"}
    if isinstance(node, ast.IfExp):
        return all(text_of(each) is not None or _harmless(each, scope) for each in (node.body, node.orelse))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return True  # "?," * n
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name in HARMLESS_CALLS:
            return True
        return name == "join" and bool(node.args) and _placeholders(node.args[0])
    return False


def _placeholders(node: ast.expr) -> bool:
    """`"?" for _ in values`, `["%s"] * n`: text that is written out, as often as needed."""
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        names = {part.id for part in walk(node.elt) if isinstance(part, ast.Name)}
        return names <= {name for each in node.generators for name in _counters(each)}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return True
    return isinstance(node, ast.List | ast.Tuple) and all(text_of(each) is not None for each in node.elts)


def _counters(loop: ast.comprehension) -> Iterator[str]:
    """`i` of `for i in range(…)` and of `for i, value in enumerate(…)`."""
    if isinstance(loop.iter, ast.Call) and last_name(loop.iter.func) in {"range", "enumerate"}:
        first = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) else loop.target
        if isinstance(first, ast.Name):
            yield first.id


def _assignments(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Name → the expression that it was given last; `+=` adds to it. Nested functions are left out."""
    found: dict[str, ast.expr] = {}
    for node in _walk(body):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name) and _written_out(node.iter):
            found[node.target.id] = ast.Constant("x")
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in found:
            before = found[node.target.id]
            found[node.target.id] = ast.copy_location(ast.BinOp(before, ast.Add(), node.value), before)
    return found


def _written_out(node: ast.expr) -> bool:
    """`("a", "b")`"""
    return isinstance(node, ast.Tuple | ast.List | ast.Set) and all(text_of(each) is not None for each in node.elts)


def _calls(body: list[ast.stmt]) -> Iterator[ast.Call]:
    return (node for node in _walk(body) if isinstance(node, ast.Call))


def _walk(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes in order of the source, without those of nested functions."""
    for statement in body:
        if not isinstance(statement, Function):
            yield statement
            for child in ast.iter_child_nodes(statement):
                yield from _walk_node(child)


def _walk_node(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, Function):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _walk_node(child)


CHECK = Check(
    id="sql-injection",
    title="SQL is never put together from values",
    tier=2,
    scope=Scope.FILE,
    languages=("python",),
    run=run,
)
