"""Layers, as the project declares them: who may import whom.

Read from import-linter's configuration (pyproject.toml or .importlinter: contracts of type layers, forbidden and
independence) and from `[architecture]` of omni.toml: `layers = ["app.web", "app.services", "app.models"]`, the highest
first.
A chain of imports through modules that no layer names counts as an import. Nothing of the project is executed.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omni.verify.analysis.adoption import pyproject, table
from omni.verify.analysis.modules import Edge, Graph, import_graph
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Gap, Item
from omni.verify.report import Severity, Status

UPWARD = Rule(
    "architecture",
    "layer-violation",
    Severity.ERROR,
    why="The project says which layer may use which; past that, nothing can be changed or tested by itself any more.",
    fix="Move what is needed to the lower layer, or hand it over from above as an argument.",
)
UNKNOWN = Rule(
    "architecture",
    "no-such-module",
    Severity.ERROR,
    why="A rule about a module that does not exist guards nothing.",
    fix="Correct its name, or remove it from the rule.",
)


@dataclass(frozen=True)
class Forbidden:
    """Modules below `source` may not import those below `target`."""

    source: str
    target: str
    rule: str
    """What the project calls the rule."""
    through: frozenset[str] = frozenset()
    """Modules that an indirect chain may not pass: they are judged by themselves."""


def run(context: Context) -> Iterator[Item]:
    graph = import_graph(context)
    rules: list[Forbidden] = []
    for path, contract in _contracts(context):
        name = str(contract.get("name") or contract.get("type") or "architecture")
        named = _modules_named(contract)
        for module in named:
            if not graph.below(module):
                yield UNKNOWN.at(path, 1, f"“{name}” speaks of `{module}`, which does not exist")
        kind = str(contract.get("type"))
        if kind not in READERS:
            yield Gap(f"the contract “{name}” is of type {kind}, which only import-linter itself can judge")
            continue
        rules += READERS[kind](contract, name)
    if not rules:
        yield Gap("the project declares no layers", Status.SKIPPED)
    for rule in rules:
        yield from _judge(context, graph, rule)


def _judge(context: Context, graph: Graph, rule: Forbidden) -> Iterator[Item]:
    for chain in _chains(graph, rule):
        first = chain[0]
        way = " → ".join([first.importer, *(edge.imported for edge in chain)])
        file = context.inventory.by_path[first.path]
        snippet = line_of(context.text(file), first.line)
        yield UPWARD.at(first.path, first.line, f"“{rule.rule}” forbids {way}", snippet=snippet)


def _chains(graph: Graph, rule: Forbidden) -> Iterator[list[Edge]]:
    """The shortest forbidden chain from each module of the source; direct imports each by themselves."""
    targets = graph.below(rule.target)
    stops = frozenset().union(graph.below(rule.source), *(graph.below(each) for each in rule.through))
    for start in sorted(graph.below(rule.source)):
        direct = [edge for edge in graph.imports(start) if edge.imported in targets]
        if direct:
            yield from ([edge] for edge in direct)
            continue
        queue = deque([[edge] for edge in graph.imports(start) if edge.imported not in stops])
        seen = {start}
        while queue:
            chain = queue.popleft()
            here = chain[-1].imported
            if here in targets:
                yield chain
                break
            if here not in seen and here not in stops:
                seen.add(here)
                queue.extend([*chain, edge] for edge in graph.imports(here))


def _contracts(context: Context) -> Iterator[tuple[str, dict[str, object]]]:
    """(file, contract) of every declaration."""
    for contract in _list(table(pyproject(context), "tool", "importlinter").get("contracts")):
        yield "pyproject.toml", table(contract)
    ini = context.inventory.by_path.get(".importlinter")
    if ini is not None and not ini.problem:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(context.text(ini))
        for section in parser.sections():
            if section.startswith("importlinter:contract:"):
                values = {
                    name: value.split("\n") if "\n" in value else value for name, value in parser[section].items()
                }
                yield ".importlinter", dict(values)
    own = context.inventory.by_path.get("omni.toml")
    if own is not None and not own.problem:
        content = table(tomllib.loads(context.text(own)), "architecture")
        if content:
            yield "omni.toml", {"type": "layers", "name": "layers of omni.toml", **content}


def _layers(contract: dict[str, object], name: str) -> Iterator[Forbidden]:
    """Highest first; `a | b` may not import each other, `a : b` may; `(a)` may be absent."""
    containers = [str(each) for each in _list(contract.get("containers"))] or [""]
    for container in containers:
        levels = [
            [(f"{container}.{each}" if container else each, independent) for each, independent in _split(str(level))]
            for level in _list(contract.get("layers"))
        ]
        everything = frozenset(module for level in levels for module, _ in level)
        for height, level in enumerate(levels):
            higher = [module for above in levels[:height] for module, _ in above]
            for module, independent in level:
                beside = [other for other, _ in level if other != module and independent]
                for target in (*higher, *beside):
                    yield Forbidden(module, target, name, everything - {module, target})


def _split(level: str) -> Iterator[tuple[str, bool]]:
    independent = "|" in level
    for part in re.split(r"[|:]", level):
        yield part.strip().strip("()").strip(), independent


def _forbidden(contract: dict[str, object], name: str) -> Iterator[Forbidden]:
    for source in _list(contract.get("source_modules")):
        for target in _list(contract.get("forbidden_modules")):
            yield Forbidden(str(source), str(target), name)


def _independence(contract: dict[str, object], name: str) -> Iterator[Forbidden]:
    modules = [str(each) for each in _list(contract.get("modules"))]
    for source in modules:
        for target in modules:
            if source != target:
                yield Forbidden(source, target, name, frozenset(modules) - {source, target})


READERS = {"layers": _layers, "forbidden": _forbidden, "independence": _independence}


def _modules_named(contract: dict[str, object]) -> Sequence[str]:
    """Modules that have to exist: optional layers and packages of others need not."""
    if contract.get("type") != "layers":
        return [str(each) for key in ("source_modules", "modules") for each in _list(contract.get(key))]
    containers = [str(each) for each in _list(contract.get("containers"))] or [""]
    names = [part.strip() for level in _list(contract.get("layers")) for part in re.split(r"[|:]", str(level))]
    return [f"{base}.{name}" if base else name for base in containers for name in names if not name.startswith("(")]


def _list(value: object) -> list[object]:
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return [each for each in value if each] if isinstance(value, list) else []


CHECK = Check(
    id="architecture",
    title="Imports keep to the declared layers",
    tier=1,
    languages=("python",),
    globs=("pyproject.toml", ".importlinter", "omni.toml"),
    run=run,
)
