"""Mutation testing of Python: the code is changed a little, and a test has to fail. The engine is in `mutation/`.

Score: mutants that a test noticed (it failed, hung or crashed), of all; one that no test even runs counts as missed.
Metrics: `mutation.score` in percent, `mutation.noticed`, `mutation.survived`, `mutation.uncovered`, `mutation.untried`.
Of a sample there is no score: the result is incomplete, and says between which bounds that of all mutants lies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from omni.verify import repository
from omni.verify.analysis.changed_lines import lines_not_in
from omni.verify.analysis.packages import installed
from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.rule import Rule, line_of
from omni.verify.check import Check, Context, Gap, Item, Metric, Unseen
from omni.verify.checks.tests import NOT_THE_PROGRAM
from omni.verify.files import File, matches
from omni.verify.mutation.campaign import Campaign, Tried
from omni.verify.mutation.mutants import Mutant, apply, mutants
from omni.verify.mutation.outcomes import Outcomes
from omni.verify.mutation.sample import draw, estimate
from omni.verify.outputs.summary import number
from omni.verify.report import Severity, Status

LEAST = 80.0
"""Percent that have to be noticed."""
MISSED = frozenset({"survived", "uncovered"})

SURVIVED = Rule(
    "mutation",
    "survived",
    Severity.WARNING,
    why="The tests run this line and would not notice if it did something else.",
    fix="Add an assertion that fails with this change, or mark the line `# pragma: no mutate` if nothing can differ.",
)
UNCOVERED = Rule(
    "mutation",
    "uncovered",
    Severity.WARNING,
    why="No test runs this code, so nothing would notice if it did something else.",
    fix="Add a test that calls it and asserts what comes back.",
)
SCORE = Rule(
    "mutation",
    "score",
    Severity.ERROR,
    why="Tests that stay green when the code is wrong prove nothing.",
    fix="Mend the surviving mutants named beside this, those of this file first.",
)


def run(context: Context) -> Iterator[Item]:
    chosen = [file for file in context.files if is_mutated(context, file)]
    tests = [file for file in context.files if file.language == "python" and TEST_FILE.search(file.path)]
    if not chosen or not tests:
        yield Gap("there is no Python with tests", Status.SKIPPED)
        return
    if missing := _missing(context):
        yield Gap(missing)
        return
    made, unseen = _all_mutants(context, chosen)
    yield from unseen
    if not made:
        what = "nothing that changed" if context.changed is not None else "nothing"
        yield Gap(f"{what} can be mutated", Status.SKIPPED)
        return
    options = context.project.mutation
    drawn = draw(made, options.sample, options.seed)
    with Outcomes(context.cache) as outcomes:
        campaign = Campaign(context, options.tests, options.options, outcomes)
        recording = campaign.record(sorted({mutant.path for mutant in drawn}))
        for said in recording["problems"][:1]:
            yield Gap(f"{number(len(recording['problems']), 'file')} of tests could not be collected: {said}")
        for test, said in list(recording["failed"].items())[:1]:
            count = len(recording["failed"])
            yield Gap(f"{count} tests fail before anything is changed, so they were left out: {test}: {said}")
        tried, untried = campaign.run(drawn)
    if untried:
        yield Gap(f"there was no time to try {untried} of {len(drawn)} mutants; run it again, what is known is kept")
    elif len(drawn) < len(made):
        yield Gap(estimate(sum(each.outcome not in MISSED for each in tried), len(tried), len(made)))
    yield from _findings(context, tried)
    yield from _numbers(tried, untried + len(made) - len(drawn))


def is_mutated(context: Context, file: File) -> bool:
    """Whether it is part of the program, or of what the project names."""
    if file.language != "python" or not file.path.endswith(".py") or TEST_FILE.search(file.path):
        return False
    if NOT_THE_PROGRAM.search(file.path) or matches(file.path, ("tests/**", "test/**", "benchmarks/**", "fuzz/**")):
        return False
    return not context.project.mutation.paths or matches(file.path, context.project.mutation.paths)


def _missing(context: Context) -> str:
    if context.environment is None:
        return "the tests can't be run: there is no virtual environment with the project's dependencies"
    packages = installed(context.environment)
    absent = [name for name in ("pytest", "coverage") if name not in packages]
    pip = f"{context.environment}/bin/pip install {' '.join(absent)}"
    return f"{' and '.join(absent)} missing in the project's environment. Type: {pip}" if absent else ""


def _all_mutants(context: Context, files: Sequence[File]) -> tuple[list[Mutant], list[Unseen]]:
    """Of all lines; of the changed ones only, when the run is about a change."""
    made: list[Mutant] = []
    unseen: list[Unseen] = []
    base = repository.commit(context.root, context.base or "HEAD") if context.changed is not None else ""
    for file in files:
        tree = context.parse_python(file)
        if isinstance(tree, Unseen):
            unseen.append(tree)
            continue
        text = context.text(file)
        changed = lines_not_in(repository.text_at(context.root, base, file.path), text) if base else None
        made += (each for each in mutants(file.path, text) if changed is None or each.line in changed)
    return made, unseen


def _findings(context: Context, tried: Iterable[Tried]) -> Iterator[Item]:
    uncovered: dict[tuple[str, str], list[Tried]] = defaultdict(list)
    for each in sorted(tried, key=lambda each: (each.mutant.path, each.mutant.start, each.mutant.replacement)):
        if each.outcome == "uncovered":
            uncovered[each.mutant.path, each.mutant.function].append(each)
        elif each.outcome == "survived":
            yield _survivor(context, each)
    for (path, function), missed in uncovered.items():
        first = missed[0].mutant
        what = f"`{function}`" if function else "this module"
        yield UNCOVERED.at(
            path, first.line, f"no test runs these lines of {what}: {len(missed)} mutants were not tried"
        )


def _survivor(context: Context, tried: Tried) -> Item:
    mutant = tried.mutant
    text = context.text(context.inventory.by_path[mutant.path])
    before, after = line_of(text, mutant.line), line_of(apply(text, mutant), mutant.line)
    shown = ", ".join(tried.tests[:3]) + (f" and {len(tried.tests) - 3} more" if len(tried.tests) > 3 else "")
    message = f"{mutant.operator}: with `{after or '(nothing)'}` in place of `{before}` these tests stay green: {shown}"
    return SURVIVED.at(mutant.path, mutant.line, message, snippet=f"{before} → {after}")


def _numbers(tried: Sequence[Tried], untried: int) -> Iterator[Item]:
    counts = Counter(each.outcome for each in tried)
    missed = Counter(each.mutant.path for each in tried if each.outcome in MISSED)
    noticed = len(tried) - counts["survived"] - counts["uncovered"]
    yield Metric("mutation.noticed", noticed)
    yield Metric("mutation.survived", counts["survived"])
    yield Metric("mutation.uncovered", counts["uncovered"])
    yield Metric("mutation.untried", untried)
    if tried and not untried:
        score = round(100 * noticed / len(tried), 2)
        yield Metric("mutation.score", score)
        if score < LEAST:
            path, count = missed.most_common(1)[0]
            message = f"the tests notice {score:g} % of {len(tried)} changes, and not {LEAST:g} %; {count} missed here"
            yield SCORE.at(path, 1, message)


CHECK = Check(
    id="mutation",
    title="The tests notice when the code is wrong",
    tier=4,
    languages=("python",),
    globs=("**/conftest.py", "pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini"),
    run=run,
    narrows=True,
    weight=64,
    timeout=14400,
)
