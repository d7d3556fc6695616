"""No critical path became slower: the declared benchmarks, on the commit before the change and on the work tree.

Runs when `omni.toml` declares `[[verify.benchmarks]]`. More than 5 % slower with confidence blocks; what noise can
explain does not; what can't be told in the time that was given is incomplete, with what it would take (see
deep/statistics.py).
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from omni.kernel.errors import OmniError
from omni.verify.analysis.rule import Rule, line_of, line_with
from omni.verify.check import Check, Context, Failed, Gap, Item, Metric
from omni.verify.deep.base import Base, find_base
from omni.verify.deep.declared import Benchmark
from omni.verify.deep.race import BaseFailed, Race, is_critical, lay_out
from omni.verify.deep.statistics import Comparison
from omni.verify.report import Severity, Status

SLOWER = Rule(
    "benchmarks",
    "slower",
    Severity.ERROR,
    why="A path that the project calls critical takes longer than before this change, and that is not noise.",
    fix="Profile the benchmark, mend what the change made slow, or waive it with the reason why it is worth it.",
)
PROGRAMS = ("python", "javascript", "typescript", "rust", "go", "c", "cpp", "java", "sql")


def run(context: Context) -> Iterator[Item]:
    if not context.project.benchmarks:
        yield Gap("omni.toml declares no benchmarks", Status.SKIPPED)
        return
    base = find_base(context, lambda _: True)
    if isinstance(base, Gap):
        yield base
        return
    with tempfile.TemporaryDirectory(prefix="omni-deep-", ignore_cleanup_errors=True) as folder:
        try:
            lay_out(context, base, Path(folder))
        except OmniError as problem:
            raise Failed(f"the base commit can't be read: {problem.why}", Status.INCOMPLETE) from problem
        for benchmark in context.project.benchmarks:
            yield from _compare(context, benchmark, base, Path(folder))


def _compare(context: Context, benchmark: Benchmark, base: Base, folder: Path) -> Iterator[Item]:
    try:
        outcomes = Race(context, benchmark, folder).run()
    except BaseFailed as problem:
        yield Gap(
            f"{base.name} can't run the benchmark, so there is nothing to compare with: {problem}", Status.SKIPPED
        )
        return
    if not outcomes:
        yield Gap(f"{base.name} and the work tree measure nothing of the same name")
    for name, outcome in outcomes.items():
        yield Metric(f"benchmark.{name}", outcome.ratio)
        if outcome.verdict == "slower":
            yield _finding(context, benchmark, base, name, outcome)
        elif outcome.verdict == "undecided" and is_critical(benchmark, name):
            yield Gap(f"{name}: {outcome}: {_undecided(benchmark, outcome)}")


def _undecided(benchmark: Benchmark, outcome: Comparison) -> str:
    return (
        f"it may be more than {benchmark.slower:.0%} slower or not; some {outcome.needed} pairs of runs would tell. "
        "Raise `seconds`, let each run measure for longer, or count instructions"
    )


def _finding(context: Context, benchmark: Benchmark, base: Base, name: str, outcome: Comparison) -> Item:
    path, line = next(_changes(context, base), ("omni.toml", 0))
    if not line:
        config = context.inventory.by_path.get(path)
        line = line_with(context.text(config), benchmark.command[-1]) if config else 1
    file = context.inventory.by_path.get(path)
    snippet = line_of(context.text(file), line) if file else ""
    message = f"{name} is slower than in {base.name}: {outcome}"
    finding = SLOWER.at(path, line, message, snippet=snippet)
    return finding if is_critical(benchmark, name) else finding.model_copy(update={"severity": Severity.WARNING})


def _changes(context: Context, base: Base) -> Iterator[tuple[str, int]]:
    """Where the programs differ from the base: (path, first line), the largest change first, tests last."""
    files = [file for file in context.inventory.files if file.language in PROGRAMS and not file.problem]
    then = base.texts([file.path for file in files])
    changes = []
    for file in files:
        now = context.text(file).splitlines()
        before = then.get(file.path, "").splitlines()
        if now == before:
            continue
        every = difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
        blocks = [block for block in every if block[0] != "equal"]
        size = sum(j2 - j1 + i2 - i1 for _, i1, i2, j1, j2 in blocks)
        changes.append(("test" in file.path, -size, file.path, min(blocks[0][3] + 1, max(len(now), 1))))
    yield from ((path, line) for _, _, path, line in sorted(changes))


CHECK = Check(
    id="benchmarks",
    title="No critical path became slower",
    tier=3,
    globs=("**",),
    run=run,
    weight=8,
    timeout=540,
    fresh_for=0,
)
