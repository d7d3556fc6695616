"""`omni verify` against prek and pre-commit with the same tools, at the same versions, on the same files.

    .venv/bin/python benchmarks/hooks.py [--rounds N] [--all] [PROJECT]

PROJECT is a git repository, whose HEAD is measured, in a copy; by default Flask (18k lines). Each
measurement is a whole process, its start among it. The rounds go through all measurements in turn, so that what else
the machine does falls on all; the best of the rounds is printed, with ratios.

- cold: the tools are installed and have run elsewhere; this project was never seen;
- warm: the same again, nothing changed;
- one line: the same after a change of one line in the largest Python file.

Omni runs the tools' checks alone (`--only`), as the hooks do. prek and pre-commit keep no results, so their warm run is
their cold one but for what a tool keeps itself; both are measured all the same. With `--all` mypy (which keeps its own
cache in both) and the project's tests are hooks and checks, too, as many repositories have it; Omni runs tests in its
sandbox, on a copy, with branch coverage, and the hook does not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import yaml

from omni.verify import registry
from omni.verify.check import Check
from omni.verify.report import Status
from verify import UV, Bench, best, hooks

SLOW = {"types", "tests"}
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
    argv += ["--environment", str(bench.environment)] if bench.environment else []
    started = time.monotonic()
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    assert done.returncode in {0, 1}, done.stdout[-2000:] + done.stderr
    return seconds


def slow_hooks(bench: Bench) -> list[dict[str, object]]:
    """Mypy and pytest, as a person would write them down. Those of `language: system` find their programs on PATH."""
    return [
        {
            "id": "types",
            "name": "types",
            "language": "system",
            "entry": f"mypy --cache-dir {bench.home}/hook-mypy --python-executable {bench.environment}/bin/python",
            "types": ["python"],
            "files": "^src/",
            "require_serial": True,
        },
        {
            "id": "tests",
            "name": "tests",
            "language": "system",
            "entry": f"env PYTHONPATH=src {bench.environment}/bin/python -m pytest -q -p no:cacheprovider",
            "pass_filenames": False,
        },
    ]


def runner(
    bench: Bench, program: Path, checks: list[Check], *, slow: bool, cold: bool = False, change: bool = False
) -> float:
    """Seconds of one `run --all-files`."""
    config = bench.home.parent / "hooks.yaml"
    config.write_text(hooks(bench, [check for check in checks if check.id not in SLOW]))
    if slow:
        whole = yaml.safe_load(config.read_text())
        whole["repos"][0]["hooks"] += slow_hooks(bench)
        config.write_text(yaml.safe_dump(whole))
    if cold:
        shutil.rmtree(bench.home / "hook-mypy", ignore_errors=True)
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
    parser.add_argument("--all", action="store_true", help="mypy and the tests, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-bench-") as folder:
        bench = Bench(given.project, Path(folder))
        ran = {each.check for each in bench.cold().results if each.status is not Status.SKIPPED}
        quick = {each.id for each in registry.checks() if each.run is None and each.tool}
        checks = [each for each in registry.checks() if each.id in ran & (quick | (SLOW if given.all else set()))]
        programs = {name: install(Path(folder, name), requirement) for name, requirement in RUNNERS.items()}
        measures: dict[str, Callable[[], float]] = {
            "omni cold": partial(omni, bench, checks, cold=True),
            "omni warm": partial(omni, bench, checks, cold=False),
            "omni one line": partial(omni, bench, checks, cold=False, change=True),
        }
        for name, program in programs.items():
            if program:
                ask = partial(runner, bench, program, checks, slow=given.all)
                measures |= {
                    f"{name} cold": partial(ask, cold=True),
                    f"{name} warm": ask,
                    f"{name} one line": partial(ask, change=True),
                }
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
