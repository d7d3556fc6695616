"""How long `omni verify --watch` takes to answer after a save.

    .venv/bin/python benchmarks/watch.py [--rounds N] [--tier 1] [--environment VENV] [PROJECT]

PROJECT is a git repository, whose HEAD is measured, in a copy; by default Flask (18k lines). A line is added to one
Python file of middle size, and the clock runs from before that write until the answer has been read from the pipe:

- first answer: all checks but the slowest have ended, and what they found has been said;
- verdict: the slowest has ended too, and the round is over.

CPU seconds are those of the process and its tools together, which other work on the machine hardly changes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from verify import Bench

RESTED = 2.5
"""Seconds between two saves: a file that changed just now is looked at again, in case it changes within one tick."""


def rounds(lines: Iterator[str]) -> Iterator[tuple[float, float, str]]:
    """(when the first answer came, when the verdict, which check was the last), of each round."""
    first, last = 0.0, ""
    for text in lines:
        told = json.loads(text)
        if told["type"] == "so far":
            first, last = time.monotonic(), told["running"]
        elif told["type"] == "result":
            yield first or time.monotonic(), time.monotonic(), last
            first, last = 0.0, ""


def cpu_seconds(pid: int) -> float:
    """Of the process and of what it started and waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tier", default="1")
    parser.add_argument("--environment", type=Path, help="the project's virtual environment")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-bench-") as folder:
        bench = Bench(given.project, Path(folder), given.environment)
        files = sorted((path for path in bench.project.rglob("*.py")), key=lambda path: path.stat().st_size)
        path = files[len(files) // 2]
        argv = [sys.executable, "-m", "omni", "verify", str(bench.project), "--tier", given.tier, "--watch", "--json"]
        argv += ["--environment", str(bench.environment)] if bench.environment else []
        env = os.environ | {"OMNI_HOME": str(bench.home)}
        print(f"{bench.lines():,} lines of Python, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {path.name}")
        with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            answers = rounds(process.stdout)
            next(answers)
            taken = []
            for number in range(given.rounds):
                time.sleep(RESTED)
                used, saved = cpu_seconds(process.pid), time.monotonic()
                path.write_text(f"{path.read_text()}# {number}\n")
                first, verdict, last = next(answers)
                taken.append((first - saved, verdict - saved, cpu_seconds(process.pid) - used))
                print(f"first answer {taken[-1][0]:.3f} s, verdict {taken[-1][1]:.3f} s (last: {last or 'none'})")
            process.terminate()
    first, verdict, used = (median(each) for each in zip(*taken, strict=True))
    print(f"median: first answer {first:.3f} s, verdict {verdict:.3f} s, {used:.2f} CPU seconds")


if __name__ == "__main__":
    main()
