"""`omni verify` against the tools it runs, against its own cache, and against prek with the same tools as hooks.

    .venv/bin/python benchmarks/verify.py [--rounds N] [--environment VENV] [PROJECT]

PROJECT is a git repository, whose HEAD is measured, in a copy; by default Flask (18k lines), which is fetched at a
pinned version together with an environment for its tests (see `sample.py`). Prints the best of the rounds and ratios
of them. The rounds go through all measurements in turn, so that what else the machine does falls on all:

- wall: all checks of tiers 1 and 2 together, against the slowest of them alone (at most 1.3);
- parallel: the same, against one after the other (at most 0.6 with two CPUs or more);
- warm: the same again with nothing changed, against cold (at most 0.15);
- one line: with `--changed`, after one line more in one function of the program, against cold; the median of five
  functions that lie evenly in the list of all of them;
- prek: the same tools as hooks of prek, cold, against Omni with these tools alone.

Cold means: tools are set up and have been used on another project; this one was never seen.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import sample
import yaml

from omni.kernel.settings import Settings, load_settings
from omni.verify import registry, repository
from omni.verify.analysis.places import TEST_FILE
from omni.verify.check import Check
from omni.verify.engine import Options, verify
from omni.verify.report import Report, Status
from omni.verify.tools import open_tools

T = TypeVar("T")

OMNI = Path(__file__).resolve().parents[1]
UV = OMNI / ".venv" / "bin" / "uv"
PREK = "prek==0.5.10"
LIMITS = {1: 600.0, 2: 600.0, 3: 600.0, 4: 600.0}
"""Deadlines are no matter here: nothing is to be cut off."""


class Bench:
    """A copy of a project, and a home that is put back to its first state before each measurement."""

    def __init__(self, project: Path | None, folder: Path, environment: Path | None = None) -> None:
        home = load_settings().home
        self.tools = open_tools(home, False, print)
        self.project = folder / "project"
        self.home = folder / "home"
        self.fresh = folder / "fresh"
        (self.home / "envs").mkdir(parents=True)
        (self.home / "envs" / self.tools.root.name).symlink_to(self.tools.root)
        self.settings = Settings(home=self.home, database_url="sqlite://", tier_deadlines=LIMITS)
        self.environment = self._copy(project, folder, environment)
        self._use_once(folder / "other")

    def _copy(self, project: Path | None, folder: Path, environment: Path | None) -> Path | None:
        """A repository of the project, or of the sample; returns the environment of its tests."""
        if project:
            self.project.mkdir()
            repository.export(project, repository.commit(project, "HEAD"), self.project)
        else:
            source, environment = sample.fetch(folder, UV)
            source.rename(self.project)
        for argv in (
            ("init", "-q"),
            ("add", "-A"),
            ("-c", "user.name=b", "-c", "user.email=b@x", "commit", "-qm", "b"),
        ):
            subprocess.run(["git", *argv], cwd=self.project, check=True)
        return environment

    def _use_once(self, other: Path) -> None:
        """Let the tools make what they make on their first use anywhere."""
        other.mkdir()
        for name in ("a.py", "a.js", "a.sh", "a.sql", "a.md", "a.yaml", "a.toml", "a.json", "Dockerfile"):
            (other / name).write_text("\n")
        verify(other, Options(), self.settings)
        shutil.copytree(self.home / "cache", self.fresh)

    def forget(self) -> None:
        shutil.rmtree(self.home / "cache")
        shutil.copytree(self.fresh, self.home / "cache")

    def run(self, *only: str, jobs: int = 0) -> Report:
        return verify(self.project, Options(only=only, jobs=jobs, environment=self.environment), self.settings)

    def cold(self, *only: str, jobs: int = 0) -> Report:
        self.forget()
        return self.run(*only, jobs=jobs)

    def seconds_alone(self, name: str) -> float:
        return self.cold(name).seconds

    def functions(self) -> list[tuple[Path, ast.FunctionDef]]:
        """Of the program, not of its tests: those of more than one statement."""
        source = self.project / "src" if (self.project / "src").is_dir() else self.project
        paths = [path for path in sorted(source.rglob("*.py")) if not TEST_FILE.search(str(path.relative_to(source)))]
        nodes = ((path, node) for path in paths for node in ast.walk(ast.parse(path.read_bytes())))
        return [(path, node) for path, node in nodes if isinstance(node, ast.FunctionDef) and len(node.body) > 1]

    def lines(self) -> int:
        files = [path for path in self.project.rglob("*.py") if ".git" not in path.parts]
        return sum(len(path.read_bytes().splitlines()) for path in files)


def best(rounds: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The shortest time of each, in seconds."""
    taken = [{name: measure() for name, measure in measures.items()} for _ in range(rounds)]
    return {name: min(each[name] for each in taken) for name in measures}


def one_line_changed(bench: Bench) -> float:
    """Seconds after a change of one function, with all else known."""
    bench.cold()
    options = Options(changed=True, environment=bench.environment)
    taken = []
    for path, function in spread(bench.functions(), 5):
        text = path.read_text()
        lines = text.splitlines(keepends=True)
        last = function.body[-1]
        lines.insert(last.lineno - 1, f"{' ' * last.col_offset}one_line_more = {time.monotonic()}\n")
        path.write_text("".join(lines))
        taken.append(verify(bench.project, options, bench.settings).seconds)
        path.write_text(text)
    return median(taken)


def spread(them: Sequence[T], count: int) -> Sequence[T]:
    """So many, evenly."""
    return [them[(2 * at + 1) * len(them) // (2 * count)] for at in range(count)]


def hooks(bench: Bench, checks: list[Check]) -> str:
    """prek's configuration that runs the same commands on the same files."""
    inventory = bench_inventory(bench)
    entries = []
    for check in checks:
        cache = bench.home / "cache" / "checks" / check.id
        argv = [each.replace("{cache}", str(cache)) for each in check.argv if each not in {"{files}", "{tree}"}]
        files = "|".join(path.replace(".", r"\.") for path in inventory[check.id])
        entries.append(
            {
                "id": check.id,
                "name": check.id,
                "language": "system",
                "entry": " ".join([str(bench.tools.path(check.tool)), *argv]),
                "files": f"^({files})$",
                "require_serial": True,  # one process a hook, as Omni runs them
            }
        )
    return yaml.safe_dump({"repos": [{"repo": "local", "hooks": entries}]})


def bench_inventory(bench: Bench) -> dict[str, list[str]]:
    from omni.verify.files import take_inventory

    inventory = take_inventory(bench.project)
    return {
        check.id: [file.path for file in inventory.matching(check.languages, check.globs) if not file.problem]
        for check in registry.checks()
    }


def install_prek(folder: Path) -> Path | None:
    """prek in an environment of its own; None when it can't be had."""
    for argv in (("venv", "-q", str(folder)), ("pip", "install", "-q", "--python", str(folder), PREK)):
        if subprocess.run([UV, *argv], check=False).returncode != 0:
            return None
    return folder / "bin" / "prek"


def prek(bench: Bench, program: Path, checks: list[Check]) -> float:
    """Seconds of one `prek run --all-files`, cold."""
    config = bench.home.parent / "hooks.yaml"
    config.write_text(hooks(bench, checks))
    env = {**os.environ, "PREK_HOME": str(program.parent), "PATH": f"{bench.tools.root}/bin:{os.environ['PATH']}"}
    bench.forget()
    started = time.monotonic()
    done = subprocess.run(
        [str(program), "run", "--all-files", "-c", str(config)],
        cwd=bench.project, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - started
    assert all(check.id in done.stdout for check in checks), done.stdout + done.stderr
    return seconds


def warm(bench: Bench) -> float:
    bench.cold()
    return bench.run().seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--environment", type=Path, help="the project's virtual environment, so that its tests run too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-bench-") as folder:
        bench = Bench(given.project, Path(folder), given.environment)
        ran = [each.check for each in bench.cold().results if each.status is not Status.SKIPPED]
        print(f"{bench.lines():,} lines of Python, {len(ran)} checks, {os.cpu_count()} CPUs, {given.rounds} rounds")
        simple = [each for each in registry.checks() if each.id in ran and each.run is None and each.tool]
        names = [each.id for each in simple]
        program = install_prek(Path(folder, "prek"))
        measures: dict[str, Callable[[], float]] = {
            "wall": lambda: bench.cold().seconds,
            "serial": lambda: bench.cold(jobs=1).seconds,
            "warm": lambda: warm(bench),
            "one line": lambda: one_line_changed(bench),
            "tools": lambda: bench.cold(*names).seconds,
            **({"prek": lambda: prek(bench, program, simple)} if program else {}),
        }
        taken = best(given.rounds, measures | {f"alone {name}": partial(bench.seconds_alone, name) for name in ran})
    alone = {name.removeprefix("alone "): seconds for name, seconds in taken.items() if name.startswith("alone ")}
    slowest = max(alone, key=lambda name: alone[name])
    rows = [
        ("wall / slowest alone", taken["wall"], slowest, alone[slowest], 1.3),
        ("parallel / serial", taken["wall"], "one after the other", taken["serial"], 0.6),
        ("warm / cold", taken["warm"], "cold", taken["wall"], 0.15),
        ("one line / cold", taken["one line"], "cold", taken["wall"], 0.5),
    ]
    if "prek" in taken:
        rows.append((f"{len(simple)} tools / prek", taken["tools"], "prek", taken["prek"], 1.0))
    print(f"{'':22} {'omni':>8}  {'against':<29} {'ratio':>6}  {'limit':>5}")
    for label, seconds, name, against, limit in rows:
        ratio = seconds / against
        missed = "" if ratio <= limit else "  MISSED"
        print(f"{label:22} {seconds:6.2f} s  {name:<20} {against:6.2f} s {ratio:6.2f}  {limit:5.2f}{missed}")


if __name__ == "__main__":
    main()
