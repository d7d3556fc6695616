"""Domain-driven design, as far as imports and calls tell: contexts that keep to themselves, logic without SQL.

A bounded context is a folder below `contexts/`, `domains/`, `modules/` or `bounded_contexts/`. Others may import what
it offers: the package itself, or its module `api`, `public`, `events`, `contracts` or `interfaces`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.modules import import_graph
from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.python import dotted, imports, keyword, last_name, text_of
from omni.verify.analysis.rule import Rule
from omni.verify.analysis.script_modules import add_scripts
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity

RAW_SQL = Rule(
    "ddd",
    "raw-sql-in-logic",
    Severity.ERROR,
    "What the business decides can't be read or tested without the database, and a change of a table breaks it.",
    "Move the statement into a repository, and ask that for what the logic needs.",
)
CROSS = Rule(
    "ddd",
    "cross-context-import",
    Severity.ERROR,
    "The inside of one context becomes the other's business: neither can be changed alone any more.",
    "Import what the context offers (its package, api, events or contracts), or let it publish an event.",
)
FRAMEWORK = Rule(
    "ddd",
    "domain-imports-framework",
    Severity.WARNING,
    "The domain can't be tested or kept when the framework goes.",
    "Let the domain define what it needs, and implement that outside of it.",
)
MUTABLE = Rule(
    "ddd",
    "mutable-value-object",
    Severity.WARNING,
    "A value that changes under whoever holds it is no value.",
    "@dataclass(frozen=True), NamedTuple, or a frozen pydantic model.",
)

KEEPS_SQL = re.compile(
    r"(^|[/_])(repositor(y|ies)|adapters?|infrastructure|infra|persistence|database|db|dao|daos|stores?|storage|queries|sql|"
    r"migrations|versions|models?|tables?|gateways?|orm)(?=[/_.]|$)",
    re.IGNORECASE,
)
STATEMENT = re.compile(
    r"\A\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s)", re.IGNORECASE | re.DOTALL
)
CALLS = frozenset(
    {"execute", "executemany", "text", "raw", "fetch", "fetchrow", "fetchall", "scalar", "scalars", "query"}
)
CONTEXT = re.compile(
    r"(?P<root>\A(.*\.)?(contexts|domains|modules|bounded_contexts))\.(?P<name>\w+)(?:\.(?P<inside>\w+))?"
)
OFFERED = frozenset({"api", "public", "events", "contracts", "interfaces", "index", "types"})
SHARED = frozenset({"shared", "shared_kernel", "common", "kernel"})
FRAMEWORKS = frozenset(
    {
        "sqlalchemy",
        "django",
        "fastapi",
        "flask",
        "starlette",
        "requests",
        "httpx",
        "psycopg",
        "redis",
        "celery",
        "boto3",
    }
)
DOMAIN = re.compile(r"(^|/)domain/")
VALUES = re.compile(r"(^|/)(value_objects?(/|\.py)|values\.py)")


def run(context: Context) -> Iterator[Item]:
    graph = import_graph(context)
    add_scripts(graph, context)
    for module in sorted(graph.modules):
        own = CONTEXT.match(module)
        for edge in graph.imports(module) if own else ():
            other = CONTEXT.match(edge.imported)
            if own is None or other is None or own["root"] != other["root"] or own["name"] == other["name"]:
                continue
            if other["name"] in SHARED or other["inside"] is None or other["inside"] in OFFERED:
                continue
            message = f"`{own['name']}` imports the inside of `{other['name']}`: {edge.imported}"
            yield CROSS.at(edge.path, edge.line, message)
    for file, tree in context.parsed_python():
        if isinstance(tree, Unseen):
            yield tree
        elif not BESIDE_THE_PRODUCT.search(file.path):
            for rule, line, message in _judge(file, tree):
                yield rule.at(file.path, line, message)


def _judge(file: File, tree: ast.Module) -> Iterator[tuple[Rule, int, str]]:
    if not KEEPS_SQL.search(file.path):
        for node in walk(tree):
            asks = isinstance(node, ast.Call) and node.args and last_name(node.func) in CALLS
            if asks and isinstance(node, ast.Call) and STATEMENT.match(text_of(node.args[0]) or ""):
                yield RAW_SQL, node.lineno, f"`{dotted(node.func)}` runs SQL outside of a repository"
    if DOMAIN.search(file.path):
        for each in imports(tree):
            top = each.module.split(".")[0]
            if top in FRAMEWORKS and not each.level and not each.optional:
                yield FRAMEWORK, each.line, f"the domain imports {top}"
    if VALUES.search(file.path):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(_mutable(each) for each in node.decorator_list):
                yield MUTABLE, node.lineno, f"`{node.name}` can be changed"


def _mutable(decorator: ast.expr) -> bool:
    if last_name(decorator) not in {"dataclass", "define", "attrs"}:
        return False
    frozen = keyword(decorator, "frozen") if isinstance(decorator, ast.Call) else None
    return not (isinstance(frozen, ast.Constant) and frozen.value is True)


CHECK = Check(
    id="ddd",
    title="Contexts keep to themselves, and logic is free of SQL",
    tier=1,
    languages=("python", "javascript", "typescript", "vue", "svelte"),
    profile="ddd",
    run=run,
)
