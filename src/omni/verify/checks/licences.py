"""Licences of the dependencies fit the project's own.

The project's licence is what pyproject.toml or package.json say, else what the text of its LICENSE looks like. Those of
the dependencies come from the metadata of what is installed in the project's environment, and from package-lock.json or
what lies in node_modules. What is needed only for development is not part of what is handed over, so it does not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omni.verify.analysis.adoption import pyproject, table
from omni.verify.analysis.distributions import closure, distributions
from omni.verify.analysis.licences import objection, of_text
from omni.verify.analysis.manifests import (
    MANIFESTS,
    BadManifestError,
    Declared,
    is_python_manifest,
    npm_dependencies,
    python_dependencies,
)
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Gap, Item, Metric, Unseen
from omni.verify.files import File
from omni.verify.report import Finding, Severity, Status

BREACH = Rule(
    "licences",
    "incompatible",
    Severity.ERROR,
    why="Whoever passes the program on breaks that licence, or has to put the whole program under it.",
    fix="Replace the dependency, or choose a licence for the project that allows it.",
)
UNKNOWN = Rule(
    "licences",
    "unknown",
    Severity.NOTE,
    why="What may be done with the program is not known as long as one of its parts does not say.",
    fix="Read its LICENSE, and waive this with what it says if that fits.",
)


@dataclass(frozen=True)
class Part:
    """Something the program is made of."""

    name: str
    version: str
    licences: tuple[str, ...]
    by: Declared
    """The direct dependency that brings it."""


def run(context: Context) -> Iterator[Item]:
    declared, unseen = _declared(context)
    yield from unseen
    if not declared:
        yield Gap("no dependencies are declared that would be part of the program", Status.SKIPPED)
        return
    own = _own_licence(context)
    python = [each for each in declared if is_python_manifest(each.path)]
    if python and context.environment is None:
        yield Gap("the licences of the Python dependencies are not known: there is no environment with them installed")
    parts = [*_python_parts(context, python), *_node_parts(context, declared)]
    absent = sorted({each.name for each in declared} - {part.by.name for part in parts})
    if absent and (context.environment is not None or len(absent) > len(python)):
        yield Gap(
            f"the licences of {len(absent)} dependencies are not known, since they are not installed: {absent[0]}"
        )
    for part in parts:
        yield from _judge(part, own)
    yield Metric("licences.known", sum(bool(part.licences) for part in parts))
    yield Metric("licences.unknown", sum(not part.licences for part in parts))


def _declared(context: Context) -> tuple[list[Declared], list[Item]]:
    found: list[Declared] = []
    unseen: list[Item] = []
    for file in context.files:
        try:
            if file.path.rpartition("/")[2] == "package.json":
                found += npm_dependencies(file.path, context.text(file))
            elif is_python_manifest(file.path):
                found += python_dependencies(file.path, context.text(file))
        except BadManifestError as problem:
            unseen.append(Unseen(file.path, f"not a manifest that can be read: {problem}"))
    return [each for each in found if each.direct and not each.development], unseen


def _own_licence(context: Context) -> str:
    """Empty when the project does not say."""
    project = table(pyproject(context), "project")
    said = project.get("license")
    if isinstance(said, dict):
        said = said.get("text")
    if isinstance(said, str) and len(said) < 100:
        return said
    package = context.inventory.by_path.get("package.json")
    if package is not None and not package.problem:
        try:
            said = table(json.loads(context.text(package))).get("license")
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, str) and said not in {"UNLICENSED", "SEE LICENSE IN LICENSE"}:
            return said
    texts = (context.inventory.by_path.get(name) for name in ("LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING"))
    return next((of_text(context.text(file)) for file in texts if file is not None and not file.problem), "")


def _python_parts(context: Context, declared: list[Declared]) -> Iterator[Part]:
    if context.environment is None:
        return
    installed = distributions(context.environment)
    direct = {each.name: each for each in declared}
    for name, brought in closure(direct, installed).items():
        if name in installed:
            yield Part(name, installed[name].version, installed[name].licences, direct[brought])


def _node_parts(context: Context, declared: list[Declared]) -> Iterator[Part]:
    """By package-lock.json (version 2 and 3), which names the licence of each; else by what lies in node_modules."""
    for manifest in {each.path for each in declared if each.path.endswith("package.json")}:
        direct = {each.name: each for each in declared if each.path == manifest}
        folder = manifest.removesuffix("package.json")
        lock = context.inventory.by_path.get(f"{folder}package-lock.json")
        if lock is not None and not lock.problem:
            yield from _locked_parts(context, folder, _packages(context, lock), direct)
        else:
            for name, by in direct.items():
                if said := _installed_licence(context.root / folder / "node_modules" / name):
                    yield Part(name, "", (said,), by)


def _locked_parts(
    context: Context, folder: str, packages: dict[str, dict[str, object]], direct: dict[str, Declared]
) -> Iterator[Part]:
    brought = _brought(packages, direct)
    for place, about in packages.items():
        name = place.rpartition("node_modules/")[2]
        if place and not about.get("dev") and not about.get("link"):
            said = about.get("license") or _installed_licence(context.root / folder / place)
            by = brought.get(name) or next(iter(direct.values()))
            yield Part(name, str(about.get("version", "")), (said,) if isinstance(said, str) else (), by)


def _brought(packages: dict[str, dict[str, object]], direct: dict[str, Declared]) -> dict[str, Declared]:
    """Package → the direct dependency that needs it, by the shortest way."""
    needs: dict[str, dict[str, object]] = {}
    for place, about in packages.items():
        needed = needs.setdefault(place.rpartition("node_modules/")[2], {})
        for group in ("dependencies", "optionalDependencies", "peerDependencies"):
            needed.update(table(about, group))
    brought = dict(direct)
    waiting = list(direct)
    for name in waiting:
        for other in needs.get(name, {}):
            if other not in brought:
                brought[other] = brought[name]
                waiting.append(other)
    return brought


def _packages(context: Context, lock: File) -> dict[str, dict[str, object]]:
    try:
        content = json.loads(context.text(lock))
    except (ValueError, RecursionError):
        return {}
    return {place: about for place, about in table(content, "packages").items() if isinstance(about, dict)}


def _installed_licence(folder: Path) -> str:
    try:
        said = table(json.loads((folder / "package.json").read_text("utf-8"))).get("license")
    except (OSError, ValueError, RecursionError):
        return ""
    return said if isinstance(said, str) else ""


def _judge(part: Part, own: str) -> Iterator[Finding]:
    through = "" if part.by.name == part.name else f", which {part.by.name} needs"
    what = f"{part.name} {part.version}".strip() + through
    if not part.licences:
        yield UNKNOWN.at(part.by.path, part.by.line, f"{what}: its metadata names no licence")
        return
    reasons, puzzles = [], []
    for licence in part.licences:
        try:
            reasons.append(objection(own or "MIT", licence))
        except ValueError as problem:
            puzzles.append(f"“{licence}”: {problem}")
    if reasons and all(reasons):
        said = reasons[0] if own else f"{reasons[0].split(' can')[0]}; the project itself names no licence"
        breach = BREACH.at(part.by.path, part.by.line, f"{what}: {said}")
        yield breach if own else breach.model_copy(update={"severity": Severity.WARNING})
    elif puzzles and not reasons:
        yield UNKNOWN.at(part.by.path, part.by.line, f"{what}: its licence is not understood: {puzzles[0]}")


CHECK = Check(
    id="licences",
    title="The licences of the dependencies fit the project's own",
    tier=3,
    globs=(*MANIFESTS, "**/package.json"),
    config=("LICENSE*", "COPYING*", "package-lock.json", "**/package-lock.json", "pyproject.toml"),
    run=run,
)
