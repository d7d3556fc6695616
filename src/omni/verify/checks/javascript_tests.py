"""The tests of JavaScript and TypeScript, by the runner that `scripts.test` of package.json names, in the sandbox.

Node's own runner, Vitest, Jest and Mocha are asked for a report beside what they print, so that each failure has its
file and line; of any other the exit code counts.

Metrics, of all projects together: `tests.javascript.passed`, `.failed` and `.skipped`; in percent
`coverage.javascript.files`, the share of the product's files that tests load, and of these `coverage.javascript.line`
and `.branch`. Where tests load all of them and no Python is tested beside, `coverage.line` and `coverage.branch`, too.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from omni.kernel.canonical import JsonValue
from omni.sandbox.job import JobResult
from omni.verify import machine
from omni.verify.analysis.changed_lines import changed_lines
from omni.verify.analysis.exit_codes import passed, telling
from omni.verify.analysis.impact import PROSE
from omni.verify.analysis.javascript_reports import Measured, read_lcov
from omni.verify.analysis.javascript_runners import REPORTS, command
from omni.verify.analysis.junit import BadReportError, Case
from omni.verify.analysis.npm import how_to_install, upwards
from omni.verify.analysis.places import BESIDE_THE_PRODUCT, TEST_FILE, within
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.files import File
from omni.verify.languages import language
from omni.verify.outputs.summary import number
from omni.verify.report import Severity, Status
from omni.verify.rules.scan import GENERATED

FAILED = Rule(
    "javascript-tests",
    "failed",
    Severity.ERROR,
    why="The code does not do what the test says it does.",
    fix="Run `npm test` in that folder, and mend the code, or the test if it asks for the wrong thing.",
)
UNCOVERED = Rule(
    "javascript-tests",
    "change-not-tested",
    Severity.WARNING,
    why="Nothing shows that the change works: no test reaches it.",
    fix="Write a test that runs these lines and looks at what they do.",
    cwe="CWE-1053",
)
TEST = re.compile(r"(^|/)(__tests__|tests?)/.*\.[cm]?[jt]sx?$|\.(test|spec)\.[cm]?[jt]sx?$")
UNREAD = frozenset({"python"}) | PROSE
"""Languages of files that tests in JavaScript read only within their own project."""
WRAPPED = "coverage/lcov.info"
"""Beneath the project's folder, where a wrapper such as c8 or nyc writes coverage."""
NEEDS_MORE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|getaddrinfo|^(?:sh|npm|\S*/sh): .*not found|Cannot find (?:module|package) '[^./]",
    re.MULTILINE,
)
"""It lacks something that only a network could bring."""
DOES = re.compile(
    r"^;?(?:export\s+)?(?:default\s+)?(?:async\s+|abstract\s+|const\s+)?(?:function|class|const|let|var|enum)\b"
    r"|^;?export\s+default\b|^;?(?:if|for|while|switch|try|await|new)\b|^;?[(!]|^[\w.$]+(?:\[[^\n]*\])?\s*(?:=(?![=>])|\()",
    re.MULTILINE,
)
"""A statement at the start of a line that is more than a type, an import, or the export of what stands elsewhere."""
FAILING = re.compile(r"fail|✖|\u00d7|\bnot ok\b|Error:", re.IGNORECASE)
TELLING = (
    re.compile(r"^(?:[✖✗\u00d7]|not ok\b)"),
    re.compile(r"(?<![-./\w])(?:fail|error|threshold)", re.IGNORECASE),
)
"""What marks the line that says what went wrong, the surest first; no part of a file's name."""


@dataclass(frozen=True)
class Project:
    folder: str
    """`.` for the target itself."""
    scripts: Mapping[str, str]
    needs: bool
    """It declares dependencies."""
    tests: int
    """Files of tests."""

    @property
    def where(self) -> str:
        return "" if self.folder == "." else f" in {self.folder}"


@dataclass
class Ran:
    """What came of all projects."""

    cases: list[Case] = field(default_factory=list)
    unread: int = 0
    """Files of tests that passed by the exit code alone."""
    measured: dict[str, Measured] = field(default_factory=dict)
    """File of the product → its coverage, of whichever tests."""
    covering: list[str] = field(default_factory=list)
    """Folders of projects whose coverage was measured."""


def run(context: Context) -> Iterator[Item]:
    tests = [file.path for file in context.files if TEST.search(file.path)]
    if not tests:
        yield Gap("there are no tests in JavaScript or TypeScript", Status.SKIPPED)
        return
    ran, projects = Ran(), list(_projects(context, tests))
    for each in projects:
        if isinstance(each, Gap):
            yield each
        elif context.changed is None or any(_affects(path, each.folder) for path in context.changed):
            yield from _try(context, each, ran)
        else:
            yield Gap(f"nothing that changed can affect the tests{each.where}", Status.SKIPPED)
    yield from _counted(ran)
    if any(each.lines for each in ran.measured.values()):
        yield from _coverage(context, ran.measured)
        if context.changed is not None:
            yield from _of_change(context, context.changed, ran.measured)
            if len(ran.covering) == len(projects):
                yield from _not_loaded(context, context.changed, ran)


def _affects(path: str, folder: str) -> bool:
    """Whether a change there may affect the project's tests: they use packages beside it, and what stands above."""
    return within(path, folder) or language(path) not in UNREAD


def _projects(context: Context, tests: Sequence[str]) -> Iterator[Project | Gap]:
    """Folders whose package.json has a script “test”; one within another is left to that."""
    left = set(tests)
    manifests = [file for file in context.files if PurePosixPath(file.path).name == "package.json"]
    unread: dict[str, str] = {}
    for file in sorted(manifests, key=lambda file: (file.path.count("/"), file.path)):
        folder = str(PurePosixPath(file.path).parent)
        inside = {path for path in left if within(path, folder)}
        if not inside:
            continue
        scripts, needs = _declared(context.text(file))
        if scripts is None:
            unread[folder] = f"{file.path} is no JSON"
        elif not scripts.get("test"):
            unread[folder] = f"{file.path} names no script “test”"
        else:
            left -= inside
            yield Project(folder, scripts, needs, len(inside))
    if not manifests:
        yield Gap("there is no package.json that says how the tests are run", Status.SKIPPED)
    for folder, why in reversed(unread.items()):
        if inside := {path for path in left if within(path, folder)}:
            left -= inside
            yield Gap(f"tests of JavaScript in {number(len(inside), 'file')} were not run: {why}")


def _declared(text: str) -> tuple[Mapping[str, str] | None, bool]:
    """(scripts, whether it has dependencies); None when it is no JSON."""
    try:
        manifest: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None, False
    known = manifest if isinstance(manifest, dict) else {}
    scripts = known.get("scripts")
    named = scripts if isinstance(scripts, dict) else {}
    needs = any(known.get(group) for group in ("dependencies", "devDependencies"))
    return {name: each for name, each in named.items() if isinstance(each, str)}, needs


def _try(context: Context, project: Project, ran: Ran) -> Iterator[Item]:
    """Run the tests of one project."""
    not_run = f"tests of JavaScript in {number(project.tests, 'file')}{project.where} were not run"
    if lacking := _lacking(context, project):
        yield Gap(f"{not_run}: {lacking}")
        return
    script, runner = command(project.scripts, lambda package: _has(context, project.folder, package))
    folder = f"/work/{project.folder}".removesuffix("/.")
    fresh = f"rm -rf /work/{REPORTS} {WRAPPED} && mkdir /work/{REPORTS}"  # those of another day may lie there
    argv = ("npm", "exec", "--offline", "-c", f"cd {shlex.quote(folder)} && {fresh} && {script}")
    wrapped = str(PurePosixPath(project.folder, WRAPPED))
    with tempfile.TemporaryDirectory(prefix="omni-javascript-") as into:
        try:
            result = context.run_in_sandbox(
                argv, toolset="path", collect=(f"{REPORTS}/*", wrapped), into=Path(into), CI="true", NO_COLOR="1"
            )
        except Failed as problem:
            yield Gap(f"{not_run}: {problem.why}", problem.status)
            return
        report = Path(into, REPORTS, runner.report) if runner else None
        if runner and report and report.is_file():
            yield from _outcome(context, runner.read, report.read_bytes(), result, ran)
        elif runner and result.exit_code == 0:
            yield Gap(f"{not_run}: their runner left no report")
        else:
            yield from _by_exit_code(project, result, not_run, ran)
        places = (Path(into, REPORTS, "lcov.info"), Path(into, wrapped))
        found = next((path for path in places if path.is_file()), None)
        if found:
            yield from _measure(context, project.folder, found.read_text("utf-8", "replace"), ran)


def _lacking(context: Context, project: Project) -> str:
    """What keeps the tests from being run; empty when nothing is known to."""
    if machine.find("npm") is None:
        return f"npm is not on PATH. {machine.how_to_get('npm')}".strip()
    if project.needs and not any((context.root / place / "node_modules").is_dir() for place in upwards(project.folder)):
        install = how_to_install(context.inventory.by_path, project.folder)
        return f"its dependencies are not installed. Type there: {install}"
    return ""


def _has(context: Context, folder: str, package: str) -> bool:
    places = (context.root / place / "node_modules" for place in upwards(folder))
    return any(next(place.glob(package), None) is not None for place in places)


def _outcome(
    context: Context, read: Callable[[bytes], list[Case]], data: bytes, result: JobResult, ran: Ran
) -> Iterator[Item]:
    try:
        cases = read(data)
    except BadReportError as problem:
        yield Gap(f"the report of the tests of JavaScript can't be believed: {problem}")
        return
    ran.cases += cases
    failed = [case for case in cases if case.outcome == "failed"]
    for case in failed:
        file = context.inventory.by_path.get(case.path)
        snippet = "" if file and not file.problem else case.name
        yield FAILED.at(case.path if file else "", case.line, f"`{case.name}`: {case.message}", snippet=snippet)
    if result.exit_code != 0 and not failed:
        ended = result.ended if result.exit_code is None else f"with {result.exit_code}"
        yield Gap(f"the tests of JavaScript ended {ended}, though no test failed: {telling(result, TELLING)}")
    elif not any(case.outcome != "skipped" for case in cases):
        yield Gap("every test of JavaScript was skipped" if cases else "no test of JavaScript was found by its runner")


def _by_exit_code(project: Project, result: JobResult, not_run: str, ran: Ran) -> Iterator[Item]:
    well = passed(result, NEEDS_MORE, FAILING)
    if well:
        ran.unread += project.tests
    elif well is None:
        yield Gap(f"{not_run}: {telling(result, TELLING)}")
    else:
        manifest = str(PurePosixPath(project.folder, "package.json"))
        message = f"`npm test`{project.where} ended with {result.exit_code}: {telling(result, TELLING)}"
        yield FAILED.at(manifest, 1, message)


def _measure(context: Context, folder: str, text: str, ran: Ran) -> Iterator[Item]:
    """Of the product's files: what a runner says of the tests themselves is left out."""
    try:
        measured = read_lcov(text)
    except BadReportError as problem:
        yield Gap(f"the coverage of JavaScript can't be believed: {problem}")
        return
    ran.covering.append(folder)
    for name, each in measured.items():
        if path := _named(context, folder, name):
            ran.measured.setdefault(path, Measured()).add(each)


def _named(context: Context, folder: str, name: str) -> str:
    """As in the inventory; empty for tests, and for what is not of the project."""
    path = posixpath.normpath(posixpath.join("/work", folder, name)).removeprefix("/work/")
    return path if path in context.inventory.by_path and not TEST.search(path) else ""


def _counted(ran: Ran) -> Iterator[Metric]:
    if ran.cases:
        for outcome in ("passed", "failed", "skipped"):
            yield Metric(f"tests.javascript.{outcome}", sum(case.outcome == outcome for case in ran.cases))
    if ran.unread:
        yield Metric("tests.javascript.files", ran.unread)


def _coverage(context: Context, measured: Mapping[str, Measured]) -> Iterator[Item]:
    """Of the files that tests load. For gates it is the whole's, once every file that could be loaded was."""
    covered = {
        "line": [count for each in measured.values() for count in each.lines.values()],
        "branch": [count for each in measured.values() for count in each.branches.values()],
    }
    product = [file.path for file in context.files if _is_product(context, file)]
    loaded = sum(path in measured for path in product)
    if product:
        yield Metric("coverage.javascript.files", round(100 * loaded / len(product), 2))
    alone = not any(TEST_FILE.search(path) for path in context.inventory.by_path)
    for name, counts in covered.items():
        if counts:
            value = round(100 * sum(count > 0 for count in counts) / len(counts), 2)
            yield Metric(f"coverage.javascript.{name}", value)
            if alone and loaded == len(product):
                yield Metric(f"coverage.{name}", value)


def _is_product(context: Context, file: File) -> bool:
    """Whether it is a script of the product that does something when it is loaded: not types alone."""
    path = file.path
    if file.language not in {"javascript", "typescript"} or TEST.search(path) or path.startswith("."):
        return False
    if BESIDE_THE_PRODUCT.search(path) or GENERATED.search(path):
        return False
    return bool(context.fact("javascript.does", file, lambda: bool(DOES.search(context.text(file)))))


def _of_change(context: Context, changed: frozenset[str], measured: Mapping[str, Measured]) -> Iterator[Item]:
    """How much of what changed ran in a test, and the lines that did not."""
    known = missed = 0
    for path in sorted(changed & measured.keys()):
        counted = measured[path].lines
        lines = sorted(changed_lines(context, path) & counted.keys())
        never = [line for line in lines if not counted[line]]
        known += len(lines)
        missed += len(never)
        if never:
            shown = ", ".join(map(str, never[:10])) + (" …" if len(never) > 10 else "")
            message = f"no test runs {len(never)} of the {len(lines)} lines that changed: {shown}"
            yield UNCOVERED.at(path, never[0], message)
    if known:
        # What the lines are compared with is no part of what a cached result is known by.
        yield Metric("coverage.javascript.changed", round(100 * (known - missed) / known, 2), volatile=True)


def _not_loaded(context: Context, changed: frozenset[str], ran: Ran) -> Iterator[Item]:
    """Files that changed, of which no coverage speaks."""
    for path in sorted(changed - ran.measured.keys()):
        file = context.inventory.by_path.get(path)
        here = any(within(path, folder) for folder in ran.covering)
        if file and not file.problem and here and _is_product(context, file):
            message = "no test loads this file, or its coverage is not measured"
            yield UNCOVERED.at(path, 1, message)


CHECK = Check(
    id="javascript-tests",
    title="The tests of JavaScript and TypeScript pass",
    tier=2,
    languages=("javascript", "typescript"),
    globs=("**",),
    run=run,
    narrows=True,
    weight=2,
    timeout=300,
)
