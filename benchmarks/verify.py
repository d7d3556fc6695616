"""`omni verify` against the tools it runs, against its own cache, and against prek with the same tools as hooks.

    .venv/bin/python benchmarks/verify.py [--rounds N] [PROJECT]

PROJECT is a git repository, Omni itself by default; its HEAD is measured, in a copy. Prints medians and ratios:

- wall: all checks of tiers 1 and 2 together, against the slowest of them alone (at most 1.3);
- parallel: the same, against one after the other (at most 0.6 with two CPUs or more);
- warm: the same again with nothing changed, against cold (at most 0.15);
- one file: after a change of one file, against cold;
- prek: the same tools as hooks of prek, cold, against Omni with these tools alone.

Cold means: tools are set up and have been used on another project; this one was never seen.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from omni.kernel.settings import Settings, load_settings
from omni.verify import registry, repository
from omni.verify.check import Check
from omni.verify.engine import Options, verify
from omni.verify.report import Report, Status
from omni.verify.tools import open_tools

OMNI = Path(__file__).resolve().parents[1]
LIMITS = {1: 600.0, 2: 600.0, 3: 600.0, 4: 600.0}
"""Deadlines are no matter here: nothing is to be cut off."""


class Bench:
    """A copy of a project, and a home that is put back to its first state before each measurement."""

    def __init__(self, project: Path, folder: Path) -> None:
        home = load_settings().home
        self.tools = open_tools(home, False, print)
        self.project = folder / "project"
        self.home = folder / "home"
        self.fresh = folder / "fresh"
        self.home.mkdir()
        (self.home / "envs").symlink_to(home / "envs")
        self.settings = Settings(home=self.home, database_url="sqlite://", tier_deadlines=LIMITS)
        self._copy(project)
        self._use_once(folder / "other")

    def _copy(self, project: Path) -> None:
        self.project.mkdir()
        repository.export(project, repository.commit(project, "HEAD"), self.project)
        for argv in (
            ("init", "-q"),
            ("add", "-A"),
            ("-c", "user.name=b", "-c", "user.email=b@x", "commit", "-qm", "b"),
        ):
            subprocess.run(["git", *argv], cwd=self.project, check=True)

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
        return verify(self.project, Options(only=only, jobs=jobs), self.settings)

    def cold(self, *only: str, jobs: int = 0) -> Report:
        self.forget()
        return self.run(*only, jobs=jobs)

    def lines(self) -> int:
        files = [path for path in self.project.rglob("*.py") if ".git" not in path.parts]
        return sum(len(path.read_bytes().splitlines()) for path in files)


def median(rounds: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(rounds))


def one_file_changed(bench: Bench) -> float:
    """Seconds after a change of one Python file, with all else known."""
    bench.cold()
    path = max(bench.project.rglob("*.py"), key=lambda each: each.stat().st_size)
    path.write_text(path.read_text() + f"\n# {time.monotonic()}\n")
    return bench.run().seconds


def slowest(bench: Bench, ids: list[str], rounds: int) -> tuple[str, float]:
    """The check that takes longest alone, and its seconds."""
    alone = {name: median(rounds, lambda name=name: bench.cold(name).seconds) for name in ids}
    name = max(alone, key=lambda each: alone[each])
    return name, alone[name]


def hooks(bench: Bench, checks: list[Check]) -> str:
    """prek's configuration that runs the same commands on the same files."""
    inventory = bench_inventory(bench)
    entries = []
    for check in checks:
        cache = bench.home / "cache" / "checks" / check.id
        argv = [each.replace("{cache}", str(cache)) for each in check.argv if each != "{files}"]
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


def prek(bench: Bench, checks: list[Check], rounds: int) -> float | None:
    """Median seconds of `prek run --all-files`; None when prek can't be had."""
    uv = OMNI / ".venv" / "bin" / "uv"
    environment = bench.home.parent / "prek"
    for argv in (
        ("venv", "-q", str(environment)),
        ("pip", "install", "-q", "--python", str(environment), "prek==0.5.3"),
    ):
        if subprocess.run([uv, *argv], check=False).returncode != 0:
            return None
    config = bench.home.parent / "hooks.yaml"
    config.write_text(hooks(bench, checks))
    env = {**os.environ, "PREK_HOME": str(environment / "home"), "PATH": f"{bench.tools.root}/bin:{os.environ['PATH']}"}
    command = [str(environment / "bin" / "prek"), "run", "--all-files", "-c", str(config)]

    def once() -> float:
        bench.forget()
        started = time.monotonic()
        done = subprocess.run(command, cwd=bench.project, env=env, capture_output=True, text=True, check=False)
        assert all(check.id in done.stdout for check in checks), done.stdout + done.stderr
        return time.monotonic() - started

    return median(rounds, once)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path, default=OMNI)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-bench-") as folder:
        bench = Bench(given.project, Path(folder))
        ran = [each.check for each in bench.cold().results if each.status is not Status.SKIPPED]
        print(f"{bench.lines():,} lines of Python, {len(ran)} checks, {os.cpu_count()} CPUs, {given.rounds} rounds")
        wall = median(given.rounds, lambda: bench.cold().seconds)
        name, longest = slowest(bench, ran, given.rounds)
        serial = median(given.rounds, lambda: bench.cold(jobs=1).seconds)
        bench.cold()
        warm = median(given.rounds, lambda: bench.run().seconds)
        one = median(given.rounds, lambda: one_file_changed(bench))
        simple = [each for each in registry.checks() if each.id in ran and each.run is None and "{files}" in each.argv]
        simple = [each for each in simple if "{report}" not in each.argv]
        ours = median(given.rounds, lambda: bench.cold(*(each.id for each in simple)).seconds)
        theirs = prek(bench, simple, given.rounds)
    rows = [
        ("wall / slowest alone", wall, f"{name} {longest:.2f} s", wall / longest, 1.3),
        ("parallel / serial", wall, f"{serial:.2f} s", wall / serial, 0.6),
        ("warm / cold", warm, f"{wall:.2f} s", warm / wall, 0.15),
        ("one file / cold", one, f"{wall:.2f} s", one / wall, 1.0),
    ]
    if theirs is not None:
        rows.append((f"omni / prek ({len(simple)} tools)", ours, f"{theirs:.2f} s", ours / theirs, 1.0))
    print(f"{'':24} {'omni':>8}  {'against':<20} {'ratio':>6}  limit")
    for label, seconds, against, ratio, limit in rows:
        missed = "" if ratio <= limit else "  MISSED"
        print(f"{label:24} {seconds:6.2f} s  {against:<20} {ratio:6.2f}  {limit:.2f}{missed}")


if __name__ == "__main__":
    main()
