"""How long the command line takes to start, against a bare click program: `.venv/bin/python benchmarks/start.py`."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

ROUNDS = 15
CLICK = "import click\n@click.group()\n@click.version_option('1')\ndef main(): pass\nmain()"
OMNI = "from omni.cli.main import main; main()"


def seconds(*argv: str) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Side by side, in turns, so that a busy machine slows both."""
    rows: dict[str, list[float]] = {"click": [], "omni": []}
    for _ in range(ROUNDS):
        rows["click"].append(seconds(sys.executable, "-I", "-c", CLICK, "--version"))
        rows["omni"].append(seconds(sys.executable, "-I", "-c", OMNI, "--version"))
    bare, ours = median(rows["click"]), median(rows["omni"])
    print(f"bare click --version   {1000 * bare:6.1f} ms")
    print(f"omni --version         {1000 * ours:6.1f} ms")
    print(f"ratio                  {ours / bare:6.2f}   (at most 1.5)")


if __name__ == "__main__":
    main()
