"""Every import is declared as a dependency.

Our own and not deptry: deptry takes a distribution's name for its module's where the project is not installed, so that
PyYAML counts as missing and unused at once, and it knows neither JavaScript nor several manifests in one repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from omni.verify.analysis.imported import Foreign, javascript_imports, python_imports, typescript_aliases
from omni.verify.analysis.manifests import (
    MANIFESTS,
    BadManifestError,
    Declared,
    is_python_manifest,
    npm_dependencies,
    package_name,
    python_dependencies,
)
from omni.verify.analysis.packages import installed, module_owners, providers
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.report import Finding, Severity

WHY = (
    "It works here because something else happens to bring it. Where the project is installed afresh, the import fails."
)
FIX = "Add it to the project's dependencies and lock them again, or remove the import."
UNDECLARED = Rule("imports", "undeclared-import", Severity.ERROR, WHY, FIX, "CWE-1357")
DOUBTFUL = Rule("imports", "undeclared-import", Severity.WARNING, WHY, FIX, "CWE-1357")
DEVELOPMENT = Rule(
    "imports",
    "development-dependency",
    Severity.WARNING,
    why="Development dependencies are not installed where the program runs.",
    fix="Move it to the dependencies of the program.",
)
UNUSED = Rule(
    "imports",
    "unused-dependency",
    Severity.NOTE,
    why="It is downloaded, audited and updated for nothing.",
    fix="Remove it, if no plug-in mechanism or command line uses it.",
)
NO_MANIFEST = Rule(
    "imports",
    "no-manifest",
    Severity.WARNING,
    why="Nobody can install what it needs without guessing.",
    fix="Declare the dependencies in pyproject.toml.",
)


def run(context: Context) -> Iterator[Item]:
    yield from _python(context)
    yield from _javascript(context)


def _python(context: Context) -> Iterator[Item]:
    declared: list[Declared] = []
    for file in context.files:
        if is_python_manifest(file.path):
            try:
                declared += python_dependencies(file.path, context.text(file))
            except BadManifestError as problem:
                yield Unseen(file.path, f"not a manifest that can be read: {problem}")
    imported = list(python_imports(context))
    if imported and not any(is_python_manifest(file.path) for file in context.inventory.files):
        names = ", ".join(sorted({each.module.split(".")[0] for each in imported})[:5])
        yield NO_MANIFEST.at("", None, f"the code imports packages ({names}), and no file declares any")
        return
    modules = installed(context.environment)
    by_name = {each.name: each for each in sorted(declared, key=lambda each: not each.development)}
    for each in imported:
        yield from _judge(each, by_name, modules)
    yield from _unused(context, declared, imported, modules)


def _judge(each: Foreign, declared: Mapping[str, Declared], modules: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    top = each.module.split(".")[0]
    bringing = [declared[name] for name in providers(each.module, modules) if name in declared]
    if "." in each.module or not bringing:  # a namespace: google.cloud comes from google-cloud-storage
        bringing += [entry for name, entry in declared.items() if name.startswith(f"{top.lower()}-")]
    if not bringing:
        if each.optional:
            return
        unknown = [name for name in declared if name not in modules and not _module_known(name)]
        rule = DOUBTFUL if each.beside or (not modules and unknown and _could_be(top, unknown)) else UNDECLARED
        yield rule.at(each.file.path, each.line, f"`{top}` is imported and not declared")
    elif all(entry.development for entry in bringing) and not each.beside and not each.optional:
        message = f"`{top}` is declared for development only ({bringing[0].name})"
        yield DEVELOPMENT.at(each.file.path, each.line, message)


def _module_known(distribution: str) -> bool:
    return any(distribution in owners for owners in module_owners().values())


def _could_be(module: str, distributions: list[str]) -> bool:
    """Whether the name of a distribution that we know nothing of hints at the module."""
    folded = module.lower().replace("_", "")
    return any(folded in name.replace("-", "") or name.replace("-", "") in folded for name in distributions)


def _unused(
    context: Context, declared: list[Declared], imported: list[Foreign], modules: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    """Dependencies of the program that no file even mentions; one that is mentioned may be a plug-in or a command."""
    used = frozenset().union(*(providers(each.module, modules) for each in imported))
    mentioned = " ".join(context.text(file).lower() for file in context.files if not is_python_manifest(file.path))
    for each in declared:
        candidates = {each.name, each.name.replace("-", "_"), each.name.replace("-", ".")}
        if each.development or each.name in used or not each.path.endswith("pyproject.toml"):
            continue
        if not any(name in mentioned for name in candidates) and not _module_known(each.name):
            yield UNUSED.at(each.path, each.line, f"`{each.name}` is declared and not imported anywhere")


def _javascript(context: Context) -> Iterator[Item]:
    manifests = [file for file in context.files if file.path.rpartition("/")[2] == "package.json"]
    if not manifests:
        return
    names: set[str] = set()
    for file in manifests:
        try:
            names |= {each.name for each in npm_dependencies(file.path, context.text(file))}
            names |= {package_name(context.text(file))}
        except BadManifestError as problem:
            yield Unseen(file.path, f"not a manifest that can be read: {problem}")
    aliases: frozenset[str] = frozenset()
    for file in context.files:
        if file.path.rpartition("/")[2].startswith("tsconfig"):
            try:
                aliases |= typescript_aliases(json.loads(context.text(file)))
            except (ValueError, RecursionError):  # it may hold comments; then only the usual aliases are known
                continue
    folders = tuple(file.path.rpartition("/")[0] for file in manifests)
    for each in javascript_imports(context, aliases):
        inside = any(each.file.path.startswith(f"{folder}/" if folder else "") for folder in folders)
        if inside and each.module not in names and f"@types/{each.module}" not in names:
            rule = DOUBTFUL if each.beside else UNDECLARED
            yield rule.at(each.file.path, each.line, f"`{each.module}` is imported and not declared")


CHECK = Check(
    id="imports",
    title="Every import is a declared dependency",
    tier=1,
    languages=("python", "javascript", "typescript"),
    globs=(*MANIFESTS, "tsconfig*.json"),
    run=run,
)
