"""What a mutant does to each operator and constant."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

_OPERATORS: Mapping[type[ast.AST], tuple[str, str, str]] = {
    ast.Eq: ("comparison", "==", "!="),
    ast.NotEq: ("comparison", "!=", "=="),
    ast.Lt: ("comparison", "<", "<="),
    ast.LtE: ("comparison", "<=", "<"),
    ast.Gt: ("comparison", ">", ">="),
    ast.GtE: ("comparison", ">=", ">"),
    ast.Is: ("comparison", "is", "is not"),
    ast.IsNot: ("comparison", "is not", "is"),
    ast.In: ("comparison", "in", "not in"),
    ast.NotIn: ("comparison", "not in", "in"),
    ast.And: ("boolean", "and", "or"),
    ast.Or: ("boolean", "or", "and"),
    ast.Add: ("arithmetic", "+", "-"),
    ast.Sub: ("arithmetic", "-", "+"),
    ast.Mult: ("arithmetic", "*", "/"),
    ast.Div: ("arithmetic", "/", "*"),
    ast.FloorDiv: ("arithmetic", "//", "/"),
    ast.Mod: ("arithmetic", "%", "*"),
    ast.Pow: ("arithmetic", "**", "*"),
    ast.LShift: ("arithmetic", "<<", ">>"),
    ast.RShift: ("arithmetic", ">>", "<<"),
    ast.BitOr: ("arithmetic", "|", "&"),
    ast.BitAnd: ("arithmetic", "&", "|"),
    ast.BitXor: ("arithmetic", "^", "&"),
}
"""Operator → (what kind of change, how it is written, what it becomes)."""

COMPARED: Mapping[type, str] = {str: '"Mutated"', bytes: 'b"Mutated"'}
"""What a text becomes that is compared or looked up."""

WORDS = frozenset({"encoding", "errors", "stacklevel", "help", "title", "description", "strict"})
"""Keywords whose absence changes nothing where the tests run, or only what people read."""

UNTOUCHED_CALLS = frozenset({"dataclass", "TypeVar", "ParamSpec", "NewType", "lru_cache", "cache", "deprecated"})
"""Their arguments are declarations for the type checker, or change only how fast it is."""

DOES_WITHOUT_LAST = frozenset(
    {"enumerate", "get", "getattr", "int", "next", "pop", "replace", "round", "rsplit", "setdefault", "split", "sum"}
)
"""Functions of Python whose last argument has a default, so that leaving it out is no error in itself."""

LOGGING = re.compile(r"(\w+\.)*_?(log|logger|logging)\.\w+|warnings\.warn")


def operator_of(node: ast.cmpop | ast.operator | ast.boolop) -> tuple[str, str, str] | None:
    """(kind, as written, what it becomes); None for one that stays."""
    return _OPERATORS.get(type(node))


def changed_constant(value: object) -> str:
    """What a number or truth value becomes; empty for what stays."""
    match value:
        case bool():
            return str(not value)
        case int():
            return str(value + 1)
        case float():
            return repr(value + 1.0)
        case _:
            return ""
