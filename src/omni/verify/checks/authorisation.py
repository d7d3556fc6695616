"""Routes that anybody may call, in programs that ask who calls the others.

No rule can know what is meant to be public. So the project itself is the measure: where nearly all routes that change
something are protected, those that are not were forgotten, unless their name says that they have to be open.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from omni.verify.analysis.express import LANGUAGES
from omni.verify.analysis.handlers import WRITING, Endpoint
from omni.verify.analysis.python import dotted, last_name
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.compliance.access import asks_who
from omni.verify.compliance.facts import Facts, facts_of
from omni.verify.parsing import walk
from omni.verify.report import Finding, Severity

OPEN = Rule(
    "authorisation",
    "unprotected-route",
    Severity.ERROR,
    "Anybody who knows the address can change data with it; the routes beside it ask who is calling.",
    "Put before it what stands before the others: the same dependency, decorator or middleware.",
    "CWE-862",
)
PERHAPS = Rule("authorisation", "unprotected-route", Severity.WARNING, OPEN.why, OPEN.fix, OPEN.cwe)
NO_OWNER = Rule(
    "authorisation",
    "owner-not-checked",
    Severity.ERROR,
    "Whoever is logged in can reach other people's data by trying identifiers; the routes beside it filter by owner.",
    "Look it up by owner as well, as the others do, and answer 404 when nothing is found.",
    "CWE-639",
)
PUBLIC = re.compile(
    r"log[-_ ]?(in|out)|sign[-_ ]?(in|up|out)|regist|token|auth|health|ready|live|hook|callback|reset|forgot|refresh"
    r"|verif|confirm|contact|feedback|subscri|public|sso|status|metric|ping|csp|search|track|invit|activat|local|lang"
    r"|theme|consent|cookie|graphql|password|preview|validate|session|events?/|telemetry|locale|echo|test",
    re.IGNORECASE,
)
"""Routes that have to be open, or may be."""
ENOUGH = 3
"""Protected routes, for each that is not, before the project can be said to protect its routes."""
OWNER = re.compile(r"^(owner|user|author|account|tenant|org|organi[sz]ation|created_by|customer|member|creator)(_id)?$")
DECIDES = re.compile(
    r"^(may|can|check|require|ensure|authori[sz]e|assert|verify)|permission|owner|access", re.IGNORECASE
)
MODEL_GET = re.compile(r"[A-Z]\w*\.(objects|query)\.(get|get_or_404|filter|filter_by)")


def run(context: Context) -> Iterator[Item]:
    yield from (tree for _, tree in context.parsed_python() if isinstance(tree, Unseen))
    facts = facts_of(context)
    yield from _open(facts)
    yield from _owners(facts)


def _open(facts: Facts) -> Iterator[Finding]:
    changing = {(each.file, each.line): each for each in facts.endpoints if each.method in WRITING}
    protected = {place: each for place, each in changing.items() if asks_who(facts, each)}
    others = {
        place: each
        for place, each in changing.items()
        if place not in protected and not PUBLIC.search(f"{each.path} {_name(each)} {each.file}")
    }
    if len(protected) < ENOUGH * max(len(others), 1):
        return
    for (path, line), each in others.items():
        beside = sum(other == path for other, _ in protected)
        rule = OPEN if beside >= ENOUGH - 1 else PERHAPS
        message = (
            f"{each.shown} asks nobody who they are; {len(protected)} of {len(changing)} routes that change data do"
        )
        yield rule.at(path, line, message)


def _name(endpoint: Endpoint) -> str:
    return endpoint.handler.node.name if endpoint.handler else ""


def _owners(facts: Facts) -> Iterator[Finding]:
    """Lookups by identifier without an owner, of models that other routes of the file look up with one."""
    found: dict[tuple[str, str], dict[int, tuple[Endpoint, bool]]] = defaultdict(dict)
    for each in facts.endpoints:
        for model in _looked_up(each):
            found[each.file, model][each.line] = (each, _asks_for_owner(each))
    for (path, model), lookups in found.items():
        owned = sum(asked for _, asked in lookups.values())
        others = [e for e, asked in lookups.values() if not asked and "admin" not in f"{e.path} {_name(e)}".lower()]
        if owned >= ENOUGH - 1 and len(others) <= owned / 2:
            for each in others:
                message = (
                    f"{each.shown} takes any `{model}` by its identifier; {owned} routes beside it ask whose it is"
                )
                yield NO_OWNER.at(path, each.line, message)


def _looked_up(endpoint: Endpoint) -> frozenset[str]:
    """Models that are looked up by an identifier: `get(Model, id)`, `Model.objects.get(pk=…)`, `Model.id == …`."""
    nodes = walk(endpoint.handler.node) if endpoint.handler else ()
    return frozenset(model for node in nodes if (model := _model(node)))


def _model(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        name, first = last_name(node.func), dotted(node.args[0]) if node.args else ""
        by_key = any(each.arg in {"id", "pk"} or (each.arg or "").endswith("_id") for each in node.keywords)
        if name in {"get", "get_or_404", "get_object_or_404"} and first[:1].isupper():
            return first if len(node.args) > 1 or by_key else ""
        if MODEL_GET.fullmatch(dotted(node.func)) and (by_key or name in {"get", "get_or_404"}):
            return dotted(node.func).partition(".")[0]
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
        left = dotted(node.left)
        return left.partition(".")[0] if re.fullmatch(r"[A-Z]\w*\.(id|pk)", left) else ""
    return ""


def _asks_for_owner(endpoint: Endpoint) -> bool:
    for node in walk(endpoint.handler.node) if endpoint.handler else ():
        if isinstance(node, ast.Compare):
            if any(OWNER.match(last_name(each)) for each in (node.left, *node.comparators)):
                return True
        elif isinstance(node, ast.Call) and (
            any(OWNER.match(each.arg or "") for each in node.keywords) or DECIDES.search(last_name(node.func))
        ):
            return True
    return False


CHECK = Check(
    id="authorisation",
    title="No route was left without the protection of the others",
    tier=2,
    languages=("python", *sorted(LANGUAGES)),
    run=run,
)
