"""Tests of Go, Rust and Java: they are run where their tools and dependencies are at hand, and never taken as passed.

The project's own command is run in the sandbox, without a network. What it can't do without one (a dependency that was
never downloaded) is `incomplete`, with what to type.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from omni.verify import machine
from omni.verify.analysis.exit_codes import passed, telling
from omni.verify.analysis.places import within
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.files import File
from omni.verify.outputs.summary import number
from omni.verify.report import Severity, Status

FAILED = Rule(
    "language-tests",
    "failed",
    Severity.ERROR,
    why="The code does not do what its tests say it does.",
    fix="Run the same command in that folder, and mend the code, or the test if it asks for the wrong thing.",
)


@dataclass(frozen=True)
class Runner:
    """How the tests of a language are found and run."""

    title: str
    manifest: str
    """The file that makes a folder a project."""
    path: re.Pattern[str]
    """Files of tests, by their path …"""
    content: re.Pattern[str] | None
    """… and by what stands in them, if their names don't say it."""
    argv: tuple[str, ...]
    elsewhere: tuple[str, ...]
    """Arguments after the first two, for a project that is not at the root; `{folder}` is its folder in the sandbox."""
    failing: re.Pattern[str]
    """What it prints when a test, or the code, fails; a command that ends badly without it did not get that far."""
    dependencies: str
    """What to type, so that it needs no network."""
    nested: bool
    """A project within another is run with that one."""


RUNNERS = (
    Runner(
        "Go",
        "go.mod",
        re.compile(r"_test\.go$"),
        None,
        ("go", "test", "./..."),
        ("-C", "{folder}"),  # since Go 1.20
        re.compile(r"^(--- )?FAIL\b", re.MULTILINE),
        "go mod download",
        nested=False,
    ),
    Runner(
        "Rust",
        "Cargo.toml",
        re.compile(r"\.rs$"),
        re.compile(r"^\s*#\[(\w+::)?test\b", re.MULTILINE),
        ("cargo", "test", "--offline", "--quiet"),
        ("--manifest-path", "{folder}/Cargo.toml"),
        re.compile(r"test result: FAILED|^error(\[E\d+\])?: (?!no matching)", re.MULTILINE),
        "cargo fetch",
        nested=True,
    ),
    Runner(
        "Java",
        "pom.xml",
        re.compile(r"(^|/)src/test/.*\.(java|kt)$"),
        None,
        ("mvn", "--offline", "--quiet", "test"),
        ("--file", "{folder}/pom.xml"),
        re.compile(r"Tests run:.*(Failures|Errors): [1-9]|COMPILATION ERROR"),
        "mvn dependency:go-offline",
        nested=True,
    ),
)

NEEDS_MORE = re.compile(
    r"dial tcp|temporary failure in name resolution|no matching package named"
    r"|failed to download|could not (?:resolve dependencies|find artifact)"
    r"|module lookup disabled by GOPROXY|mkdir \S+: (?:read-only file system|permission denied)"
    r"|go\.mod requires go >=|flag provided but not defined: -C",
    re.IGNORECASE | re.MULTILINE,
)
"""A command that says one of these lacks something that only a network could bring."""
TELLING = (
    re.compile(r"module lookup disabled|requires go >=|not defined: -C"),
    re.compile(r"^\S+\.go:\d+:"),
    re.compile(r"\b(fail|error|panicked)", re.IGNORECASE),
)
"""What marks the line that says what went wrong, the surest first."""


def run(context: Context) -> Iterator[Item]:
    projects = [(runner, folder, tests) for runner in RUNNERS for folder, tests in _projects(context, runner).items()]
    if not projects:
        yield Gap("there are no tests in Go, Rust or Java", Status.SKIPPED)
    for runner, folder, tests in projects:
        yield from _try(context, runner, folder, tests)


def _projects(context: Context, runner: Runner) -> Mapping[str, int]:
    """Folder of a project → how many files of tests it runs."""
    manifests = (file for file in context.files if PurePosixPath(file.path).name == runner.manifest)
    folders: list[str] = []
    for path in sorted((str(PurePosixPath(file.path).parent) for file in manifests), key=len):
        if not runner.nested or not any(within(path, outer) for outer in folders):
            folders.append(path)
    tests = [file.path for file in context.files if _is_test(context, runner, file)]
    owners = Counter(
        max(inside, key=len) for path in tests if (inside := [each for each in folders if within(path, each)])
    )
    return {folder: owners[folder] for folder in folders if folder in owners}


def _is_test(context: Context, runner: Runner, file: File) -> bool:
    if not runner.path.search(file.path):
        return False
    content = runner.content
    return content is None or bool(
        context.fact(f"tests.{runner.title}", file, lambda: bool(content.search(context.text(file))))
    )


def _try(context: Context, runner: Runner, folder: str, tests: int) -> Iterator[Item]:
    """Run the tests of one project."""
    where = "" if folder == "." else f" in {folder}"
    not_run = f"tests of {runner.title} in {number(tests, 'file')}{where} were not run"
    program = runner.argv[0]
    if machine.find(program) is None:
        yield Gap(f"{not_run}: {program} is not on PATH. {machine.how_to_get(program)}".strip())
        return
    argv = _command(runner, folder, f"/work/{folder}")
    try:
        result = context.run_in_sandbox(argv, toolset="path")
    except Failed as problem:
        yield Gap(f"{not_run}: {problem.why}", problem.status)
        return
    well, said = passed(result, NEEDS_MORE, runner.failing), telling(result, TELLING)
    if well:
        yield Metric(f"tests.files.{runner.title.lower()}", tests)
    elif well is None:
        yield Gap(f"{not_run}: {said}. Type there: {runner.dependencies}")
    else:
        manifest = runner.manifest if folder == "." else f"{folder}/{runner.manifest}"
        command = " ".join(_command(runner, folder, folder))
        yield FAILED.at(manifest, 1, f"`{command}` ended with {result.exit_code}: {said}")


def _command(runner: Runner, folder: str, place: str) -> tuple[str, ...]:
    """The project's command; `place` is what its folder is called where it runs."""
    elsewhere = () if folder == "." else tuple(each.format(folder=place) for each in runner.elsewhere)
    return (*runner.argv[:2], *elsewhere, *runner.argv[2:])


CHECK = Check(
    id="language-tests",
    title="The tests of other languages pass",
    tier=2,
    languages=("go", "rust", "java", "kotlin"),
    globs=("go.mod", "Cargo.toml", "pom.xml", "Cargo.lock", "go.sum"),
    run=run,
    weight=2,
    timeout=300,
)
