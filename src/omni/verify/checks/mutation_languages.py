"""Mutation testing of JavaScript and TypeScript by Stryker, of Rust by cargo-mutants, where the project has them.

Stryker has to be declared in package.json and installed, since it works with the project's own test runner;
cargo-mutants has to be on PATH. Both run the project's code, so they run in the sandbox.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

from omni.verify import machine
from omni.verify.analysis.manifests import BadManifestError, npm_dependencies
from omni.verify.analysis.npm import how_to_install
from omni.verify.check import Check, Context, Gap, Item, Metric
from omni.verify.checks.mutation import LEAST, SCORE, SURVIVED, UNCOVERED
from omni.verify.report import Finding, Status

STRYKER = "@stryker-mutator/core"
REPORT = "reports/mutation/mutation.json"
OUTCOMES = "mutants.out/outcomes.json"
NOTICED = {"Killed": 1, "Timeout": 1, "Survived": 0, "NoCoverage": 0, "CaughtMutant": 1, "MissedMutant": 0}
"""Whether a mutant of that status was noticed; others don't count, since they don't compile or were left out."""


def javascript(context: Context) -> Iterator[Item]:
    """Report: https://github.com/stryker-mutator/mutation-testing-elements, mutation-testing-report-schema 1 and 2."""
    manifest = context.inventory.by_path.get("package.json")
    text = "{}" if manifest is None or manifest.problem else context.text(manifest)
    try:
        declared = npm_dependencies("package.json", text)
    except BadManifestError as problem:
        yield Gap(f"package.json can't be read: {problem}")
        return
    if STRYKER not in {each.name for each in declared}:
        yield Gap(f"package.json does not declare {STRYKER}", Status.SKIPPED)
        return
    program = f"node_modules/{STRYKER}/bin/stryker.js"
    if machine.find("node") is None or not (context.root / program).is_file():
        yield Gap(f"Stryker is declared and not installed. Type: {how_to_install(context.inventory.by_path)}")
        return
    written = yield from _run(context, ("node", program, "run", "--reporters", "json", "--force"), REPORT)
    report = json.loads(written) if written else {}
    outcomes: list[tuple[str, str, int]] = []
    for path, about in report.get("files", {}).items():
        for mutant in about["mutants"]:
            line = mutant["location"]["start"]["line"]
            outcomes.append((path, mutant["status"], line))
            what = f"{mutant['mutatorName']}: with `{' '.join(str(mutant.get('replacement', '')).split())[:100]}` here"
            yield from _finding(context, path, line, mutant["status"], what)
    if written and not outcomes:
        yield Gap("Stryker found nothing to change; say in its configuration what to `mutate`")
    yield from _score(context, "javascript", outcomes)


def rust(context: Context) -> Iterator[Item]:
    """`outcomes.json` of cargo-mutants: https://mutants.rs/mutants-out.html."""
    missing = [name for name in ("cargo", "cargo-mutants") if machine.find(name) is None]
    if missing:
        yield Gap(f"{missing[0]} is not on PATH. {machine.how_to_get(missing[0])}".strip(), Status.SKIPPED)
        return
    argv = ("cargo", "mutants", "--offline", "--no-times", "--in-place", "--output", ".")
    written = yield from _run(context, argv, OUTCOMES)
    outcomes: list[tuple[str, str, int]] = []
    for outcome in json.loads(written)["outcomes"] if written else ():
        scenario = outcome["scenario"]
        if isinstance(scenario, dict):
            mutant = scenario["Mutant"]
            line = mutant["span"]["start"]["line"]
            outcomes.append((mutant["file"], outcome["summary"], line))
            yield from _finding(context, mutant["file"], line, outcome["summary"], f"`{mutant['name']}`")
    if written and not outcomes:
        yield Gap("cargo-mutants found nothing to change")
    yield from _score(context, "rust", outcomes)


def _run(context: Context, argv: tuple[str, ...], report: str) -> Generator[Item, None, str]:
    """Yields what went wrong, returns the report."""
    with tempfile.TemporaryDirectory(prefix="omni-mutation-") as folder:
        result = context.run_in_sandbox(argv, toolset="path", collect=(report,), into=Path(folder))
        written = Path(folder, report)
        if written.is_file():
            return written.read_text("utf-8")
    said = " / ".join(line.strip() for line in (result.stdout + result.stderr).splitlines()[-6:] if line.strip())
    yield Gap(f"{argv[0]} left no report of its mutants: {said[:400] or result.ended}")
    return ""


def _finding(context: Context, path: str, line: int, status: str, what: str) -> Iterator[Finding]:
    if status in {"Survived", "MissedMutant"}:
        yield _own(context, SURVIVED.at(path, line, f"{what} all tests stay green"))
    elif status == "NoCoverage":
        yield _own(context, UNCOVERED.at(path, line, f"no test runs this line: {what}"))


def _own(context: Context, finding: Finding) -> Finding:
    return finding.model_copy(update={"check": context.check.id})


def _score(context: Context, language: str, outcomes: list[tuple[str, str, int]]) -> Iterator[Item]:
    judged = [(path, NOTICED[status]) for path, status, _ in outcomes if status in NOTICED]
    if not judged:
        return
    score = round(100 * sum(noticed for _, noticed in judged) / len(judged), 2)
    yield Metric(f"mutation.score.{language}", score)
    if score < LEAST:
        path, count = Counter(path for path, noticed in judged if not noticed).most_common(1)[0]
        message = f"the tests notice {score:g} % of {len(judged)} changes, and not {LEAST:g} %; {count} missed here"
        yield _own(context, SCORE.at(path, 1, message))


CHECKS = (
    Check(
        id="mutation-javascript",
        title="The tests notice when JavaScript or TypeScript is wrong",
        tier=4,
        languages=("javascript", "typescript"),
        globs=("package.json",),
        run=javascript,
        weight=64,
        timeout=7200,
    ),
    Check(
        id="mutation-rust",
        title="The tests notice when Rust is wrong",
        tier=4,
        languages=("rust",),
        globs=("Cargo.toml",),
        run=rust,
        weight=64,
        timeout=7200,
    ),
)
