"""What verification costs as the repository grows: seconds and peak memory at 1k to 1M lines of Python.

    .venv/bin/python benchmarks/scale.py [--lines 1000,10000,100000,1000000] [--tier 1] [--svg docs/pictures/scale.svg]

The repositories are made here, always the same for a size: packages of modules of about 200 lines that import one
another, with tests. Measured, each as a whole process: cold (never seen), warm (nothing changed), one line changed.
CPU seconds are those of the process and its tools together, which other work on the machine hardly changes; these
are plotted. Memory is the largest sum over all processes that run at once, in MiB.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omni.kernel.settings import load_settings

DEADLINES = "1=3600,2=3600,3=3600,4=3600"
"""Nothing is to be cut off."""
STATES = ("cold", "warm", "one line")
COLORS = {"cold": "#1d4ed8", "warm": "#15803d", "one line": "#b45309"}
FUNCTION = '''

def step_{number}(values: list[int], limit: int = {number}) -> int:
    """The sum of the values that are below a limit, and of what the module before says."""
    total = 0
    for value in values:
        if value < limit:
            total += value
        elif value == limit:
            continue
        else:
            total -= 1
    return total + {call}
'''
FUNCTIONS = 14
"""A module, which makes about 200 lines."""


@dataclass(frozen=True)
class Cost:
    seconds: float
    cpu: float
    mebibytes: float


def make(root: Path, lines: int) -> int:
    """A repository of about so many lines; returns how many they are."""
    total, number = 0, 0
    while total < lines:
        package = root / "src" / f"part{number // 40:03}"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        text = module(number)
        (package / f"m{number:05}.py").write_text(text)
        total += text.count("\n")
        number += 1
    (root / "pyproject.toml").write_text('[project]\nname = "scale"\nversion = "1"\nrequires-python = ">=3.11"\n')
    for argv in (("init", "-q"), ("add", "-A"), ("-c", "user.name=b", "-c", "user.email=b@x", "commit", "-qm", "b")):
        subprocess.run(["git", *argv], cwd=root, check=True)
    return total


def module(number: int) -> str:
    """One that calls a function of the module before it, in the same package or the one before."""
    before = number - 1
    head = f'"""Module {number} of the benchmark."""\n\nfrom __future__ import annotations\n'
    call = "0"
    if before >= 0:
        head += f"\nfrom part{before // 40:03}.m{before:05} import step_1\n"
        call = "step_1(values)"
    return head + "".join(
        FUNCTION.format(number=each, call=call if each == 1 else "limit") for each in range(1, FUNCTIONS + 1)
    )


def run(root: Path, home: Path, tier: int) -> Cost:
    """One `omni verify`."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"OMNI_HOME": str(home), "OMNI_TIER_DEADLINES": DEADLINES}
    argv = [sys.executable, "-m", "omni", "verify", str(root), "--tier", str(tier), "--format", "ndjson"]
    started, before = time.monotonic(), cpu_seconds()
    with (home / "out").open("wb") as out, subprocess.Popen(argv, env=env, stdout=out) as process:
        watcher = Peak(process.pid)
        watcher.start()
        code = process.wait()
        seconds = time.monotonic() - started
        watcher.join()
    assert code in {0, 1, 3}, code
    return Cost(seconds, cpu_seconds() - before, watcher.highest / (1 << 20))


def cpu_seconds() -> float:
    """Of all children that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Peak(threading.Thread):
    """Looks twice a second at the memory of a process and all below it (Pss: what is shared counts once)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.highest = 0

    def run(self) -> None:
        while Path(f"/proc/{self.pid}/smaps_rollup").exists():
            now = sum(map(memory, [self.pid, *below(self.pid)]))
            self.highest = max(self.highest, now)
            if not now:
                return
            time.sleep(0.5)


def below(pid: int) -> Iterator[int]:
    """Children, and theirs."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(each) for each in path.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from below(child)


def memory(pid: int) -> int:
    """Bytes."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:"))


def measure(folder: Path, lines: int, tier: int, envs: Path) -> tuple[int, dict[str, Cost]]:
    root, home = folder / f"repository{lines}", folder / f"home{lines}"
    root.mkdir()
    home.mkdir()
    (home / "envs").symlink_to(envs)
    total = make(root, lines)
    costs = {"cold": run(root, home, tier), "warm": run(root, home, tier)}
    path = root / "src" / "part000" / "m00000.py"
    path.write_text(path.read_text() + "\n\nLAST = 1\n")
    costs["one line"] = run(root, home, tier)
    return total, costs


def svg(rows: list[tuple[int, dict[str, Cost]]], title: str) -> str:
    """Both figures over the lines, all axes logarithmic."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 380" font-family="sans-serif" font-size="12">',
        f'<title>{title}</title><rect width="760" height="380" fill="#fff"/><text x="20" y="22">{title}</text>',
    ]
    seconds = [(lines, {state: cost.cpu for state, cost in costs.items()}) for lines, costs in rows]
    mebibytes = [(lines, {state: cost.mebibytes for state, cost in costs.items()}) for lines, costs in rows]
    parts += [*plot(seconds, 60, "CPU seconds"), *plot(mebibytes, 430, "MiB at the peak")]
    for number, state in enumerate(STATES):
        parts.append(f'<text x="{560 + 65 * number}" y="22" fill="{COLORS[state]}">{state}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def plot(rows: list[tuple[int, dict[str, float]]], left: int, label: str) -> Iterator[str]:
    """One figure, 300 wide and 270 high."""
    from math import ceil, floor, log10

    values = [value for _, each in rows for value in each.values()]
    low, high = floor(log10(min(values))), max(ceil(log10(max(values))), floor(log10(min(values))) + 1)
    first, last = log10(rows[0][0]), max(log10(rows[-1][0]), log10(rows[0][0]) + 0.1)

    def x(lines: int) -> float:
        return left + 300 * (log10(lines) - first) / (last - first)

    def y(value: float) -> float:
        return 330 - 270 * (log10(value) - low) / (high - low)

    yield f'<text x="{left}" y="50" fill="#444">{label}</text>'
    for power in range(low, high + 1):
        at = y(10**power)
        yield f'<path d="M{left} {at:.1f}h300" stroke="#ddd"/>'
        yield f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{10**power:g}</text>'
    for lines, _ in rows:
        yield f'<text x="{x(lines):.1f}" y="350" text-anchor="middle">{lines:,}</text>'
    yield f'<text x="{left + 150}" y="370" text-anchor="middle" fill="#444">lines of Python</text>'
    for state in STATES:
        points = " ".join(f"{x(lines):.1f},{y(each[state]):.1f}" for lines, each in rows)
        yield f'<polyline points="{points}" fill="none" stroke="{COLORS[state]}" stroke-width="2"/>'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", default="1000,10000,100000,1000000")
    parser.add_argument("--tier", type=int, default=1)
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args()
    rows = []
    print(f"tier {given.tier}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(f"{'lines':>10}" + "".join(f"{state:>12}{'CPU':>10}{'MiB':>8}" for state in STATES))
    with tempfile.TemporaryDirectory(prefix="omni-bench-") as folder:
        for lines in map(int, given.lines.split(",")):
            total, costs = measure(Path(folder), lines, given.tier, load_settings().home / "envs")
            rows.append((total, costs))
            cells = "".join(
                f"{costs[state].seconds:10.2f} s{costs[state].cpu:8.2f} s{costs[state].mebibytes:8.0f}"
                for state in STATES
            )
            print(f"{total:10,}{cells}", flush=True)
    if given.svg:
        given.svg.write_text(svg(rows, f"omni verify --tier {given.tier} as the repository grows"))


if __name__ == "__main__":
    main()
