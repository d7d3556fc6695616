"""What a condition says of the names in it: in one of its branches they may be harmless."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from omni.verify.analysis.python import dotted, last_name
from omni.verify.dataflow.model import Guard, lookup
from omni.verify.dataflow.value import Ref, Taint, Text, Value, join_all, taints_in, transform

if TYPE_CHECKING:
    from omni.verify.dataflow.frame import Frame

EVERYTHING = frozenset({"*"})
HOST_PARTS = frozenset({"netloc", "hostname", "host"})
ADDRESS = frozenset({"ssrf", "redirect"})
WIDE = re.compile(r"(?<!\\)\.(?=[*+{])|\\S|\\W|\\D|\[\^")
"""In a pattern: takes nearly any sign."""


def refine(frame: Frame, test: ast.expr, outcome: bool) -> None:
    """Note what is known when the condition came out so."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        refine(frame, test.operand, not outcome)
    elif isinstance(test, ast.BoolOp):
        if isinstance(test.op, ast.And) is outcome:
            for each in test.values:
                refine(frame, each, outcome)
        else:
            _any_of(frame, test.values, outcome)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1:
        _compared(frame, test.left, test.ops[0], test.comparators[0], outcome)
    elif isinstance(test, ast.Call):
        _asked(frame, test, outcome)
    elif isinstance(test, ast.NamedExpr):
        refine(frame, test.value, outcome)


def _any_of(frame: Frame, tests: list[ast.expr], outcome: bool) -> None:
    """One of them came out so, it is not known which."""
    before = frame.names
    ways: list[dict[str, Value]] = []
    for each in tests:
        frame.names = dict(before)
        refine(frame, each, outcome)
        ways.append(frame.names)
    frame.names = before
    for name in before:
        if all(way[name] is not before[name] for way in ways):
            frame.names[name] = join_all(way[name] for way in ways)


def _compared(frame: Frame, left: ast.expr, kind: ast.cmpop, right: ast.expr, outcome: bool) -> None:
    equal = isinstance(kind, ast.Eq | ast.Is) if outcome else isinstance(kind, ast.NotEq | ast.IsNot)
    member = isinstance(kind, ast.In) if outcome else isinstance(kind, ast.NotIn)
    if _none(left) or _none(right):
        given = right if _none(left) else left
        # `re.fullmatch(…) is not None` is another way of asking; of what answers True or False it is none.
        if isinstance(given, ast.Call) and last_name(given.func) in {"match", "fullmatch", "search"}:
            _asked(frame, given, isinstance(kind, ast.Is | ast.Eq) is not outcome)
    elif equal:
        for one, other in ((left, right), (right, left)):
            if _untrusted(frame, one) and not taints_in(frame.evaluate(other)):
                _clear(frame, one, EVERYTHING)
    elif member and _untrusted(frame, left) and _allow_list(frame.evaluate(right)):
        _clear(frame, left, EVERYTHING)
    elif not member and isinstance(kind, ast.In | ast.NotIn) and _untrusted(frame, right):
        _refused(frame, frame.evaluate(left).text, right)


def _refused(frame: Frame, sign: str | None, node: ast.expr) -> None:
    """Data that holds this sign does not get here."""
    inner = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)
    name = _root(node)
    for each in frame.machine.models.refusals:
        if sign in each.signs and (inner or not each.inner) and name is not None and name in frame.names:
            _set(frame, name, frozenset(each.clears))


def _untrusted(frame: Frame, node: ast.expr) -> bool:
    """Whether there is something to clear: only then is the other side run once more."""
    name = _root(node)
    return name is not None and name in frame.names and bool(taints_in(frame.names[name]))


def _none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _allow_list(value: Value) -> bool:
    """Something to choose from that no untrusted data is in, and no text: any part of that would do."""
    return not taints_in(value) and not isinstance(value.shape, Text)


def _asked(frame: Frame, node: ast.Call, outcome: bool) -> None:
    inner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if not any(
        _untrusted(frame, each) for each in (inner, *node.args, *(each.value for each in node.keywords)) if each
    ):
        return
    name, subject = _question(frame, node)
    for guard in lookup(frame.machine.models.guards, frame.machine.models.canonical(name)):
        if guard.answer is outcome and _narrow(frame, guard, node):
            about = subject if guard.argument < 0 else _argument(node, guard.argument)
            if about is not None and _means(frame, guard, node, name):
                _clear(frame, about, frozenset(guard.clears))


def _argument(node: ast.Call, index: int) -> ast.expr | None:
    """By position; what is given by keyword counts after those."""
    given = [*node.args, *(each.value for each in node.keywords)]
    return given[index] if index < len(given) else None


def _question(frame: Frame, node: ast.Call) -> tuple[str, ast.expr | None]:
    """The name of what is asked, and the object whose method it is."""
    if isinstance(node.func, ast.Attribute):
        holder = frame.evaluate(node.func.value)
        if isinstance(holder.shape, Ref):
            return f"{holder.shape.name}.{node.func.attr}", node.func.value
        return f"*.{node.func.attr}", node.func.value
    value = frame.evaluate(node.func)
    if isinstance(value.shape, Ref):
        return value.shape.name, None
    return f"*.{dotted(node.func).rpartition('.')[2]}", None


def _narrow(frame: Frame, guard: Guard, node: ast.Call) -> bool:
    """The pattern lets through only what it names."""
    if not guard.pattern:
        return True
    given: Value | None = None
    if isinstance(node.func, ast.Attribute):
        holder = frame.evaluate(node.func.value)
        if isinstance(holder.shape, Ref) and holder.shape.name.endswith("compile()"):
            return True
    if node.args:
        given = frame.evaluate(node.args[0])
    text = given.text if given is not None else None
    if text is None:
        return False
    anchored = dotted(node.func).endswith("fullmatch") or text.endswith(("$", r"\Z", r"\z"))
    started = not dotted(node.func).endswith("search") or text.startswith(("^", r"\A"))
    return anchored and started and not WIDE.search(text)


def _means(frame: Frame, guard: Guard, node: ast.Call, name: str) -> bool:
    """`startswith` has to be asked with a beginning that no untrusted data is in."""
    if not name.endswith(("startswith", "is_relative_to", "commonpath")):
        return True
    return all(not taints_in(frame.evaluate(each)) for each in node.args[: 1 if guard.argument < 0 else None])


def _clear(frame: Frame, node: ast.expr, weaknesses: frozenset[str]) -> None:
    """The data in this expression can't cause these any more; nor can what it was taken from, as an address."""
    name = _root(node)
    if name is None or name not in frame.names:
        return
    if isinstance(node, ast.Attribute) and node.attr in HOST_PARTS:
        weaknesses = ADDRESS
        _clear_origins(frame, frame.names[name], weaknesses)
    elif not isinstance(node, ast.Name):
        if _spelled_alike(node):
            _set(frame, name, weaknesses)
        return
    _set(frame, name, weaknesses)


def _set(frame: Frame, name: str, weaknesses: frozenset[str]) -> None:
    value = frame.names[name]
    if taints_in(value):
        frame.names[name] = transform(value, lambda taints: _with(taints, weaknesses))


def _with(taints: tuple[Taint, ...], weaknesses: frozenset[str]) -> tuple[Taint, ...]:
    return tuple(taint.without(*weaknesses) for taint in taints)


def _clear_origins(frame: Frame, value: Value, weaknesses: frozenset[str]) -> None:
    """`urlparse(url).hostname` was looked at: that says as much of `url`."""
    origins = {taint.origin for taint in taints_in(value)}
    for name, other in list(frame.names.items()):
        if any(taint.origin in origins for taint in taints_in(other)):
            _set(frame, name, weaknesses)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        if isinstance(node, ast.Call):
            inner = node.func if isinstance(node.func, ast.Attribute) else node.args[0] if node.args else None
            if inner is None:
                return None
            node = node.args[0] if isinstance(inner, ast.Attribute) and _is_module_call(inner) and node.args else inner
        else:
            node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_module_call(node: ast.Attribute) -> bool:
    """`os.path.basename(x)`, not `x.lower()`"""
    return isinstance(node.value, ast.Attribute) or (
        isinstance(node.value, ast.Name) and node.value.id in {"os", "re", "urllib"}
    )


SAME = frozenset(
    {"str", "realpath", "abspath", "normpath", "normcase", "resolve", "absolute", "fspath", "Path", "unquote"}
)
SPELLED = frozenset({"lower", "upper", "strip", "casefold", "decode", "as_posix"})


def _spelled_alike(node: ast.expr) -> bool:
    """`x.lower()`, `str(x)`, `os.path.realpath(x)`: the same but for how it is written."""
    while isinstance(node, ast.Call) and last_name(node.func) in SAME | SPELLED:
        holder = node.func.value if isinstance(node.func, ast.Attribute) else None
        node = node.args[0] if node.args and last_name(node.func) in SAME else holder or node.func
    return isinstance(node, ast.Name)


@lru_cache(maxsize=256)
def fits(pattern: str, text: str | None) -> bool:
    return text is not None and re.search(pattern, text) is not None
