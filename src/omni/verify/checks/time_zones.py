"""Points in time with a zone and without one, in the same comparison: Python raises TypeError where they meet."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from omni.verify.analysis.python import Function, dotted, keyword, last_name, text_of
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Item, Scope, Unseen
from omni.verify.parsing import walk
from omni.verify.report import Severity

MEET = Rule(
    "time-zones",
    "naive-meets-aware",
    Severity.ERROR,
    "Python can't compare a time that has a zone with one that has none: it raises TypeError where this runs.",
    "Give both a zone: datetime.now(UTC), fromtimestamp(…, UTC), strptime(…).replace(tzinfo=UTC).",
    "CWE-682",
)
Kind: TypeAlias = Literal["naive", "aware", ""]
CLASS = frozenset({"datetime", "datetime.datetime", "dt.datetime"})


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        text = context.text(file)
        if "datetime" not in text:
            continue
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            yield tree
            continue
        given = _returned(tree)
        for function in (tree, *(node for node in walk(tree) if isinstance(node, Function))):
            known = _variables(function, given)
            for node in _own(function):
                if isinstance(node, ast.Compare | ast.BinOp) and _meet(node, known, given):
                    message = f"`{ast.unparse(node)}` has a time zone on one side only"
                    yield MEET.at(file.path, node.lineno, message, snippet=line_of(text, node.lineno))


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """What runs in the scope, without the functions in it; nor where the error is expected."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.With | ast.Try):
            if not _expects_error(child):
                yield from _own(child)
        elif not isinstance(child, Function | ast.Lambda):
            yield child
            yield from _own(child)


def _expects_error(node: ast.With | ast.Try) -> bool:
    if isinstance(node, ast.With):
        return "raises" in ast.unparse(node.items[0])
    return any(handler.type is None or "TypeError" in ast.unparse(handler.type) for handler in node.handlers)


def _meet(node: ast.Compare | ast.BinOp, known: Mapping[str, Kind], given: Mapping[str, Kind]) -> bool:
    if isinstance(node, ast.BinOp):
        sides, fits = [node.left, node.right], isinstance(node.op, ast.Sub)
    else:
        sides = [node.left, *node.comparators]
        fits = all(isinstance(each, ast.Lt | ast.Gt | ast.LtE | ast.GtE) for each in node.ops)
    return fits and {"naive", "aware"} <= {_kind(each, known, given) for each in sides}


def _kind(node: ast.expr, known: Mapping[str, Kind], given: Mapping[str, Kind]) -> Kind:
    """Whether the expression is a point in time with a zone, or without; empty when it is not certain."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        right = _kind(node.right, known, given)
        return _kind(node.left, known, given) if not right and "timedelta" in ast.unparse(node.right) else ""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Name) and node.func.id in given:
        return given[node.func.id]
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"replace", "astimezone"}:
        return _moved(node, node.func, known, given)
    return _made(node)


def _moved(node: ast.Call, function: ast.Attribute, known: Mapping[str, Kind], given: Mapping[str, Kind]) -> Kind:
    zone = keyword(node, "tzinfo")
    if function.attr == "replace" and zone is not None:
        return _zoned(zone) if _kind(function.value, known, given) else ""
    before = _kind(function.value, known, given)
    return "aware" if function.attr == "astimezone" and before else before


def _made(node: ast.Call) -> Kind:
    name = dotted(node.func)
    holder, _, made = name.rpartition(".")
    zone = keyword(node, "tz") or keyword(node, "tzinfo")
    if name in CLASS and len(node.args) >= 3:
        return _zoned(zone or next(iter(node.args[7:]), None))
    if holder not in CLASS:
        return ""
    if made in {"utcnow", "today", "utcfromtimestamp"}:
        return "naive"
    if made in {"now", "fromtimestamp"}:
        return _zoned(zone or next(iter(node.args[made == "fromtimestamp" :]), None))
    if made == "strptime" and len(node.args) == 2 and (text := text_of(node.args[1])) is not None:
        return "aware" if "%z" in text else "naive"
    return ""


def _zoned(zone: ast.expr | None) -> Kind:
    """Of a time that is given this zone. What has a name, such as a parameter `tz`, may be None."""
    if zone is None or isinstance(zone, ast.Constant):
        return "naive"
    return "" if isinstance(zone, ast.Name | ast.Attribute) and last_name(zone) not in {"UTC", "utc"} else "aware"


def _variables(function: ast.AST, given: Mapping[str, Kind]) -> dict[str, Kind]:
    """Names that the function binds once, to a time of a certain kind."""
    bound = Counter(n.id for n in walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    bound += Counter(n.arg for n in walk(function) if isinstance(n, ast.arg))
    known: dict[str, Kind] = {}
    for node in _own(function):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(target, ast.Name) and bound[target.id] == 1:
            known[target.id] = _kind(node.value, known, given)
    return known


def _returned(tree: ast.Module) -> dict[str, Kind]:
    """Functions of the module that return nothing but times of one kind."""
    found: dict[str, Kind] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            answers = [each for each in walk(node) if isinstance(each, ast.Return)]
            kinds: set[Kind] = {_kind(each.value, {}, {}) if each.value is not None else "" for each in answers}
            if len(kinds) == 1 and (kind := next(iter(kinds))):
                found[node.name] = kind
    return found


CHECK = Check(
    id="time-zones",
    title="Times with and without a zone never meet",
    tier=2,
    scope=Scope.FILE,
    languages=("python",),
    run=run,
)
