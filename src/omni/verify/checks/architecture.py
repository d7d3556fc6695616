"""Layers, as the project declares them: who may import whom.

Read from import-linter's configuration (pyproject.toml or .importlinter: contracts of type layers, forbidden and
independence), from `[architecture]` of omni.toml (`layers = ["app.web", "app.services"]`, the highest first), and from
`[[verify.architecture]]` there, for Python, JavaScript and TypeScript alike. A module is a dotted name (`app.web`), a
folder (`src/web`) or a glob of files (`src/**/*.controller.ts`).
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
from omni.verify.analysis.modules import Edge, Graph, import_graph, module_name
from omni.verify.analysis.rule import Rule
from omni.verify.analysis.script_modules import add_scripts
from omni.verify.check import Check, Context, Gap, Item
from omni.verify.files import matches
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

CYCLE = Rule(
    "architecture",
    "import-cycle",
    Severity.ERROR,
    why="Modules in a circle can only be understood, tested and changed together.",
    fix="Move what both need into a module below, or hand it over as an argument.",
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
    contracts = list(_contracts(context))
    if not contracts:
        yield Gap("the project declares no layers", Status.SKIPPED)
        return
    graph = import_graph(context)
    add_scripts(graph, context)
    rules: list[Forbidden] = []
    for path, contract in contracts:
        name = str(contract.get("name") or contract.get("type") or "architecture")
        named = _modules_named(contract)
        for module in named:
            if not _members(graph, module):
                yield UNKNOWN.at(path, 1, f"“{name}” speaks of `{module}`, which does not exist")
        kind = str(contract.get("type"))
        if kind == "acyclic":
            yield from _cycles(graph, contract, name)
            continue
        if kind not in READERS:
            yield Gap(f"the contract “{name}” is of type {kind}, which only import-linter itself can judge")
            continue
        rules += READERS[kind](contract, name)
    for rule in rules:
        yield from _judge(graph, rule)


def _judge(graph: Graph, rule: Forbidden) -> Iterator[Item]:
    for chain in _chains(graph, rule):
        first = chain[0]
        way = " → ".join([first.importer, *(edge.imported for edge in chain)])
        yield UPWARD.at(first.path, first.line, f"“{rule.rule}” forbids {way}")


def _chains(graph: Graph, rule: Forbidden) -> Iterator[list[Edge]]:
    """The shortest forbidden chain from each module of the source; direct imports each by themselves."""
    targets = _members(graph, rule.target)
    stops = frozenset().union(_members(graph, rule.source), *(_members(graph, each) for each in rule.through))
    for start in sorted(_members(graph, rule.source)):
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


def _members(graph: Graph, name: str) -> frozenset[str]:
    """The modules that a name means: one and all below it, or those whose files a glob matches."""
    if "*" in name:
        return frozenset(module for module, path in graph.modules.items() if matches(path, (name,)))
    folder = name.strip("/")
    return (
        graph.below(name) or graph.below(folder.replace("/", ".")) or graph.below(module_name(f"{folder}/__init__.py"))
    )


def _cycles(graph: Graph, contract: dict[str, object], name: str) -> Iterator[Item]:
    """The shortest way back to each module that imports itself through others; each circle once."""
    named = [str(each) for each in _list(contract.get("modules"))]
    wanted = frozenset().union(*(_members(graph, each) for each in named)) if named else frozenset(graph.modules)
    told: set[frozenset[str]] = set()
    for start in sorted(wanted):
        way = _way_back(graph, start, wanted)
        members = frozenset(edge.importer for edge in way)
        if way and members not in told:
            told.add(members)
            shown = " → ".join([start, *(edge.imported for edge in way)])
            yield CYCLE.at(way[0].path, way[0].line, f"“{name}” forbids the circle {shown}")


def _way_back(graph: Graph, start: str, wanted: frozenset[str]) -> list[Edge]:
    queue = deque([[edge] for edge in graph.imports(start) if edge.imported in wanted and edge.imported != start])
    seen = {start}
    while queue:
        way = queue.popleft()
        here = way[-1].imported
        if here == start:
            return way
        if here not in seen:
            seen.add(here)
            queue.extend([*way, edge] for edge in graph.imports(here) if edge.imported in wanted)
    return []


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
    for rule in context.project.architecture:
        yield "omni.toml", rule.model_dump(mode="json")


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
    languages=("python", "javascript", "typescript", "vue", "svelte"),
    globs=("pyproject.toml", ".importlinter", "omni.toml", "tsconfig*.json", "jsconfig.json"),
    run=run,
)
