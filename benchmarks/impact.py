"""Whether the tests that `omni verify --changed` runs after a change notice what all tests notice.

    .venv/bin/python benchmarks/impact.py [--mutants N] [--seed N] [--folder KEPT] [SAMPLE …]

SAMPLE is one of samples.toml; by default all. All tests run once, so that they are recorded. Then one small change
after the other is made in the program (those of mutation testing, drawn at random), all tests run on it in the sandbox,
and the record is asked which of them it would have left out. A change that all tests notice, and none of the tests that
are not left out, is missed. A run ends with its twentieth failure; where all of these were left out it is done again to
the end. Changes with which the tests hang or do not start are not counted.

Prints for each sample how many changes were noticed and missed, and which share of the tests and of their time the
median change and the mean needs. What each run came to is kept in KEPT, so one that was ended goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import NoReturn

import sample

from omni.kernel.settings import Settings, load_settings
from omni.sandbox import choose
from omni.verify import registry
from omni.verify.analysis.junit import Case, read_junit
from omni.verify.analysis.places import TEST_FILE
from omni.verify.analysis.recorded import since
from omni.verify.analysis.repetition import node_id
from omni.verify.check import Context, Failed
from omni.verify.checks.tests import NOT_THE_PROGRAM
from omni.verify.config import ProjectConfig
from omni.verify.engine import Options, verify
from omni.verify.execution import Execution, Resources
from omni.verify.files import take_inventory
from omni.verify.mutation.mutants import Mutant, apply, mutants
from omni.verify.mutation.sample import draw

UV = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "uv"
LIMITS = {1: 3600.0, 2: 3600.0, 3: 3600.0, 4: 3600.0}
JUNIT = "reports/impact.xml"
PYTEST = (
    "python",
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    "--no-cov",
    f"--junitxml={JUNIT}",
    "-o",
    "junit_family=xunit1",
)
ENOUGH = 20
"""Failures."""
HANGS = 120.0
"""Seconds."""


@dataclass(frozen=True)
class Tried:
    failed: list[str]
    left_out: frozenset[str]

    @property
    def missed(self) -> bool:
        return bool(self.failed) and self.left_out.issuperset(self.failed)


class Project:
    """A sample, recorded."""

    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.root, self.home = folder / "project", folder / "home"
        self.environment = folder / "environment"
        if not self.root.is_dir():
            source, self.environment = sample.fetch(folder, UV, name)
            source.rename(self.root)
        self.settings = Settings(home=self.home, database_url="sqlite://", tier_deadlines=LIMITS)
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        self.execution = Execution(Resources(_no_tools, lambda: choose(load_settings()), scratch))
        self.kept = folder / "runs.json"
        self.runs: dict[str, list[str] | None] = json.loads(self.kept.read_text()) if self.kept.is_file() else {}

    def record(self) -> None:
        options = Options(only=("tests",), environment=self.environment)
        (result,) = verify(self.root, options, self.settings).results
        print(f"  all: {result.status} {result.reason} {result.metrics} {result.seconds:.1f} s", flush=True)

    def context(self) -> Context:
        check = registry.get("tests").model_copy(update={"timeout": HANGS})
        inventory = take_inventory(self.root)
        cache = self.home / "cache" / "checks" / "tests"
        return Context(
            check, self.root, inventory.files, inventory, ProjectConfig(), self.execution, self.environment, cache=cache
        )

    def mutants(self, size: int, seed: int) -> list[tuple[Mutant, str]]:
        """Of the program, each with the text of its module."""
        texts = {
            path: (self.root / path).read_text("utf-8")
            for path in (file.path for file in self.context().inventory.files if file.language == "python")
            if path.startswith("src/") and not TEST_FILE.search(path) and not NOT_THE_PROGRAM.search(path)
        }
        made = [each for path, text in texts.items() for each in mutants(path, text)]
        return [(each, texts[each.path]) for each in draw(made, size, seed)]

    def run(self, *options: str) -> list[Case] | None:
        """What came of all tests; None where they hang or do not start."""
        with tempfile.TemporaryDirectory(prefix="omni-impact-") as into:
            variables = {"PYTHONPATH": "/work/src", "PYTHONDONTWRITEBYTECODE": "1"}
            try:
                self.context().run_in_sandbox((*PYTEST, *options), collect=(JUNIT,), into=Path(into), **variables)
            except Failed:
                return None
            written = Path(into, JUNIT)
            return read_junit(written.read_bytes()) if written.is_file() else None

    def tried(self, mutant: Mutant, text: str, already: frozenset[str]) -> Tried | None:
        path = self.root / mutant.path
        path.write_text(apply(text, mutant), "utf-8")
        try:
            change = since(self.context())
            assert change is not None, "nothing was recorded"
            left_out = frozenset(change.left_out())
            known = self.failures(mutant, already, "")
            if known and left_out.issuperset(known) and len(known) >= ENOUGH:
                known = self.failures(mutant, already, "whole ")
        finally:
            path.write_text(text, "utf-8")
        return None if known is None else Tried(known, left_out)

    def failures(self, mutant: Mutant, already: frozenset[str], how: str) -> list[str] | None:
        """Tests that fail though they did not `already`."""
        key = f"{how}{mutant.path}:{mutant.start}-{mutant.end} {mutant.replacement!r}"
        if key not in self.runs:
            cases = self.run(*(() if how else (f"--maxfail={ENOUGH + len(already)}",)))
            failed = None if cases is None else [node_id(case) for case in cases if case.outcome == "failed"]
            self.runs[key] = None if failed is None else [each for each in failed if each not in already]
            self.kept.write_text(json.dumps(self.runs))
        return self.runs[key]


def _no_tools(name: str) -> NoReturn:
    raise AssertionError(name)


def measure(name: str, folder: Path, size: int, seed: int) -> None:
    print(name, flush=True)
    project = Project(name, folder / name)
    project.record()
    cases = project.run() or []
    already = frozenset(node_id(case) for case in cases if case.outcome == "failed")
    seconds = {node_id(case): case.seconds for case in cases}
    whole = sum(seconds.values())
    found: list[Tried] = []
    for mutant, text in project.mutants(size, seed):
        tried = project.tried(mutant, text, already)
        if tried is None:
            continue
        found.append(tried)
        if tried.missed:
            print(f"  MISSED {mutant.path}:{mutant.line} {mutant.operator}: {tried.failed[:3]}", flush=True)
    killed = [each for each in found if each.failed]
    failures = sum(len(each.failed) for each in killed)
    unseen = sum(len(each.left_out.intersection(each.failed)) for each in killed)
    tests = [1 - len(each.left_out) / len(seconds) for each in found]
    times = [1 - sum(seconds.get(test, 0) for test in each.left_out) / whole for each in found]
    print(
        f"  {len(seconds)} tests, {len(found)} changes, {len(killed)} noticed, "
        f"{sum(each.missed for each in killed)} missed; {failures} failures, {unseen} in tests left out; "
        f"tests run: median {median(tests):.0%}, mean {mean(tests):.0%}; of their time: median {median(times):.0%}, "
        f"mean {mean(times):.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", nargs="*", choices=[*sample.names(), []], default=list(sample.names()))
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-impact-") as folder:
        for name in given.samples:
            measure(name, given.folder or Path(folder), given.mutants, given.seed)


if __name__ == "__main__":
    main()
