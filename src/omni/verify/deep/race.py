"""A benchmark on the base commit and on the work tree in turn, until it is decided which is slower."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from omni.verify import machine
from omni.verify.check import Context, Failed
from omni.verify.deep.base import Base
from omni.verify.deep.declared import Benchmark
from omni.verify.deep.measurements import COUNTER, BadMeasurementError, read_count, read_measurements
from omni.verify.deep.play import WORK, Outcome, Step, last_words, perform, scratch, variables
from omni.verify.deep.statistics import LOOKS, Comparison, compare, exact
from omni.verify.report import Status

BEFORE, AFTER = "base", "head"
"""Their folders: names of one length, since even that of a path can change how fast a program is."""
COUNTS = "instructions"


@dataclass
class Race:
    context: Context
    benchmark: Benchmark
    workspace: Path
    """Holds both trees."""
    seconds: float = 0.0
    """That a pair takes."""
    before: dict[str, list[float]] = field(default_factory=dict)
    after: dict[str, list[float]] = field(default_factory=dict)

    def run(self) -> Mapping[str, Comparison]:
        """Name → outcome, of what both measure. Raises `Failed`."""
        if self.benchmark.measure == COUNTS:
            return self._count()
        left = self.context.execution.seconds_left(self.context.check)
        until = time.monotonic() + min(self.benchmark.seconds, left)
        self._pairs(1)
        self.before, self.after = {}, {}  # the first pair warms up, and says how long one takes
        outcome: Mapping[str, Comparison] = {}
        done = 0
        for pairs in LOOKS:
            if time.monotonic() + (pairs - done) * self.seconds > until:
                break
            self._pairs(pairs - done)
            done, outcome = pairs, self._compared()
            critical = [each for name, each in outcome.items() if is_critical(self.benchmark, name)]
            if all(each.verdict != "undecided" for each in critical):
                break
        if not done:
            least, given = self.seconds * (LOOKS[0] + 1), self.benchmark.seconds
            raise Failed(f"{LOOKS[0]} pairs of runs take some {least:.0f} s, and it has {given:g}", Status.INCOMPLETE)
        return outcome

    def _compared(self) -> Mapping[str, Comparison]:
        both = self.before.keys() & self.after.keys()
        share = self.benchmark.slower
        return {name: compare(self.before[name], self.after[name], share) for name in sorted(both)}

    def _pairs(self, number: int) -> None:
        """Run so many pairs; which comes first alternates. Raises `Failed`."""
        order = [side for pair in range(number) for side in ((BEFORE, AFTER) if pair % 2 else (AFTER, BEFORE))]
        steps = [step for run, side in enumerate(order) for step in self._steps(side, run)]
        with scratch() as folder:
            into = Path(folder)
            outcome = perform(self.context, (), steps, into=into, collect=("omni-deep/*",), workspace=self.workspace)
            self._require(outcome, len(steps))
            runs = [step for step in outcome.steps if not step.name.startswith("keep")]
            self.seconds = sum(step.seconds for step in runs) / number
            for run, side in enumerate(order):
                found = self._read(into / f"omni-deep/{run}.json", side)
                kept = self.before if side == BEFORE else self.after
                for name, seconds in found.items():
                    kept.setdefault(name, []).append(seconds)

    def _steps(self, side: str, run: int) -> Iterator[Step]:
        kept = f"{WORK}/omni-deep/{run}.json"
        here, env = f"{WORK}/{side}", variables(self.context, f"{WORK}/{side}")
        report = self.benchmark.report
        yield Step(side, self.benchmark.command, here, env, "" if report else kept)
        if report:
            yield Step(f"keep {side}", ("mv", report, kept), here)

    def _count(self) -> Mapping[str, Comparison]:
        if machine.find(COUNTER[0]) is None:
            raise Failed(f"{COUNTER[0]} is not on PATH. Type: apt install {COUNTER[0]}", Status.INCOMPLETE)
        env = {"PYTHONHASHSEED": "0"}  # else the order of sets, and so the work, differs from run to run
        steps = [
            Step(
                side,
                (*COUNTER, *self.benchmark.command),
                f"{WORK}/{side}",
                variables(self.context, f"{WORK}/{side}") | env,
            )
            for side in (BEFORE, AFTER)
        ]
        with scratch() as folder:
            outcome = perform(self.context, (), steps, into=Path(folder), workspace=self.workspace)
        self._require(outcome, len(steps))
        try:
            counts = [read_count(step.said) for step in outcome.steps]
        except BadMeasurementError as problem:
            raise Failed(str(problem), Status.INCOMPLETE) from problem
        name = " ".join(self.benchmark.command)
        return {name: exact(counts[0], counts[1], self.benchmark.slower)}

    def _require(self, outcome: Outcome, steps: int) -> None:
        last = outcome.steps[-1]
        if len(outcome.steps) == steps and not last.exit:
            return
        side = last.name.removeprefix("keep ")
        said = f"`{' '.join(self.benchmark.command)}` failed with exit code {last.exit}: {last_words(last.said)}"
        raise BaseFailed(said) if side == BEFORE else Failed(said, Status.INCOMPLETE)

    def _read(self, path: Path, side: str) -> Mapping[str, float]:
        try:
            return read_measurements(path.read_text("utf-8", "replace"))
        except (OSError, BadMeasurementError) as problem:
            raise Failed(
                f"what the benchmark of the {side} wrote can't be read: {problem}", Status.INCOMPLETE
            ) from problem


class BaseFailed(Exception):  # noqa: N818 - read as "raise BaseFailed(…)"
    """The base commit can't run the benchmark: it may be new."""


def is_critical(benchmark: Benchmark, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in benchmark.critical)


def lay_out(context: Context, base: Base, folder: Path) -> None:
    """Both trees, below `folder`. Raises OmniError when git can't read the base."""
    (folder / BEFORE).mkdir()
    base.export(folder / BEFORE)
    copy_project(context, folder / AFTER)


def copy_project(context: Context, into: Path) -> None:
    """The project's own files, as git knows them: nothing built, nothing cached, nothing installed."""
    into.mkdir(parents=True)
    for file in context.inventory.files:
        source, target = context.root / file.path, into / file.path
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
