"""JavaScript and TypeScript that nothing uses: what knip suspects, unless it is named anywhere else in the project.

Knip follows the imports from each entry that package.json, and the configuration of the tools named there, declare. It
loads that configuration, which may be a program, so it runs in the sandbox. What it can't know of (a name in a
template, a script that a Makefile starts) is named in some text: a name in a text counts as a use, as in `dead-code`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from pydantic import Field, TypeAdapter, ValidationError

from omni.verify.analysis.adoption import table
from omni.verify.analysis.npm import how_to_install, workspaces
from omni.verify.analysis.places import BESIDE_THE_PRODUCT, within
from omni.verify.analysis.rule import Rule, line_of, line_with
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.checks.dead_code import texts
from omni.verify.checks.javascript_tests import TEST
from omni.verify.files import matches
from omni.verify.languages import language
from omni.verify.report import Finding, Model, Severity, Status
from omni.verify.rules.scan import GENERATED

WHY = "It is read, kept working and updated, and does nothing for anybody."
UNUSED = Rule(
    "dead-code-javascript",
    "unused-export",
    Severity.WARNING,
    why=WHY,
    fix="Delete it; the history keeps it.",
    cwe="CWE-561",
)
FILE = Rule(
    "dead-code-javascript",
    "unused-file",
    Severity.WARNING,
    why=WHY,
    fix="Delete it; the history keeps it. If it is started from outside, name it as an entry in knip.json.",
    cwe="CWE-561",
)
PACKAGE = Rule(
    "dead-code-javascript",
    "unused-dependency",
    Severity.WARNING,
    why="It is installed wherever the program is, with all that it needs, and each of them may have a weakness.",
    fix="Take it out: npm uninstall",
    cwe="CWE-1104",
)
ARGV = ("--reporter", "json", "--no-progress", "--no-config-hints", "--include", "files,dependencies,exports,types")
NOT_LOADED = re.compile(r"^ERROR: Error loading (?P<path>\S+) \((?P<why>.+)\)$", re.MULTILINE)
PATH = re.compile(r"[\w@$+./\[\]-]+")
"""What may be a path, or the name of a script, in any text: with a slash in it, or an ending of scripts."""
ENDING = re.compile(r"\.[cm]?[jt]sx?$")
FOLLOWED = re.compile(r"\b(?:from|import|require)\s*\(?\s*[\"']\.{1,2}/[^\"'\n]*[\"']")
"""An import from a file of the project: knip knows where it leads."""
DEFAULT = re.compile(r"\bdefault\s+(?:async\s+)?(?:abstract\s+)?(?:function\b\s*\*?|class\b)\s*(?P<name>[\w$]+)")
SCRIPT = ("javascript", "typescript")
PROSE = frozenset({"markdown", "rst", "text"})
MOST = 20
"""Projects of one repository that are looked at."""
FEW = 4
"""Of so few files more than half may be unused; of more, it was not seen where the program starts."""


class Named(Model, extra="ignore"):
    name: str
    line: int | None = Field(default=None, ge=1)


class Issue(Model, extra="ignore"):
    """Of one file. https://knip.dev/features/reporters#json"""

    file: str
    files: tuple[Named, ...] = ()
    dependencies: tuple[Named, ...] = ()
    exports: tuple[Named, ...] = ()
    types: tuple[Named, ...] = ()

    @property
    def exported(self) -> Iterator[tuple[str, Named]]:
        return ((kind, each) for kind, all_of in (("", self.exports), ("type ", self.types)) for each in all_of)


REPORT: TypeAdapter[tuple[Issue, ...]] = TypeAdapter(tuple[Issue, ...])


@dataclass(frozen=True)
class Suspicion:
    """What knip suspects in the whole repository, weighed against all that its texts name."""

    context: Context
    issues: tuple[Issue, ...]
    doubtful: frozenset[str] = frozenset()
    """Files of projects whose configuration could not be loaded: it may name further entries."""

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        return {path: text for path, text in texts(self.context) if language(path) != "lock"}

    @cached_property
    def unused(self) -> frozenset[str]:
        """The suspected files whose path no text names, but for the texts of others that are unused."""
        dead = {issue.file for issue in self.issues if issue.files and _of_product(self.context, issue.file)}
        named = {path: _named(text if path in dead else self._unfollowed(path)) for path, text in self._texts.items()}
        while alive := {path for path in dead if any(_stem(path) in named[by] for by in named.keys() - dead)}:
            dead -= alive
        return frozenset(dead)

    def _unfollowed(self, path: str) -> str:
        """The text, without the imports that knip has followed; that it knew of a test is not sure."""
        text = self._texts[path]
        return FOLLOWED.sub("", text) if _of_product(self.context, path) else text

    @cached_property
    def _words(self) -> Counter[str]:
        used = (text for path, text in self._texts.items() if path not in self.unused)
        return Counter(word for text in used for word in re.findall(r"[\w$]+", text))

    @cached_property
    def _reported(self) -> Counter[str]:
        """In how many places a name is exported in vain: where it is defined, and where it is passed on."""
        live = (issue for issue in self.issues if issue.file not in self.unused)
        return Counter(self._name(issue.file, each) for issue in live for _, each in issue.exported)

    def _name(self, path: str, each: Named) -> str:
        """Empty of a default that has none."""
        if each.name != "default":
            return each.name
        found = DEFAULT.search(line_of(self._texts.get(path, ""), each.line))
        return found["name"] if found else ""

    def findings(self) -> Iterator[Finding]:
        for path in sorted(self.unused):
            finding = FILE.at(path, 1, "nothing imports it, no tool or script starts it, and no text names it")
            yield finding.model_copy(update={"severity": Severity.NOTE}) if path in self.doubtful else finding
        for issue in self.issues:
            if issue.file in self.unused or not _of_product(self.context, issue.file):
                continue
            for kind, each in issue.exported:
                name = self._name(issue.file, each)
                if name and self._words[name] <= self._reported[name]:
                    message = f"{kind}`{name}` is exported, and no code and no text has its name"
                    yield UNUSED.at(issue.file, each.line, message)
        for issue in self.issues:
            text = self._texts.get(issue.file, "")
            for each in issue.dependencies:
                if not each.name.startswith("@types/") and not self._names_package(each.name):
                    message = f"no code imports {each.name}, and no configuration names it"
                    line, fix = line_with(text, f'"{each.name}"'), f"{PACKAGE.fix} {each.name}"
                    yield PACKAGE.at(issue.file, line, message, fix=fix)

    def _names_package(self, name: str) -> bool:
        return any(
            name in text
            for path, text in self._texts.items()
            if path not in self.unused and PurePosixPath(path).name != "package.json" and language(path) not in PROSE
        )


def run(context: Context) -> Iterator[Item]:
    projects = _projects(context)
    if not projects:
        yield Gap("there is no package.json that says where the program starts", Status.SKIPPED)
        return
    if len(projects) > MOST:
        yield Gap(f"{len(projects) - MOST} further projects were not looked at")
    issues: list[Issue] = []
    doubtful: set[str] = set()
    for folder in projects[:MOST]:
        report, not_loaded = _asked(context, folder)
        own = [each for each in report if _owner(each.file, projects) == folder]
        issues += own
        doubtful.update(each.file for each in own if not_loaded)
        yield from not_loaded
    suspicion = Suspicion(context, tuple(issues), frozenset(doubtful))
    product = [file.path for file in context.files if file.language in SCRIPT and _of_product(context, file.path)]
    if len(product) > FEW and len(suspicion.unused) > len(product) / 2:
        yield Gap(
            f"from the entries that package.json names no way leads to {len(suspicion.unused)} of {len(product)} files."
            " Name yours in knip.json: https://knip.dev/reference/configuration#entry"
        )
        return
    found = list(suspicion.findings())
    yield from found
    yield Metric("dead_code.javascript.unused", len(found))


def _projects(context: Context) -> list[str]:
    """Folders with a package.json, the outermost first; a member of a workspace belongs to that."""
    folders = sorted(
        (str(file.parent) for each in context.files if (file := PurePosixPath(each.path)).name == "package.json"),
        key=lambda folder: (folder != ".", folder.count("/"), folder),
    )
    found: list[str] = []
    for folder in folders:
        if not any(_is_member(context, folder, outer) for outer in found):
            found.append(folder)
    return found


def _is_member(context: Context, folder: str, outer: str) -> bool:
    """Whether the workspace of the outer folder names the inner one."""
    if not within(folder, outer):
        return False
    files = context.inventory.by_path
    texts = (
        context.text(file) if (file := files.get(str(PurePosixPath(outer, name)))) and not file.problem else ""
        for name in ("package.json", "pnpm-workspace.yaml")
    )
    globs = workspaces(*texts)
    path = f"./{PurePosixPath(folder).relative_to(outer)}"
    taken_out = matches(path, (f"./{glob[1:]}" for glob in globs if glob.startswith("!")))
    return matches(path, (f"./{glob}" for glob in globs)) and not taken_out


def _owner(path: str, projects: list[str]) -> str:
    """The innermost project that the file lies in."""
    return max((folder for folder in projects if within(path, folder)), key=len, default="")


def _asked(context: Context, folder: str) -> tuple[list[Issue], list[Gap]]:
    """What knip says of a project, paths relative to the target, and which configuration it could not load."""
    done = context.run_in_sandbox(("knip", *ARGV, "--directory", f"/work/{folder}"), toolset=context.check.toolset)
    if done.exit_code not in (0, 1, 2) or done.truncated:
        raise Failed(f"knip ended with {done.exit_code}: {' '.join(done.stderr.split())[-300:] or done.ended}")
    try:
        report = REPORT.validate_python(table(json.loads(done.stdout)).get("issues"))
    except (ValueError, RecursionError, ValidationError) as problem:
        said = " ".join(done.stderr.split())[:300].replace("/work/", "")
        raise Failed(f"knip could not look at it: {said or 'it printed no report'}", Status.INCOMPLETE) from problem
    gaps = [_not_loaded(context, folder, each["path"], each["why"]) for each in NOT_LOADED.finditer(done.stderr)]
    if done.exit_code == 2 and not gaps:
        raise Failed(f"knip ended with 2: {' '.join(done.stderr.split())[:300]}", Status.INCOMPLETE)
    return [each.model_copy(update={"file": str(PurePosixPath(folder, each.file))}) for each in report], gaps


def _not_loaded(context: Context, folder: str, path: str, why: str) -> Gap:
    advice = f". Type: {how_to_install(context.inventory.by_path, folder)}" if why.startswith("Cannot find") else ""
    return Gap(f"knip could not load {PurePosixPath(folder, path)} ({why[:200]}){advice}")


def _of_product(context: Context, path: str) -> bool:
    """A script that is neither a test, nor a configuration, nor made by a program, nor out of the analysis."""
    if path not in context.inventory.by_path or language(path) not in SCRIPT:
        return False
    return not (TEST.search(path) or BESIDE_THE_PRODUCT.search(path) or GENERATED.search(path))


def _named(text: str) -> set[str]:
    """What the text calls files by, as `_stem` does."""
    return {_stem(each) for each in PATH.findall(text) if "/" in each or ENDING.search(each)}


def _stem(path: str) -> str:
    """What an import would call the file: without its ending, and a folder for its index."""
    place = PurePosixPath(path)
    name = ENDING.sub("", place.name)
    return place.parent.name if name == "index" and place.parent.name else name


CHECK = Check(
    id="dead-code-javascript",
    title="No JavaScript or TypeScript is there that nothing uses",
    tier=4,
    languages=("javascript", "typescript", "vue", "svelte"),
    globs=("package.json",),
    config=("*",),
    tool="knip",
    toolset="knip",
    optional=True,
    run=run,
    timeout=300,
)
