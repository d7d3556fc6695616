"""Dependencies exist, and are the ones that were meant.

Code that was made up names packages that were made up; an attacker registers such names, and misspellings of popular
ones. Known without asking: the snapshot of popular names, and what is installed. The rest is asked through pip and npm,
so that private indexes, proxies and credentials that are configured there count too.

Metrics: `dependencies.missing.pypi` and `dependencies.missing.npm`, how many packages are, where any is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter

from omni.kernel.errors import OmniError
from omni.kernel.files import write_atomic
from omni.kernel.processes import run as run_program
from omni.verify.analysis import ask_pip
from omni.verify.analysis.imported import javascript_imports, python_imports
from omni.verify.analysis.lookalikes import resembles
from omni.verify.analysis.manifests import (
    MANIFESTS,
    BadManifestError,
    is_python_manifest,
    normalise,
    npm_dependencies,
    own_name,
    python_dependencies,
)
from omni.verify.analysis.packages import installed, module_owners, popular, providers, snapshot_of
from omni.verify.analysis.places import EXAMPLES, TESTS
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.report import Finding, Severity

MISSING = Rule(
    "dependency-names",
    "no-such-package",
    Severity.ERROR,
    why="The registry has no package of this name: it can't be installed, until a stranger registers it.",
    fix="Find the package that was meant, or remove it. Never register the name to make the error go away.",
    cwe="CWE-1357",
)
DOUBTFUL = replace(
    MISSING,
    severity=Severity.WARNING,
    why="No registry has it. A test or an example may make what it imports; if this one does not, it can't be run.",
)
SIBLING = replace(
    MISSING,
    severity=Severity.WARNING,
    why="A project of this repository has this name, and no registry: whoever registers it is installed in its place.",
    fix="Name its folder (`name @ file:…`, a workspace), or register the name before a stranger does.",
)
LOOKALIKE = Rule(
    "dependency-names",
    "look-alike",
    Severity.ERROR,
    why="Packages named almost like popular ones are a common way to get malicious code installed.",
    fix="If the popular package was meant, correct the name; if not, allow it with `omni: allow`, and say why.",
    cwe="CWE-1357",
)

CERTAIN = {"pypi": "pip", "npm": "npm"}
"""A name that every complete registry has. If it is not found either, the answer says nothing about the others."""
ASK_PIP = Path(ask_pip.__file__)
ANSWERS = TypeAdapter(dict[str, tuple[bool, float]])
"""Package → whether it was there, and when that was asked (seconds since 1970)."""
SOON = 600.0
"""Seconds after which one that was not there is asked about again: it may be about to be published."""
AT_ONCE = 4
SECONDS = 20.0


@dataclass(frozen=True)
class Named:
    """A place where a package is named."""

    registry: str
    name: str
    path: str
    line: int
    declared: bool = False
    """By a manifest, so that whoever follows it installs the package; not only imported."""

    @property
    def doubtful(self) -> bool:
        return not self.declared and bool(TESTS.search(self.path) or EXAMPLES.search(self.path))


def run(context: Context) -> Iterator[Item]:
    places = sorted(_named(context), key=lambda each: (each.doubtful, each.path), reverse=True)
    named = {(each.registry, each.name): each for each in places}  # the gravest place of each, which comes last
    environment = installed(context.environment)
    unknown: list[Named] = []
    for each in named.values():
        if each.name in popular(each.registry) or (each.registry == "pypi" and each.name in environment):
            continue
        meant = resembles(each.name, each.registry)
        if meant:
            yield _look_alike(each, meant)
        else:
            unknown.append(each)
    for registry in CERTAIN:
        asked = [each for each in unknown if each.registry == registry]
        said = list(_ask(context, registry, asked)) if asked else []
        yield from said
        if missing := sum(isinstance(each, Finding) for each in said):
            yield Metric(f"dependencies.missing.{registry}", missing, volatile=True)  # it is there soon, maybe


def _named(context: Context) -> Iterator[Named]:
    """Every package that a manifest declares or code imports."""
    declared: set[tuple[str, str]] = set()
    for file in context.files:
        python = is_python_manifest(file.path)
        if not python and file.path.rpartition("/")[2] != "package.json":
            continue
        try:
            found = (python_dependencies if python else npm_dependencies)(file.path, context.text(file))
        except BadManifestError:  # `imports` says so
            continue
        registry = "pypi" if python else "npm"
        for entry in found:
            declared.add((registry, entry.name))
            if entry.direct:
                yield Named(registry, entry.name, file.path, entry.line, declared=True)
    for each in python_imports(context):
        known = providers(each.module, {}) & {name for _, name in declared}
        top = each.module.split(".")[0]
        namespace = any(name.startswith(f"{top.lower()}-") for _, name in declared)
        if not (known or namespace or each.optional or top in module_owners()):
            yield Named("pypi", normalise(top), each.file.path, each.line)
    if any(registry == "npm" for registry, _ in declared):
        for each in javascript_imports(context):
            if ("npm", each.module) not in declared:
                yield Named("npm", each.module, each.file.path, each.line)


def _look_alike(each: Named, meant: str) -> Finding:
    message = f"`{each.name}` is not among the popular packages of {each.registry}, and looks like `{meant}`, which is"
    return LOOKALIKE.at(each.path, each.line, message)


def _ask(context: Context, registry: str, asked: list[Named]) -> Iterator[Item]:
    known = _known(context, registry)
    yield from _missing(context, [each for each in asked if known.get(each.name) is False])
    asked = [each for each in asked if each.name not in known]
    if not asked:
        return
    names = ", ".join(f"`{each.name}`" for each in asked)
    without = f"{names}: not in the snapshot of {snapshot_of(registry)}, and {registry} could not be asked"
    if context.offline:
        yield Gap(f"{without} (Omni is offline)")
        return
    certain = CERTAIN[registry]
    answers = _answers(context, registry, {certain, *(each.name for each in asked)})
    missing = [each for each in asked if answers[each.name] is False]
    if None in answers.values() or not answers[certain]:
        yield Gap(without)
        return
    _remember(context, registry, {each.name: bool(answers[each.name]) for each in asked})
    yield from _missing(context, missing)


def _missing(context: Context, missing: Iterable[Named]) -> Iterator[Finding]:
    own = {
        normalise(own_name(file.path, context.text(file))) for file in context.files if is_python_manifest(file.path)
    }
    for each in missing:
        message = f"there is no package `{each.name}` on {each.registry}"
        rule = DOUBTFUL if each.doubtful else SIBLING if each.name in own else MISSING
        yield rule.at(each.path, each.line, message)


def _known(context: Context, registry: str) -> Mapping[str, bool]:
    """Package → whether the registry had it lately."""
    now = time.time()
    return {
        name: there
        for name, (there, at) in _remembered(context, registry).items()
        if now - at < (context.check.fresh_for or 0 if there else SOON)
    }


def _remembered(context: Context, registry: str) -> Mapping[str, tuple[bool, float]]:
    try:
        return ANSWERS.validate_json((context.cache / f"{registry}.json").read_bytes())
    except (OSError, ValueError):
        return {}


def _remember(context: Context, registry: str, answers: Mapping[str, bool]) -> None:
    known = {**_remembered(context, registry), **{name: (there, time.time()) for name, there in answers.items()}}
    with suppress(OSError):  # they are asked again
        write_atomic(context.cache / f"{registry}.json", json.dumps(known))


def _answers(context: Context, registry: str, names: Iterable[str]) -> Mapping[str, bool | None]:
    """Name → whether the registry has the package; None when there is no answer."""
    if registry == "pypi":
        return _of_pypi(context, tuple(names))
    asked = tuple(names)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(asked, pool.map(partial(_on_npm, context), asked), strict=True))


def _of_pypi(context: Context, names: tuple[str, ...]) -> Mapping[str, bool | None]:
    unknown: dict[str, bool | None] = dict.fromkeys(names)
    try:
        output = context.execute("python", "-I", str(ASK_PIP), *names, timeout=SECONDS + len(names))
    except Failed:
        return unknown
    if output.exit_code != 0:
        return unknown
    return unknown | dict(json.loads(line) for line in output.stdout.splitlines())


def _on_npm(context: Context, name: str) -> bool | None:
    """npm is the machine's own. It runs outside of the project, whose .npmrc could name another registry."""
    context.cache.mkdir(parents=True, exist_ok=True)
    try:
        done = run_program(["npm", "view", "--json", name, "name"], cwd=context.cache, timeout=SECONDS)
    except OmniError:
        return None
    if done.ok:
        return True
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        return None
    return False if isinstance(answer, dict) and "E404" in str(answer.get("error")) else None


CHECK = Check(
    id="dependency-names",
    title="Dependencies exist and are the ones meant",
    tier=1,
    languages=("python", "javascript", "typescript"),
    globs=MANIFESTS,
    run=run,
    network=True,
    works_offline=True,
    fresh_for=86_400,
    weight=0,
)
