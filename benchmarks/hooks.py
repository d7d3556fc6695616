"""`omni verify` against prek and pre-commit with the same tools, at the same versions, on the same files.

    .venv/bin/python benchmarks/hooks.py [--rounds N] [PROJECT]

PROJECT is a git repository, whose HEAD is measured, in a copy; by default Flask (18k lines). Each
measurement is a whole process, its start among it. The rounds go through all measurements in turn, so that what else
the machine does falls on all; the best of the rounds is printed, with ratios.

- cold: the tools are installed and have run elsewhere; this project was never seen;
- warm: the same again, nothing changed;
- one line: the same after a change of one line in the largest Python file.

Omni runs the tools' checks alone (`--only`), as the hooks do. prek and pre-commit keep no results, so their warm run is
their cold one; both are measured all the same.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from omni.verify import registry
from omni.verify.check import Check
from omni.verify.report import Status
from verify import UV, Bench, best, hooks

RUNNERS = {"prek": "prek==0.5.10", "pre-commit": "pre-commit==4.6.1"}


def install(folder: Path, requirement: str) -> Path | None:
    """A runner of hooks in an environment of its own; None when it can't be had."""
    for argv in (
        ("venv", "-q", str(folder)),
        ("pip", "install", "-q", "--compile-bytecode", "--python", str(folder), requirement),
    ):
        if subprocess.run([UV, *argv], check=False).returncode != 0:
            return None
    return folder / "bin" / requirement.split("=", maxsplit=1)[0]


def changed_line(bench: Bench) -> None:
    """One more line at the end of the largest Python file; nothing else is touched."""
    path = max(bench.project.rglob("*.py"), key=lambda each: each.stat().st_size)
    path.write_text(path.read_text() + f"# {time.monotonic()}\n")


def omni(bench: Bench, checks: Iterable[Check], *, cold: bool, change: bool = False) -> float:
    """Seconds of one `omni verify`."""
    argv = [sys.executable, "-m", "omni", "verify", str(bench.project), "--format", "ndjson"]
    argv += [part for check in checks for part in ("--only", check.id)]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"OMNI_HOME": str(bench.home)}
    if cold:
        bench.forget()
    if change:
        changed_line(bench)
    started = time.monotonic()
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    assert done.returncode in {0, 1}, done.stdout[-2000:] + done.stderr
    return seconds


def runner(bench: Bench, program: Path, checks: list[Check], *, change: bool = False) -> float:
    """Seconds of one `run --all-files`."""
    config = bench.home.parent / "hooks.yaml"
    config.write_text(hooks(bench, checks))
    home = str(program.parent)
    env = os.environ | {
        "PREK_HOME": home,
        "PRE_COMMIT_HOME": home,
        "PATH": f"{bench.tools.root}/bin:{os.environ['PATH']}",
    }
    if change:
        changed_line(bench)
    subprocess.run(["git", "add", "-A"], cwd=bench.project, check=True)
    started = time.monotonic()
    done = subprocess.run(
        [str(program), "run", "--all-files", "-c", str(config)],
        cwd=bench.project, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - started
    assert all(check.id in done.stdout for check in checks), done.stdout + done.stderr
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-bench-") as folder:
        bench = Bench(given.project, Path(folder))
        ran = {each.check for each in bench.cold().results if each.status is not Status.SKIPPED}
        checks = [each for each in registry.checks() if each.id in ran and each.run is None and each.tool]
        programs = {name: install(Path(folder, name), requirement) for name, requirement in RUNNERS.items()}
        measures: dict[str, Callable[[], float]] = {
            "omni cold": partial(omni, bench, checks, cold=True),
            "omni warm": partial(omni, bench, checks, cold=False),
            "omni one line": partial(omni, bench, checks, cold=False, change=True),
        }
        for name, program in programs.items():
            if program:
                measures[f"{name} cold"] = measures[f"{name} warm"] = partial(runner, bench, program, checks)
                measures[f"{name} one line"] = partial(runner, bench, program, checks, change=True)
        print(f"{bench.lines():,} lines of Python, {os.cpu_count()} CPUs, {given.rounds} rounds")
        print(f"hooks: {', '.join(check.id for check in checks)}")
        taken = best(given.rounds, measures)
    aims = {"cold": 3.0, "warm": 20.0, "one line": 3.0}
    print(f"{'':10} {'omni':>8}" + "".join(f"{name:>14} {'ratio':>6}" for name in programs))
    for state, aim in aims.items():
        cells = ""
        for name in programs:
            if other := taken.get(f"{name} {state}"):
                cells += f"{other:12.2f} s {other / taken[f'omni {state}']:5.1f}x"
        print(f"{state:10} {taken[f'omni {state}']:6.2f} s{cells}   aim {aim:g}x")


if __name__ == "__main__":
    main()
