"""What isolation costs at start: `true` bare, in the simplest bubblewrap, and in Omni's driver, side by side.

Type: python benchmarks/sandbox_start.py
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from omni.sandbox.bubblewrap import Bubblewrap
from omni.sandbox.job import Job

ROUNDS = 40
FILES = 200
LIMIT = 30.0
"""Milliseconds that Omni's driver may need more than the bare command."""


def _project(folder: Path) -> Path:
    for number in range(FILES):
        place = folder / f"package{number % 10}"
        place.mkdir(exist_ok=True)
        (place / f"module{number}.py").write_text("x = 1\n" * 100)
    return folder


def _milliseconds(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median of each way, taken in turns, since other work on the machine drifts."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            taken[name].append(1000 * (time.perf_counter() - started))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    driver = Bubblewrap()
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder))
        ways: dict[str, Callable[[], object]] = {
            "bare": lambda: subprocess.run(["true"], check=True),
            "bwrap --ro-bind / /": lambda: subprocess.run(["bwrap", "--ro-bind", "/", "/", "true"], check=True),
            "omni, empty workspace": lambda: driver.run(Job(("true",), Path(empty))),
            f"omni, {FILES} files": lambda: driver.run(Job(("true",), project)),
        }
        medians = _milliseconds(ways)
    simple = medians["bwrap --ro-bind / /"]
    bare = medians["bare"]
    for name, median in medians.items():
        print(f"{name:<24} {median:6.1f} ms, {median - bare:6.1f} over bare, {median / simple:4.1f} times bwrap")
    held = medians["omni, empty workspace"] - bare <= LIMIT
    print(f"at most {LIMIT:.0f} ms over bare on an idle machine: {'held' if held else 'not held'}")


if __name__ == "__main__":
    main()
