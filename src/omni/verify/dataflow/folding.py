"""Computing with what is written out: constants, texts of which the beginning is known, conditions that are decided."""

from __future__ import annotations

import ast
import operator
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping

from omni.verify.dataflow.value import (
    UNKNOWN,
    Const,
    Constant,
    Instance,
    Sequence,
    Table,
    Text,
    Value,
    beginning,
    constant,
    tainted,
    taints_in,
    united,
)

LONGEST = 4096
"""Signs of a text, bits of a number: longer ones are not computed."""

OPERATORS: Mapping[type[ast.operator], Callable[..., object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[..., object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
PURE_METHODS = frozenset(
    {
        "capitalize", "casefold", "count", "encode", "decode", "endswith", "find", "hex", "index", "isalnum",
        "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isspace", "istitle",
        "isupper", "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rstrip",
        "startswith", "strip", "swapcase", "title", "upper",
    }
)  # fmt: skip
"""Of texts, whose result is no longer than what they are given."""
LISTS = frozenset({"split", "rsplit", "splitlines", "partition", "rpartition"})


def literal(result: object) -> Value:
    """What Python computed, as far as it is plain and short."""
    if isinstance(result, str | bytes):
        return constant(result) if len(result) <= LONGEST else UNKNOWN
    if isinstance(result, bool | float | complex | None):
        return constant(result)
    if isinstance(result, int):
        return constant(result) if result.bit_length() <= LONGEST else UNKNOWN
    if isinstance(result, list | tuple):
        return Value(Sequence(tuple(literal(each) for each in result[:64]), UNKNOWN if len(result) > 64 else None))
    return UNKNOWN


def operate(kind: ast.operator, left: Value, right: Value) -> Value | None:
    """The result of two constants; None when they are not, or it is too much."""
    if not isinstance(left.shape, Const) or not isinstance(right.shape, Const):
        return None
    one, other = left.shape.value, right.shape.value
    if not isinstance(kind, tuple(OPERATORS)) or _too_much(kind, one, other):
        return None
    try:
        result = literal(OPERATORS[type(kind)](one, other))
    except (ArithmeticError, TypeError, ValueError, MemoryError):
        return None
    return Value(result.shape, united(left.taints, right.taints))


def _too_much(kind: ast.operator, one: Constant, other: Constant) -> bool:
    if isinstance(kind, ast.Mod):
        return not all(isinstance(each, int | float) for each in (one, other))  # formatting has its own rules
    if not isinstance(kind, ast.Mult | ast.LShift):
        return False
    sizes = [abs(each) if isinstance(each, int) else 2 for each in (one, other)]
    texts = [len(each) for each in (one, other) if isinstance(each, str | bytes)]
    return (isinstance(kind, ast.LShift) or bool(texts)) and (
        max(sizes) > LONGEST or max(sizes) * max(texts, default=1) > LONGEST
    )


def compare(kind: ast.cmpop, left: Value, right: Value) -> bool | None:
    """The answer, if it is certain."""
    if isinstance(kind, ast.In | ast.NotIn):
        inside = _contains(right, left)
        return inside if inside is None or isinstance(kind, ast.In) else not inside
    one, other = left.shape, right.shape
    if not isinstance(one, Const) or not isinstance(other, Const):
        return None
    if isinstance(kind, ast.Is | ast.IsNot):
        if one.value is not None and other.value is not None and not isinstance(one.value, bool):
            return None
        return (one == other) is isinstance(kind, ast.Is)
    try:
        return bool(COMPARISONS[type(kind)](one.value, other.value))
    except TypeError:
        return None


def _contains(container: Value, item: Value) -> bool | None:
    if not isinstance(item.shape, Const):
        return None
    wanted = item.shape.value
    shape = container.shape
    if isinstance(shape, Const) and isinstance(shape.value, str) and isinstance(wanted, str):
        return wanted in shape.value
    if isinstance(shape, Table):
        return True if wanted in shape.entries else False if shape.rest is None else None
    if isinstance(shape, Sequence):
        known = [each.shape for each in shape.items if isinstance(each.shape, Const)]
        if any(each.value == wanted for each in known):
            return True
        return False if shape.rest is None and len(known) == len(shape.items) else None
    return None


def truth(value: Value) -> bool | None:
    """Whether it counts as true, if that is certain."""
    shape = value.shape
    if isinstance(shape, Const):
        return bool(shape.value)
    if isinstance(shape, Text) and shape.prefix:
        return True
    if isinstance(shape, Sequence) and shape.rest is None:
        return bool(shape.items)
    if isinstance(shape, Table) and shape.rest is None:
        return bool(shape.entries)
    return None


def written(value: Value) -> str | None:
    """As str() would write it, if that is known."""
    if isinstance(value.shape, Const) and not isinstance(value.shape.value, bytes):
        return str(value.shape.value)
    return None


def concatenated(values: Iterable[Value]) -> Value:
    """One text after the other."""
    values = list(values)
    prefix = ""
    for value in values:
        text = written(value)
        if text is None or len(prefix) + len(text) > LONGEST:
            prefix += beginning(value)[:LONGEST]
            break
        prefix += text
    else:
        return Value(constant(prefix).shape, united(*(value.taints for value in values)))
    taints = united(*(taints_in(value) for value in values))
    return Value(Text(prefix), taints)


def call_method(text: str | bytes, name: str, arguments: list[Value]) -> Value | None:
    """A method of a text that is written out, with constants; None when that can't be computed."""
    if name not in PURE_METHODS and name not in LISTS:
        return None
    given = [each.shape.value for each in arguments if isinstance(each.shape, Const)]
    if len(given) != len(arguments) or any(isinstance(each, str) and len(each) > LONGEST for each in given):
        return None
    if name == "replace" and any(isinstance(each, str | bytes) and len(each) > 8 for each in given[1:]):
        return None
    if name in {"encode", "decode"} and given and given[0] not in {"utf-8", "utf8", "ascii", "latin-1", "UTF-8"}:
        return None
    try:
        return literal(getattr(text, name)(*given))
    except (AttributeError, TypeError, ValueError, OverflowError):  # AttributeError: bytes have fewer
        return None


def opaque(value: Value) -> Value:
    """Only what untrusted data is in it."""
    return tainted(taints_in(value))


def is_container(value: Value) -> bool:
    return isinstance(value.shape, Sequence | Table | Instance)


PLACE = re.compile(r"%(?:\((?P<name>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<kind>[a-zA-Z%])")


def places(template: str) -> Iterator[tuple[str, str, str]]:
    """The places of a %-template: the text before each, its name, its kind; last the text after them."""
    end = 0
    for found in PLACE.finditer(template):
        yield template[end : found.start()], found["name"] or "", found["kind"]
        end = found.end()
    yield template[end:], "", ""


def fields(template: str) -> Iterator[tuple[str, str | None, str]]:
    """The fields of a `str.format` template: the text before each, its name or None, how it is written."""
    try:
        for before, name, spec, _ in string.Formatter().parse(template):
            yield before, name, spec or ""
    except ValueError:  # a single brace
        yield template, None, ""
