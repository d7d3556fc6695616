"""Types of TypeScript, by its own compiler, as each tsconfig.json says.

A file belongs to the nearest tsconfig.json that includes it. Where one does not say `strict`, what that would find is a
warning; so is all that is found in files of which no tsconfig.json says anything. What is imported from packages that
are not installed is of no known type: then only what can't be a consequence of that is told, and the check is
incomplete. The compiler runs no code of the project; it reads its packages, in the sandbox's copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pydantic import Field, ValidationError

from omni.verify.analysis.manifests import BadManifestError, npm_dependencies
from omni.verify.analysis.npm import how_to_install
from omni.verify.analysis.packages import node_modules
from omni.verify.check import Check, Context, Failed, Gap, Item, Unseen
from omni.verify.report import Finding, Model, Severity, Status

SCRIPT = Path(__file__).parents[1] / "data" / "typescript.cjs"
NOTHING_TO_COMPILE = frozenset({18002, 18003})
OF_BUILDING = frozenset({5055, 5056, 6059, 6305, 6306, 6307, 6310})
"""About what is written where; nothing is written here."""
OF_CALLS = frozenset({2551, 2554})
"""Another number of arguments than declared; a name that is nearly that of a member."""
KIND = r"(?:string|number|boolean|bigint|undefined|null|true|false|\"[^'\"]*\"|-?[\d.]+)"
PRIMITIVE = re.compile(rf"'{KIND}(?: \| {KIND})*' is not assignable to (?:parameter of )?type '{KIND}(?: \| {KIND})*'")
COMPONENT = re.compile(r"\.(vue|svelte|astro)$")
MOST = 50
"""Findings of `strict` that are shown one by one."""
ROOT = "/work"


class Said(Model):
    code: int
    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    module: str = ""
    """What it could not find, of itself or of the project: `local`."""
    local: bool = False

    @property
    def certain(self) -> bool:
        """It holds whatever the packages that are not here may bring."""
        return self.code < 2000 or (self.local and not _generated(self.module))

    @property
    def likely(self) -> bool:
        """It is between types that no package brings: what comes from one that is not here is `any`."""
        return self.code in OF_CALLS or bool(PRIMITIVE.search(self.message))


class Compiled(Model):
    """What was said of one tsconfig.json."""

    config: str
    """Its path; empty for the files that none speaks of."""
    problems: tuple[Said, ...] = ()
    strict: bool = True
    files: tuple[str, ...] = ()
    errors: tuple[Said, ...] = ()
    missing: tuple[Said, ...] = ()
    """Of the options: types that they name and that are not here."""
    stricter: tuple[Said, ...] = ()


class Answer(Model):
    projects: tuple[Compiled, ...]
    left: int = Field(ge=0)


@dataclass(frozen=True)
class Packages:
    """What the project's manifests ask for, and what is installed of it."""

    context: Context

    @cached_property
    def declared(self) -> frozenset[str]:
        names: set[str] = set()
        for file in self.context.files:
            if PurePosixPath(file.path).name == "package.json":
                try:
                    names.update(each.name for each in npm_dependencies(file.path, self.context.text(file)))
                except BadManifestError:  # `dependency-names` says so
                    continue
        return frozenset(names)

    @cached_property
    def some(self) -> bool:
        """Something is installed."""
        folders = {folder for file in self.context.files for folder in PurePosixPath(file.path).parents}
        return any((self.context.root / folder / "node_modules").is_dir() for folder in folders)

    def lacking(self, said: Said) -> str:
        """The package that would have to be installed; empty when that is not what is wrong."""
        if not said.module or (said.local and not _generated(said.module)):
            return ""
        name = package_of(said.module)
        asked = {name, f"@types/{name.removeprefix('@').replace('/', '__')}"} & self.declared
        return name if not self.some or asked or _generated(said.module) or name == "@types/node" else ""


def package_of(module: str) -> str:
    """`@scope/name/sub` → `@scope/name`; of Node's own modules the package that has their types."""
    if module.startswith("node:") or module.partition("/")[0] in node_modules():
        return "@types/node"
    return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])


def _generated(module: str) -> bool:
    """A program makes it: `virtual:pwa`, `$app/stores`, `./$types`, `@/generated/prisma`; a component has no types."""
    return bool(
        re.search(r"^[a-z]+:|(^|/)[$#]|\?|generated|(^|/)(\.\w+|dist|build|gen)/", module) or COMPONENT.search(module)
    )


def run(context: Context) -> Iterator[Item]:
    configs = sorted(file.path for file in context.files if PurePosixPath(file.path).name == "tsconfig.json")
    sources = [file.path for file in context.files if file.language == "typescript"]
    if not sources:
        yield Gap("there is no TypeScript", Status.SKIPPED)
        return
    folders = {str(PurePosixPath(path).parent) for path in configs}
    loose = [path for path in sources if not any(str(each) in folders for each in PurePosixPath(path).parents)]
    answer = _asked(context, configs, loose)
    packages = Packages(context)
    if answer.left:
        yield Gap(f"{answer.left} further tsconfig.json were not looked at")
    owners = _owners(answer.projects)
    for project in answer.projects:
        yield from _of_project(context, project, packages, owners)
    for path in sources:
        if path not in owners:
            yield Unseen(path, "no tsconfig.json includes it", harmless=True)


def _asked(context: Context, configs: list[str], loose: list[str]) -> Answer:
    """Raises `Failed`."""
    compiler = context.execution.tools(context.check.toolset).root / "typescript"
    argv = ("node", "-e", SCRIPT.read_text("utf-8"), str(compiler), ROOT, *configs, "--", *loose)
    done = context.run_in_sandbox(argv, toolset=context.check.toolset)
    if done.exit_code != 0 or done.truncated:
        said = " ".join(done.stderr.split())[-300:]
        raise Failed(f"the compiler {'said too much' if done.truncated else f'failed: {said or done.ended}'}")
    try:
        return Answer.model_validate_json(done.stdout)
    except ValidationError as problem:
        raise Failed("the compiler's answer is not what it should be, so its result is unknown") from problem


def _owners(projects: tuple[Compiled, ...]) -> dict[str, str]:
    """File → the nearest tsconfig that includes it, as editors see it."""
    owners: dict[str, str] = {}
    for project in sorted(projects, key=lambda each: -each.config.count("/") if each.config else 1):
        for path in project.files:
            owners.setdefault(path, project.config)
    return owners


def _of_project(context: Context, project: Compiled, packages: Packages, owners: dict[str, str]) -> Iterator[Item]:
    unread = [said for said in project.problems if said.code not in NOTHING_TO_COMPILE]
    yield from (Gap(f"{project.config}: {said.message.rstrip('.')}") for said in unread)
    own = (said for said in dict.fromkeys(project.errors) if owners.get(said.path) == project.config)
    errors = [said for said in own if said.code not in OF_BUILDING]
    lacking = {name for said in (*errors, *project.missing) if (name := packages.lacking(said))}
    if lacking:
        shown = ", ".join(sorted(lacking)[:5]) + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else "")
        where, folder = project.config or "TypeScript", str(PurePosixPath(project.config).parent)
        install = how_to_install(context.inventory.by_path, folder)
        yield Gap(f"{where}: no types are known of {shown}: not installed, or not generated. Type: {install}")
    else:
        yield from (Gap(f"{project.config}: {said.message.rstrip('.')}") for said in project.missing)
    doubtful = not project.config
    for said in errors:
        if said.certain or not (lacking or unread):
            yield _finding(context, said, Severity.WARNING if doubtful else Severity.ERROR)
        elif said.likely and not unread:  # how strict it is meant to be is known
            yield _finding(context, said, Severity.WARNING)
    if not (project.strict or lacking or unread):
        yield from _stricter(context, project, owners)


def _stricter(context: Context, project: Compiled, owners: dict[str, str]) -> Iterator[Item]:
    """What `strict` would find more."""
    known = set(project.errors)
    more = [
        said
        for said in dict.fromkeys(project.stricter)
        if said not in known and owners.get(said.path) == project.config
    ]
    if len(more) > MOST:
        message = f"`strict` is not on, which would find {len(more)} errors"
        yield context.finding("not-strict", message, project.config, 1, severity=Severity.WARNING)
    else:
        yield from (_finding(context, said, Severity.WARNING) for said in more)


def _finding(context: Context, said: Said, severity: Severity) -> Finding:
    rule = f"TS{said.code}"
    return context.finding(rule, said.message, said.path, said.line, column=said.column, severity=severity)


CHECK = Check(
    id="typescript",
    title="TypeScript's types agree",
    tier=1,
    languages=("typescript",),
    globs=("tsconfig.json", "tsconfig.*.json", "package.json", "*-lock.*", "yarn.lock"),
    tool="tsc",
    toolset="typescript",
    package="typescript",
    optional=True,
    run=run,
    timeout=300,  # the tier's deadline comes first
    why="A value of another type than declared fails far from where it came from, or does not fail and is wrong.",
    advice="Correct the value or the annotation.",
)
